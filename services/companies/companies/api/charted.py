"""What the routes of needs and of potential have in common: charted on a visit or from a survey, with a history."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.aggregate import Rejected

from companies.api.visits import Visits
from companies.api.words import Appointed, Text

Words = Annotated[str, Text, StringConstraints(max_length=1_000)]

CHARTED = (
    *("company-unknown", "visit-unknown", "visit-of-another-company"),
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


async def check_visit(visit_id: UUID | None, company_id: UUID, visits: Visits) -> None:
    """Refuse what was charted on a visit that is not known, or was made elsewhere.

    :raises Rejected: ``visit-unknown``, ``visit-of-another-company``.
    """
    if visit_id is not None and (await visits.get(visit_id)).state.company_id != company_id:
        raise Rejected("visit-of-another-company", field="visit_id")
