"""Visits as they were made: recorded at a desk, or in the field without a network and sent later, perhaps twice."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tyrsky_contracts.companies import Manner, Need

from companies.api.companies import Companies, going_on, is_there
from companies.api.inviting import Invitations, visited
from companies.api.visit_views import AINO, VisitView
from companies.api.visits import Visits
from companies.api.words import Appointed, CompanyId, Staff, Subject, Text, VisitId
from companies.problems import problems
from companies.visit_commands import PEOPLE_MAX, RecordUnplannedVisit, RecordVisit

router = APIRouter(tags=["visits"])

Notes = Annotated[str, Text, StringConstraints(max_length=4_000)]

NOT_SO = (
    "visit-not-begun",
    "visit-already-recorded",
    "visit-ends-before-it-starts",
    "visit-too-long",
    "visit-too-long-ago",
)


class VisitRecord(BaseModel):
    """What came of a visit. What is left out was as planned; who records what was done without a network says when it
    was, for it may have been moved meanwhile."""

    model_config = ConfigDict(extra="forbid")

    visited_at: Appointed | None = Field(
        None, description="When it began; as planned, when left out.", examples=["2026-09-10T09:05:00+03:00"]
    )
    ended_at: Appointed | None = Field(
        None, description="It lasted as long as planned, when left out.", examples=["2026-09-10T10:00:00+03:00"]
    )
    manner: Manner | None = Field(None, description="On site, by video or by phone; as planned, when left out.")
    staff: list[Subject] = Field(
        [],
        max_length=PEOPLE_MAX,
        description="Who went (subjects of their tokens): as planned, when left out; else whoever records it.",
        examples=[[AINO]],
    )
    needs: list[Need] = Field(
        [], max_length=20, description="What the company needs: the network learns of it, and it is charted."
    )
    notes: Notes = Field("", description="They stay in the college.", examples=["Haluaa kuulla oppisopimuksesta."])

    def known(self) -> dict[str, Any]:
        """As the commands have it."""
        return {**dict(self), "staff": tuple(self.staff), "needs": tuple(self.needs)}


class UnplannedVisit(VisitRecord):
    """A visit that was made and is not known yet."""

    id: UUID = Field(
        description="Of the client's making (a random UUID), so that it may be sent until an answer comes.",
        examples=["7d2f6f0a-9c58-4f7e-8a35-6f1e0c9b4d2a"],
    )
    visited_at: Appointed = Field(  # pyright: ignore[reportIncompatibleVariableOverride]
        description="When it began: within the last year.", examples=["2026-09-10T09:05:00+03:00"]
    )
    ended_at: Appointed | None = Field(
        None, description="It lasted an hour, when left out.", examples=["2026-09-10T10:00:00+03:00"]
    )
    contact_id: UUID | None = Field(None, description="Whom of the company's contacts they met.")


@router.post(
    "/visits/{visit_id}/record",
    operation_id="recordVisit",
    summary="Record a visit",
    responses=problems("visit-unknown", *NOT_SO),
)
async def record(visit_id: VisitId, made: VisitRecord, visits: Visits, staff: Staff) -> VisitView:
    """Tell that a visit was made, what the company needs, and what else is worth noting. Whoever was there is right:
    also what was declined or cancelled meanwhile is recorded, when it took place all the same."""
    command = RecordVisit(visit_id=visit_id, now=visits.now, by=staff.subject, **made.known())
    return await visits.handle(command, VisitView)


@router.post(
    "/companies/{company_id}/visits/recorded",
    operation_id="recordUnplannedVisit",
    summary="Record a visit that nobody planned",
    responses=problems(
        "company-unknown",
        "company-merged",
        "contact-unknown",
        "contact-of-another-company",
        "visit-of-another-company",
        "id-taken",
        *NOT_SO,
    ),
)
async def record_unplanned(
    company_id: CompanyId,
    made: UnplannedVisit,
    visits: Visits,
    companies: Companies,
    invitations: Invitations,
    staff: Staff,
) -> VisitView:
    """Tell of a visit that was made without a plan. The id is the client's: the same visit sent again, even after days,
    is the same visit and answered the same; with other content it is refused."""
    company = await going_on(companies, company_id, sent_again=await is_there(visits, made.id))
    await invitations.check(company, made.contact_id)
    known = made.known()
    command = RecordUnplannedVisit(
        visit_id=known.pop("id"), now=visits.now, by=staff.subject, company=visited(company), **known
    )
    return await visits.handle(command, VisitView)
