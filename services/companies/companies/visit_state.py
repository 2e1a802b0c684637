"""What a visit remembers, what happens to it beside the network's events, and how each changes it."""

from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime
from tyrsky.aggregate import Happening, PrivateEvent, State
from tyrsky_contracts.companies import CompanyName, Manner, VisitCancelled, VisitMoved, VisitPlanned, VisitRecorded
from tyrsky_contracts.event import BusinessId
from tyrsky_contracts.notifications import NotificationRequested
from tyrsky_contracts.visits import VisitConfirmed, VisitDeclined

from companies.visit_commands import AnswerWords, Municipality, Needs, Notes, People, Remarks, Subject

Status = Literal["planned", "confirmed", "declined", "cancelled", "recorded"]


class Remark(State):
    """What somebody of municipal business services noted."""

    by: Subject
    words: Remarks
    at: AwareDatetime


class Visit(State):
    """A visit, and what came of it. ``revision`` counts its changes, for calendars."""

    status: Status
    company_id: UUID
    business_id: BusinessId
    company_name: CompanyName
    municipality: Municipality | None = None
    contact_id: UUID | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    manner: Manner = "on-site"
    staff: People = ()
    partners: People = ()
    partners_see_contact: bool = False
    remarks: tuple[Remark, ...] = ()
    revision: int = 0
    answer_digest: str | None = None
    answered_at: AwareDatetime | None = None
    answer_words: AnswerWords = ""
    needs: Needs = ()
    notes: Notes = ""

    @property
    def which(self) -> dict[str, Any]:
        """What each public event says of whom it was about."""
        return {"company_id": self.company_id, "business_id": self.business_id}


class VisitArranged(PrivateEvent):
    """Where, when, who and how, as the college knows it: a sole trader's name and people's ids never leave it."""

    company_id: UUID
    business_id: BusinessId
    company_name: CompanyName
    municipality: Municipality | None
    contact_id: UUID | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    manner: Manner
    staff: People = ()
    partners: People = ()
    partners_see_contact: bool = False


class AnswerAwaited(PrivateEvent):
    """Which link answers from now on, by its key's digest; none does, when there is none."""

    answer_digest: str | None


class VisitAnswered(PrivateEvent):
    """When the company answered, and in what words."""

    at: AwareDatetime
    words: AnswerWords


class VisitorsSent(PrivateEvent):
    """Who of the college goes."""

    staff: People


class MannerChanged(PrivateEvent):
    """How they go, otherwise than it was told."""

    manner: Manner


class VisitShared(PrivateEvent):
    """Who of municipal business services comes along, and whether they see the contact."""

    partners: People
    partners_see_contact: bool


class VisitRemarked(PrivateEvent):
    """A partner who came along noted something."""

    remark: Remark


class VisitNoted(PrivateEvent):
    """How it was: when, who met whom, and what they wrote down. It may tell of people: it never leaves the college."""

    contact_id: UUID | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    manner: Manner
    staff: People
    notes: Notes


def evolve(visit: Visit | None, event: Happening) -> Visit:  # noqa: C901 - a table in words
    """The visit after what happened."""
    match visit, event:
        case None, VisitArranged():
            return Visit.model_validate({"status": "planned", **dict(event)})
        case Visit(), VisitPlanned() | NotificationRequested():
            return visit  # what others are told; addresses are not kept
        case Visit(), AnswerAwaited():
            return visit.but(answer_digest=event.answer_digest)
        case Visit(), VisitAnswered():
            return visit.but(answered_at=event.at, answer_words=event.words)
        case Visit(), VisitConfirmed():
            return visit.but(status="confirmed")
        case Visit(), VisitDeclined():
            return visit.but(status="declined")
        case Visit(), VisitMoved():
            return _asked_anew(visit).but(starts_at=event.starts_at, ends_at=event.ends_at)
        case Visit(), MannerChanged():
            return _asked_anew(visit).but(manner=event.manner)
        case Visit(), VisitCancelled():
            return visit.but(status="cancelled", revision=visit.revision + 1)
        case Visit(), VisitorsSent() | VisitShared() | VisitNoted():
            return visit.but(**dict(event))
        case Visit(), VisitRemarked():
            others = (each for each in visit.remarks if each.by != event.remark.by)
            return visit.but(remarks=(*others, event.remark))
        case Visit(), VisitRecorded():
            return visit.but(status="recorded", needs=event.needs)
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this visit")


def _asked_anew(visit: Visit) -> Visit:
    """Whatever was answered was about another time, or another way."""
    return visit.but(status="planned", answered_at=None, answer_words="", revision=visit.revision + 1)
