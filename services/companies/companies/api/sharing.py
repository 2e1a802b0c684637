"""Joint visits: people of municipal business services come along. They see the visits that they were invited to, and
nothing else of the college: no notes, nobody else's remarks, and the contact when the college shows them."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.aggregate import Unknown
from tyrsky.listing import Listing, Moment, Page, any_of, at_least, below
from tyrsky.store import Loaded
from tyrsky_contracts.companies import ContactRole, Manner

from companies.api.audit import Reading
from companies.api.contacts import Contacts
from companies.api.visit_views import VisitView
from companies.api.visits import Visits
from companies.api.words import Partner, Staff, Subject, Text, VisitId
from companies.contact_state import Contact
from companies.problems import problems
from companies.visit_commands import PEOPLE_MAX, RemarkOnVisit, ShareVisit
from companies.visit_state import Status, Visit

router = APIRouter(tags=["visits"])

WORDS = "Kunta auttaa toimitilan etsinnässä."


class Partners(BaseModel):
    """Who of municipal business services comes along."""

    model_config = ConfigDict(extra="forbid")

    partners: list[Subject] = Field(
        max_length=PEOPLE_MAX,
        description="Subjects of their tokens, in place of those before; nobody, when empty.",
        examples=[["d1c4f0a2-51b7-4a8e-8f3a-0c2b7a9e1003"]],
    )
    partners_see_contact: bool = Field(False, description="Whether they see the contact's name and how to reach them.")


class NewRemark(BaseModel):
    """What a partner has to say of a visit."""

    model_config = ConfigDict(extra="forbid")

    words: Annotated[str, Text, StringConstraints(min_length=1, max_length=2_000)] = Field(
        description="In place of what they said before; the college's staff sees it.", examples=[WORDS]
    )


class SharedContact(BaseModel):
    """Whom they will meet."""

    name: str
    role: ContactRole
    email: str | None
    phone: str | None


class JointVisitView(BaseModel):
    """A visit as somebody of municipal business services sees it who was invited to it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "7d2f6f0a-9c58-5f7e-8a35-6f1e0c9b4d2a",
                "status": "confirmed",
                "business_id": "0100130-4",
                "company_name": "Esimerkkikahvila Oy",
                "municipality": "908",
                "starts_at": "2026-09-10T06:00:00Z",
                "ends_at": "2026-09-10T07:00:00Z",
                "manner": "on-site",
                "contact": None,
                "remark": WORDS,
            }
        }
    )

    id: UUID
    status: Status
    business_id: str
    company_name: str
    municipality: str | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    manner: Manner
    contact: SharedContact | None = Field(None, description="When the college shows them, and one visit is asked for.")
    remark: str = Field(description="What whoever asks noted.")


class JointVisitsAsked(Listing):
    """How the list of joint visits can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"starts_at": "state.starts_at"}

    sort: Literal["starts_at", "-starts_at"] = Field("starts_at", description="By when they begin.")
    status: Annotated[list[Status], any_of("state.status")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )
    starts_from: Annotated[Moment | None, at_least("state.starts_at")] = Field(
        None, description="That begin then or later."
    )
    starts_before: Annotated[Moment | None, below("state.starts_at")] = Field(None, description="That begin earlier.")


def shown(visit: Loaded[Visit], subject: str, contact: Contact | None = None) -> JointVisitView:
    """The visit as a partner sees it."""
    own = (remark.words for remark in visit.state.remarks if remark.by == subject)
    met = SharedContact(**contact.model_dump()) if contact else None
    return JointVisitView(id=visit.id, remark=next(own, ""), contact=met, **visit.state.model_dump())


async def invited_to(visit_id: UUID, visits: Visits, subject: str) -> Loaded[Visit]:
    """The visit, when they were invited to it.

    :raises Unknown: when there is none, or it is not theirs to see, which is the same to them.
    """
    visit = await visits.get(visit_id)
    if subject not in visit.state.partners:
        raise Unknown("visit", visit_id)
    return visit


async def their_contact(visit: Visit, contacts: Contacts) -> Loaded[Contact] | None:
    """The contact that partners may see, if there still is one."""
    if visit.contact_id is None or not visit.partners_see_contact:
        return None
    try:
        contact = await contacts.get(visit.contact_id)
    except Unknown:
        return None
    return None if contact.state.erased_at else contact


@router.post(
    "/visits/{visit_id}/partners",
    operation_id="shareVisit",
    summary="Say who comes along",
    responses=problems("visit-unknown", "visit-is-over"),
)
async def share(visit_id: VisitId, wanted: Partners, visits: Visits, staff: Staff) -> VisitView:
    """Say who of municipal business services comes along, or came. Who is named sees this visit; who is named no more
    sees it no more."""
    command = ShareVisit(
        visit_id=visit_id, partners=tuple(wanted.partners), partners_see_contact=wanted.partners_see_contact
    )
    return await visits.handle(command, VisitView)


@router.get("/joint-visits", operation_id="listJointVisits", summary="List the visits that one was invited to")
async def find(asked: Annotated[JointVisitsAsked, Query()], visits: Visits, partner: Partner) -> Page[JointVisitView]:
    """The visits that whoever asks was invited to come along on, the earliest first; without their contacts."""
    page = await visits.find(asked, {"state.partners": partner.subject})
    return page.of(lambda visit: shown(visit, partner.subject))


@router.get(
    "/joint-visits/{visit_id}",
    operation_id="getJointVisit",
    summary="One visit that one was invited to",
    responses=problems("visit-unknown"),
)
async def get(
    visit_id: VisitId, visits: Visits, contacts: Contacts, reading: Reading, partner: Partner
) -> JointVisitView:
    """One visit that whoever asks was invited to come along on."""
    visit = await invited_to(visit_id, visits, partner.subject)
    contact = await their_contact(visit.state, contacts)
    await reading.of("contact", *([contact.id] if contact else []))
    return shown(visit, partner.subject, contact.state if contact else None)


@router.post(
    "/joint-visits/{visit_id}/remark",
    operation_id="remarkOnVisit",
    summary="Note something on a joint visit",
    responses=problems("visit-unknown", "visit-is-over"),
)
async def remark(visit_id: VisitId, new: NewRemark, visits: Visits, partner: Partner) -> JointVisitView:
    """Note something on a visit, for the college's staff; in place of what one noted before."""
    command = RemarkOnVisit(visit_id=visit_id, now=visits.now, by=partner.subject, words=new.words)

    class Own(JointVisitView):
        """The visit as this partner sees it."""

        @classmethod
        def of(cls, loaded: Loaded[Visit]) -> Self:
            return cls(**dict(shown(loaded, partner.subject)))

    return await visits.handle(command, Own)
