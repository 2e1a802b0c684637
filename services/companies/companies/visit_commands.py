"""What can be asked of a visit. What is decided of it is in ``visit.py``."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from tyrsky.aggregate import Command
from tyrsky_contracts.companies import CompanyName, Manner, Need
from tyrsky_contracts.event import BusinessId
from tyrsky_contracts.notifications import AnswerUrl, Language, NotificationRequested, VisitInvitation

Needs = Annotated[tuple[Need, ...], Field(max_length=20)]
Notes = Annotated[str, Field(max_length=4_000)]

Subject = Annotated[str, Field(min_length=1, max_length=255)]
"""A person by the id that the identity provider gives them (``sub``)."""

PEOPLE_MAX = 10
People = Annotated[tuple[Subject, ...], Field(max_length=PEOPLE_MAX)]

Municipality = Annotated[str, Field(pattern=r"^[0-9]{3}$")]
Answer = Literal["confirmed", "declined"]
AnswerWords = Annotated[str, Field(max_length=500)]
Remarks = Annotated[str, Field(min_length=1, max_length=2_000)]


class Visited(BaseModel):
    """The company that is visited, as the visit keeps it. A name that may be a person's (a sole trader's) is not
    public: the network is told the business id in its place."""

    model_config = ConfigDict(frozen=True)

    company_id: UUID
    business_id: BusinessId
    name: CompanyName
    name_is_public: bool = True
    municipality: Municipality | None = None

    @property
    def kept(self) -> dict[str, Any]:
        """As the visit remembers it."""
        return {"company_name": self.name, **self.model_dump(include={"company_id", "business_id", "municipality"})}


class Addressee(BaseModel):
    """Who is told of the visit by mail, and the link by which they answer: ``answer_key`` is the secret in it. The
    visit forgets the address at once, and of the key it keeps the digest."""

    model_config = ConfigDict(frozen=True)

    contact_id: UUID
    name: Annotated[str, Field(max_length=200)]
    email: Annotated[str, Field(max_length=254)]
    language: Language
    answer_key: Annotated[str, Field(min_length=22, max_length=100)]
    answer_url: AnswerUrl

    def told(self, visit_id: UUID, news: VisitInvitation) -> NotificationRequested:
        """The wish to tell them."""
        return NotificationRequested(
            kind="visit-invitation",
            contact_id=self.contact_id,
            to_email=self.email,
            to_name=self.name,
            language=self.language,
            about=visit_id,
            data=news,
        )


class VisitCommand(Command):
    """What can be asked of a visit."""

    visit_id: UUID


class PlanVisit(VisitCommand):
    """Go to a company at a time; the contact, if there is one with an address, is invited."""

    now: AwareDatetime
    company: Visited
    contact_id: UUID | None = None
    invite: Addressee | None = None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    manner: Manner = "on-site"
    staff: People = ()
    partners: People = ()
    partners_see_contact: bool = False


class MoveVisit(VisitCommand):
    """Go at another time, or in another way; who was invited is told, and asked anew."""

    now: AwareDatetime
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    manner: Manner | None = None
    invite: Addressee | None = None


class CancelVisit(VisitCommand):
    """Do not go; who was invited is told."""

    now: AwareDatetime
    invite: Addressee | None = None


class AnswerVisit(VisitCommand):
    """The company can receive the visit, or cannot. ``key`` is the link's; without one staff heard it, by phone
    say."""

    now: AwareDatetime
    answer: Answer
    words: AnswerWords = ""
    key: str | None = None


class SendVisitors(VisitCommand):
    """Who of the college's staff goes."""

    staff: People


class ShareVisit(VisitCommand):
    """Which people of municipal business services come along and so see the visit; and whether they see its contact."""

    partners: People
    partners_see_contact: bool


class RemarkOnVisit(VisitCommand):
    """What a partner who came along has to say of it, in place of what they said before."""

    now: AwareDatetime
    by: Subject
    words: Remarks


class Recording(VisitCommand):
    """Somebody went: who, when and how, what the company needs, and notes that stay in the college. What is left out
    was as planned."""

    now: AwareDatetime
    by: Subject
    ended_at: AwareDatetime | None = None
    manner: Manner | None = None
    staff: People = ()
    needs: Needs = ()
    notes: Notes = ""


class RecordVisit(Recording):
    """The visit that was planned was made."""

    visited_at: AwareDatetime | None = None


class RecordUnplannedVisit(Recording):
    """Somebody went without a plan, or where there was no network to plan over. The id is made by who was there."""

    visited_at: AwareDatetime
    company: Visited
    contact_id: UUID | None = None
