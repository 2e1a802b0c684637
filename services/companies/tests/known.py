"""Things that the tests of visits know: a café that is visited tomorrow, and what is asked about it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from companies.visit_commands import (
    Addressee,
    Answer,
    AnswerVisit,
    CancelVisit,
    MoveVisit,
    PlanVisit,
    RecordUnplannedVisit,
    RecordVisit,
    Visited,
)
from companies.visit_state import AnswerAwaited, VisitArranged, VisitNoted
from tyrsky.links import digest
from tyrsky_contracts.companies import Need, VisitCancelled, VisitMoved, VisitPlanned, VisitRecorded
from tyrsky_contracts.notifications import NotificationRequested, VisitInvitation

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOMORROW = NOON + DAY
ID, COMPANY, CONTACT = uuid4(), uuid4(), uuid4()
KEY, OTHER_KEY = "Q3vS0mC1xkqk9d2l7y8ZJw", "7y8ZJwQ3vS0mC1xkqk9d2l"
AINO, BERTTA, KUNTA = "aino-subject", "bertta-subject", "kunta-subject"
WHICH = {"visit_id": ID, "company_id": COMPANY, "business_id": "0100130-4"}

cafe = Visited(company_id=COMPANY, business_id="0100130-4", name="Kahvila Oy", municipality="908")


def addressee(key: str = KEY) -> Addressee:
    return Addressee(
        contact_id=CONTACT,
        name="Matti Malli",
        email="matti@kahvila.example",
        language="sv",
        answer_key=key,
        answer_url=f"https://tyrsky.example/visits/answer/{ID}/{key}?lang=sv",
    )


def plan(starts_at: datetime = TOMORROW, lasts: timedelta = HOUR, **other: Any) -> PlanVisit:
    fields: dict[str, Any] = {"company": cafe, "contact_id": CONTACT, "staff": (AINO,)} | other
    return PlanVisit(visit_id=ID, now=NOON, starts_at=starts_at, ends_at=starts_at + lasts, **fields)


def move(starts_at: datetime, *, now: datetime = NOON, **other: Any) -> MoveVisit:
    return MoveVisit(visit_id=ID, now=now, starts_at=starts_at, ends_at=starts_at + HOUR, **other)


def cancel(now: datetime = NOON, **other: Any) -> CancelVisit:
    return CancelVisit(visit_id=ID, now=now, **other)


def answer(answer: Answer = "confirmed", key: str | None = KEY, words: str = "", now: datetime = NOON) -> AnswerVisit:
    return AnswerVisit(visit_id=ID, now=now, answer=answer, key=key, words=words)


def record(*needs: Need, notes: str = "", now: datetime = TOMORROW + HOUR, **other: Any) -> RecordVisit:
    return RecordVisit(visit_id=ID, now=now, by=AINO, needs=needs, notes=notes, **other)


def went(visited_at: datetime = TOMORROW, *needs: Need, now: datetime | None = None, **other: Any) -> Any:
    """Somebody went without a plan."""
    fields: dict[str, Any] = {"company": cafe, "by": AINO, "needs": needs} | other
    return RecordUnplannedVisit(visit_id=ID, now=now or visited_at + HOUR, visited_at=visited_at, **fields)


def arranged(**other: Any) -> VisitArranged:
    fields: dict[str, Any] = {
        "company_id": COMPANY,
        "business_id": "0100130-4",
        "company_name": "Kahvila Oy",
        "municipality": "908",
        "contact_id": CONTACT,
        "starts_at": TOMORROW,
        "ends_at": TOMORROW + HOUR,
        "manner": "on-site",
        "staff": (AINO,),
    }
    return VisitArranged(**{**fields, **other})


def planned_at(starts_at: datetime = TOMORROW, ends_at: datetime | None = None) -> VisitPlanned:
    more = {"company_name": "Kahvila Oy", "contact_id": CONTACT}
    return VisitPlanned.model_validate(
        {**WHICH, **more, "starts_at": starts_at, "ends_at": ends_at or starts_at + HOUR}
    )


planned = (arranged(), planned_at())
asked = (*planned, AnswerAwaited(answer_digest=digest(KEY)))
cancelled = VisitCancelled.model_validate(WHICH)
noted = VisitNoted(
    contact_id=CONTACT,
    starts_at=TOMORROW,
    ends_at=TOMORROW + HOUR,
    manner="on-site",
    staff=(AINO,),
    notes="Ovi takapihalla.",
)
recorded = VisitRecorded.model_validate({**WHICH, "visited_at": TOMORROW, "needs": ("recruitment",)})


def moved(starts_at: datetime) -> VisitMoved:
    return VisitMoved.model_validate({**WHICH, "starts_at": starts_at, "ends_at": starts_at + HOUR})


def told(starts_at: datetime = TOMORROW, *, url: str | None = addressee().answer_url, **other: Any) -> Any:
    """What Matti is told of the visit."""
    data = VisitInvitation(
        company_name="Kahvila Oy", starts_at=starts_at, ends_at=starts_at + HOUR, answer_url=url, **other
    )
    return NotificationRequested(
        kind="visit-invitation",
        contact_id=CONTACT,
        to_email="matti@kahvila.example",
        to_name="Matti Malli",
        language="sv",
        about=ID,
        data=data,
    )
