"""Visits to companies."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from tyrsky.aggregate import Rejected
from tyrsky.handling import Handling, handling
from tyrsky.listing import Listing, Moment, Page, any_of, at_least, below, equals
from tyrsky.store import Loaded
from tyrsky_contracts.companies import Need

from companies.api.companies import Companies
from companies.api.contacts import Contacts
from companies.api.words import Appointed, CompanyId, Staff, VisitId
from companies.problems import problems
from companies.visit import CancelVisit, MoveVisit, PlanVisit, RecordVisit, Status, Visit, VisitCommand, aggregate

router = APIRouter(tags=["visits"])

Visits = Annotated[Handling[Visit, VisitCommand], Depends(handling(aggregate))]

WRONG_TIMES = ("visit-in-the-past", "visit-too-far-ahead", "visit-ends-before-it-starts", "visit-too-long")


class VisitTime(BaseModel):
    """From when to when a visit lasts: eight hours at most."""

    model_config = ConfigDict(extra="forbid")

    starts_at: Appointed = Field(description="With its time zone.", examples=["2026-09-10T09:00:00+03:00"])
    ends_at: Appointed = Field(description="With its time zone.", examples=["2026-09-10T10:00:00+03:00"])


class NewVisit(VisitTime):
    """A visit to plan."""

    contact_id: UUID | None = Field(None, description="Whom to invite, of the company's contacts.")


class VisitRecord(BaseModel):
    """What came of a visit."""

    model_config = ConfigDict(extra="forbid")

    needs: list[Need] = Field([], max_length=20, description="What the company needs; the network learns of it.")
    notes: str = Field(
        "", max_length=4_000, description="They stay in the college.", examples=["Haluaa kuulla oppisopimuksesta."]
    )


class VisitView(BaseModel):
    """A visit, and what came of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "7d2f6f0a-9c58-5f7e-8a35-6f1e0c9b4d2a",
                "status": "recorded",
                "company_id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
                "business_id": "0100130-4",
                "company_name": "Esimerkkikahvila Oy",
                "contact_id": "0b8e5f9a-7c39-5c55-8d8c-3c4f2a1b0d9e",
                "starts_at": "2026-09-10T06:00:00Z",
                "ends_at": "2026-09-10T07:00:00Z",
                "needs": ["apprenticeship"],
                "notes": "Haluaa kuulla oppisopimuksesta.",
            }
        }
    )

    id: UUID
    status: Status
    company_id: UUID
    business_id: str
    company_name: str
    contact_id: UUID | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    needs: list[Need]
    notes: str

    @classmethod
    def of(cls, loaded: Loaded[Visit]) -> Self:
        """The visit as the college's staff sees it."""
        return cls(id=loaded.id, **loaded.state.model_dump())


class VisitsAsked(Listing):
    """How the list of visits can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"starts_at": "state.starts_at"}

    sort: Literal["starts_at", "-starts_at"] = Field("starts_at", description="By when they begin.")
    company_id: Annotated[UUID | None, equals("state.company_id")] = Field(None, description="To one company.")
    status: Annotated[list[Status], any_of("state.status")] = Field(
        [], max_length=3, description="One or more of them; all when none is given."
    )
    starts_from: Annotated[Moment | None, at_least("state.starts_at")] = Field(
        None, description="That begin then or later."
    )
    starts_before: Annotated[Moment | None, below("state.starts_at")] = Field(None, description="That begin earlier.")


@router.post(
    "/companies/{company_id}/visits",
    status_code=201,
    operation_id="planVisit",
    summary="Plan a visit",
    responses=problems(
        "company-unknown", "contact-unknown", "contact-of-another-company", "visit-already-planned", *WRONG_TIMES
    ),
)
async def plan(
    company_id: CompanyId, new: NewVisit, visits: Visits, companies: Companies, contacts: Contacts, staff: Staff
) -> VisitView:
    """Plan a visit; the contact, if one is named, gets an invitation by mail."""
    company = await companies.get(company_id)
    if new.contact_id is not None and (await contacts.get(new.contact_id)).state.company_id != company.id:
        raise Rejected("contact-of-another-company", field="contact_id")
    command = PlanVisit(
        visit_id=visits.new_id(),
        now=visits.now,
        company_id=company.id,
        business_id=company.state.business_id,
        company_name=company.state.name,
        contact_id=new.contact_id,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
    )
    return await visits.handle(command, VisitView)


@router.get("/visits", operation_id="listVisits", summary="List visits")
async def find(asked: Annotated[VisitsAsked, Query()], visits: Visits, staff: Staff) -> Page[VisitView]:
    """The college's visits, the earliest first."""
    return (await visits.find(asked)).of(VisitView.of)


@router.get("/visits/{visit_id}", operation_id="getVisit", summary="One visit", responses=problems("visit-unknown"))
async def get(visit_id: VisitId, visits: Visits, staff: Staff) -> VisitView:
    """One visit."""
    return await visits.show(visit_id, VisitView)


@router.patch(
    "/visits/{visit_id}",
    operation_id="moveVisit",
    summary="Move a visit",
    responses=problems("visit-unknown", "visit-is-over", *WRONG_TIMES),
)
async def move(visit_id: VisitId, wanted: VisitTime, visits: Visits, staff: Staff) -> VisitView:
    """Give a planned visit another time. The contact is not told of it yet: tell them yourself."""
    command = MoveVisit(visit_id=visit_id, now=visits.now, starts_at=wanted.starts_at, ends_at=wanted.ends_at)
    return await visits.handle(command, VisitView)


@router.post(
    "/visits/{visit_id}/cancel",
    operation_id="cancelVisit",
    summary="Cancel a visit",
    responses=problems("visit-unknown", "visit-is-over"),
)
async def cancel(visit_id: VisitId, visits: Visits, staff: Staff) -> VisitView:
    """Cancel a planned visit. Twice is once. The contact is not told of it yet: tell them yourself."""
    return await visits.handle(CancelVisit(visit_id=visit_id), VisitView)


@router.post(
    "/visits/{visit_id}/record",
    operation_id="recordVisit",
    summary="Record a visit",
    responses=problems("visit-unknown", "visit-not-begun", "visit-already-recorded", "visit-is-over"),
)
async def record(visit_id: VisitId, made: VisitRecord, visits: Visits, staff: Staff) -> VisitView:
    """Tell that a visit was made, what the company needs, and what else is worth noting."""
    command = RecordVisit(visit_id=visit_id, now=visits.now, needs=tuple(made.needs), notes=made.notes)
    return await visits.handle(command, VisitView)
