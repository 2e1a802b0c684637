"""Visits to companies: planned, moved, cancelled, and who goes. How they are recorded is in ``recording.py``."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from tyrsky.handling import Handling, handling
from tyrsky.listing import Page

from companies.api.companies import Companies, going_on, of_company
from companies.api.inviting import Invitations, visited
from companies.api.visit_views import NewVisit, VisitChange, Visitors, VisitsAsked, VisitView
from companies.api.words import CompanyId, Staff, VisitId
from companies.problems import problems
from companies.visit import aggregate
from companies.visit_commands import CancelVisit, MoveVisit, PlanVisit, SendVisitors, VisitCommand
from companies.visit_state import Visit

router = APIRouter(tags=["visits"])

Visits = Annotated[Handling[Visit, VisitCommand], Depends(handling(aggregate))]

WRONG_TIMES = ("visit-in-the-past", "visit-too-far-ahead", "visit-ends-before-it-starts", "visit-too-long")


@router.post(
    "/companies/{company_id}/visits",
    status_code=201,
    operation_id="planVisit",
    summary="Plan a visit",
    responses=problems(
        *("company-unknown", "company-merged", "contact-unknown", "contact-of-another-company"),
        "visit-already-planned",
        *WRONG_TIMES,
    ),
)
async def plan(
    company_id: CompanyId, new: NewVisit, visits: Visits, companies: Companies, invitations: Invitations, staff: Staff
) -> VisitView:
    """Plan a visit. The contact, if one is named who has an address, gets an invitation by mail with a link that
    confirms or declines it."""
    company = await going_on(companies, company_id)
    await invitations.check(company, new.contact_id)
    visit_id = visits.new_id()
    command = PlanVisit(
        visit_id=visit_id,
        now=visits.now,
        company=visited(company),
        contact_id=new.contact_id,
        invite=await invitations.addressee(visit_id, new.contact_id),
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        manner=new.manner,
        staff=tuple(new.staff) or (staff.subject,),
        partners=tuple(new.partners),
        partners_see_contact=new.partners_see_contact,
    )
    return await visits.handle(command, VisitView)


@router.get("/visits", operation_id="listVisits", summary="List visits")
async def find(
    asked: Annotated[VisitsAsked, Query()], visits: Visits, companies: Companies, staff: Staff
) -> Page[VisitView]:
    """The college's visits, the earliest first."""
    narrowed = await of_company(companies, asked.company_id)
    mine = {"state.staff": staff.subject} if asked.mine else {}
    return (await visits.find(asked, {**narrowed, **mine})).of(VisitView.of)


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
async def move(
    visit_id: VisitId, wanted: VisitChange, visits: Visits, invitations: Invitations, staff: Staff
) -> VisitView:
    """Make a visit at another time, or in another way. The contact is told by mail and asked anew; the link of before
    answers no more."""
    contact_id = (await visits.get(visit_id)).state.contact_id
    command = MoveVisit(
        visit_id=visit_id,
        now=visits.now,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        manner=wanted.manner,
        invite=await invitations.addressee(visit_id, contact_id),
    )
    return await visits.handle(command, VisitView)


@router.post(
    "/visits/{visit_id}/cancel",
    operation_id="cancelVisit",
    summary="Cancel a visit",
    responses=problems("visit-unknown", "visit-is-over"),
)
async def cancel(visit_id: VisitId, visits: Visits, invitations: Invitations, staff: Staff) -> VisitView:
    """Cancel a visit that was not made. Twice is once. The contact is told by mail."""
    invite = await invitations.addressee(visit_id, (await visits.get(visit_id)).state.contact_id)
    return await visits.handle(CancelVisit(visit_id=visit_id, now=visits.now, invite=invite), VisitView)


@router.post(
    "/visits/{visit_id}/visitors",
    operation_id="sendVisitors",
    summary="Say who goes",
    responses=problems("visit-unknown", "visit-is-over"),
)
async def send(visit_id: VisitId, wanted: Visitors, visits: Visits, staff: Staff) -> VisitView:
    """Say who of the college goes to a visit, in place of who would have gone."""
    people = tuple(wanted.staff) or (staff.subject,)
    return await visits.handle(SendVisitors(visit_id=visit_id, staff=people), VisitView)
