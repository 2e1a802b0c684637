"""What the routes of needs and of potential have in common: charted on a visit or from a survey, with a history."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.aggregate import Rejected
from tyrsky.store import Loaded

from companies.api.companies import together
from companies.api.visits import Visits
from companies.api.words import Appointed, Text
from companies.company import Company
from companies.visit_state import Visit

Words = Annotated[str, Text, StringConstraints(max_length=1_000)]

CHARTED = (
    *("company-unknown", "company-merged", "visit-unknown", "visit-of-another-company"),
    *("charted-in-the-future", "charted-too-long-ago"),
)


class Charted(BaseModel):
    """Where and when something became known of a company."""

    model_config = ConfigDict(extra="forbid")

    visit_id: UUID | None = Field(None, description="The visit on which it was charted; send that first.")
    survey_id: UUID | None = Field(None, description="The survey from which it was charted.")
    charted_at: Appointed | None = Field(
        None, description="When it was charted, within the last year; now, when left out."
    )
    words: Words = Field(
        "", description="They stay in the college.", examples=["Kaksi ohjaajaa on uusia, kolmas jää eläkkeelle."]
    )


class TurnView(BaseModel):
    """A state of a need or a potential, since when, and why."""

    status: str = Field(examples=["offered"])
    at: AwareDatetime
    why: str


async def visit_at(visit_id: UUID | None, company: Loaded[Company], visits: Visits) -> Loaded[Visit] | None:
    """The visit on which something was charted: to the company, or to one that goes on as it.

    :raises Rejected: ``visit-unknown``, ``visit-of-another-company``.
    """
    if visit_id is None:
        return None
    visit = await visits.get(visit_id)
    if str(visit.state.company_id) not in together(company):
        raise Rejected("visit-of-another-company", field="visit_id")
    return visit
