"""A visit to a company: planned by a college, answered by the company, perhaps moved or cancelled, recorded by whoever
went. Whoever was there is right: what was cancelled or declined and took place all the same is recorded."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from typing import Literal, TypeVar

from tyrsky.aggregate import Aggregate, Happening, Rejected, Unknown
from tyrsky.links import digest, opens
from tyrsky_contracts.companies import VisitCancelled, VisitMoved, VisitPlanned, VisitRecorded
from tyrsky_contracts.notifications import VisitInvitation
from tyrsky_contracts.visits import VisitConfirmed, VisitDeclined

from companies.visit_commands import (
    Addressee,
    AnswerVisit,
    CancelVisit,
    MoveVisit,
    PlanVisit,
    Recording,
    RecordUnplannedVisit,
    RecordVisit,
    RemarkOnVisit,
    SendVisitors,
    ShareVisit,
    VisitCommand,
)
from companies.visit_state import (
    AnswerAwaited,
    MannerChanged,
    Remark,
    Visit,
    VisitAnswered,
    VisitArranged,
    VisitNoted,
    VisitorsSent,
    VisitRemarked,
    VisitShared,
    evolve,
)

T = TypeVar("T")

OVER = ("cancelled", "recorded")
LONGEST = timedelta(hours=8)
FARTHEST = timedelta(days=366)  # ahead of the plan, and behind the record
UNPLANNED = timedelta(hours=1)  # that lasted so long, when nobody says


def decide(visit: Visit | None, command: VisitCommand) -> Sequence[Happening]:
    """What a command comes to."""
    if visit is None:
        return _begin(command)
    match command:
        case PlanVisit():
            raise Rejected("visit-already-planned")
        case RecordUnplannedVisit() if visit.company_id != command.company.company_id:
            raise Rejected("visit-of-another-company", field="visit_id")
        case RecordVisit() | RecordUnplannedVisit():
            return _record(visit, command)
        case RemarkOnVisit():
            return _remark(visit, command)
        case AnswerVisit():
            return _answer(visit, command)
        case ShareVisit() if visit.status != "cancelled":  # who came along may be named afterwards
            partners = _once(command.partners)
            return _changed(visit, VisitShared(partners=partners, partners_see_contact=command.partners_see_contact))
        case CancelVisit() if visit.status == "cancelled":
            return []  # clicked twice
        case _:
            return _while_ahead(visit, command)


def _begin(command: VisitCommand) -> Sequence[Happening]:
    match command:
        case PlanVisit():
            return _plan(command)
        case RecordUnplannedVisit():
            _check_begun(command.visited_at, command)
            ends_at = command.ended_at or command.visited_at + UNPLANNED
            arranged = VisitArranged(
                **command.company.kept,
                contact_id=command.contact_id,
                starts_at=command.visited_at,
                ends_at=ends_at,
                manner=command.manner or "on-site",
            )
            return [arranged, *_record(evolve(None, arranged), command)]
        case _:
            raise Unknown("visit", command.visit_id)


def _while_ahead(visit: Visit, command: VisitCommand) -> Sequence[Happening]:
    if visit.status in OVER:
        raise Rejected("visit-is-over", status=visit.status)
    match command:
        case MoveVisit():
            return _move(visit, command)
        case CancelVisit():
            cancelled = VisitCancelled(visit_id=command.visit_id, **visit.which)
            told = _told(evolve(visit, cancelled), command, command.invite, "cancelled")
            return [cancelled, *(told if command.now < visit.ends_at else ())]  # afterwards it is no news
        case SendVisitors():
            return _changed(visit, VisitorsSent(staff=_once(command.staff)))
        case _:
            raise TypeError(f"a visit cannot {type(command).__name__}")


def _plan(command: PlanVisit) -> Sequence[Happening]:
    _check_ahead(command)
    company = command.company
    arranged = VisitArranged(
        **company.kept,
        contact_id=command.contact_id,
        starts_at=command.starts_at,
        ends_at=command.ends_at,
        manner=command.manner,
        staff=_once(command.staff),
        partners=_once(command.partners),
        partners_see_contact=command.partners_see_contact,
    )
    visit = evolve(None, arranged)
    planned = VisitPlanned(
        visit_id=command.visit_id,
        **visit.which,
        company_name=company.name if company.name_is_public else company.business_id,
        contact_id=command.contact_id,
        starts_at=command.starts_at,
        ends_at=command.ends_at,
    )
    return [arranged, planned, *_asked(visit, command.invite), *_told(visit, command, command.invite)]


def _move(visit: Visit, command: MoveVisit) -> Sequence[Happening]:
    starts_at, ends_at, news = command.starts_at, command.ends_at, list[Happening]()
    if (starts_at, ends_at) != (visit.starts_at, visit.ends_at):
        _check_ahead(command)
        news.append(VisitMoved(visit_id=command.visit_id, **visit.which, starts_at=starts_at, ends_at=ends_at))
    if command.manner and command.manner != visit.manner:
        news.append(MannerChanged(manner=command.manner))
    if not news:
        return []
    moved = reduce(evolve, news, visit)
    return [*news, *_asked(visit, command.invite), *_told(moved, command, command.invite, "moved")]


def _asked(visit: Visit, invite: Addressee | None) -> Sequence[Happening]:
    """The contact answers by a new link from now on, if by any: an old one was about another time."""
    kept = digest(invite.answer_key) if invite else None
    return [] if kept == visit.answer_digest else [AnswerAwaited(answer_digest=kept)]


def _told(
    visit: Visit, command: VisitCommand, invite: Addressee | None, change: Literal["moved", "cancelled"] | None = None
) -> Sequence[Happening]:
    """The contact is told how the visit is now."""
    if invite is None:
        return []  # staff will call
    url = None if change == "cancelled" else invite.answer_url
    data = VisitInvitation.model_validate({**dict(visit), "change": change, "answer_url": url})
    return [invite.told(command.visit_id, data)]


def _answer(visit: Visit, command: AnswerVisit) -> Sequence[Happening]:
    if command.key is not None and not opens(command.key, visit.answer_digest):
        raise Rejected("visit-answer-link-wrong")
    if visit.status in OVER:
        raise Rejected("visit-is-over", status=visit.status)
    if command.now >= visit.starts_at:
        raise Rejected("visit-has-begun", starts_at=visit.starts_at)
    if (visit.status, visit.answer_words) == (command.answer, command.words):
        return []  # clicked twice
    answered = VisitAnswered(at=command.now, words=command.words)
    if visit.status == command.answer:
        return [answered]  # in other words
    kind = VisitConfirmed if command.answer == "confirmed" else VisitDeclined
    return [answered, kind(visit_id=command.visit_id, **visit.which)]


def _changed(visit: Visit, event: VisitShared | VisitorsSent) -> Sequence[Happening]:
    return [] if evolve(visit, event) == visit else [event]


def _remark(visit: Visit, command: RemarkOnVisit) -> Sequence[Happening]:
    if command.by not in visit.partners:
        raise Unknown("visit", command.visit_id)  # who was not invited does not learn that there is one
    if visit.status == "cancelled":
        raise Rejected("visit-is-over", status=visit.status)
    if any((each.by, each.words) == (command.by, command.words) for each in visit.remarks):
        return []
    return [VisitRemarked(remark=Remark(by=command.by, words=command.words, at=command.now))]


def _record(visit: Visit, command: RecordVisit | RecordUnplannedVisit) -> Sequence[Happening]:
    starts_at = command.visited_at or visit.starts_at
    _check_begun(starts_at, command)
    met = command.contact_id if isinstance(command, RecordUnplannedVisit) else None
    noted = VisitNoted(
        contact_id=met or visit.contact_id,
        starts_at=starts_at,
        ends_at=command.ended_at or starts_at + (visit.ends_at - visit.starts_at),
        manner=command.manner or visit.manner,
        staff=_once(command.staff) or visit.staff or (command.by,),
        notes=command.notes,
    )
    recorded = VisitRecorded(
        visit_id=command.visit_id,
        **visit.which,
        visited_at=starts_at,
        needs=_once(command.needs),
        manner=noted.manner,
        joint=bool(visit.partners),
    )
    if visit.status == "recorded":
        # By the state itself: a phone may send its recording again when every receipt is long gone.
        if evolve(evolve(visit, noted), recorded) != visit:
            raise Rejected("visit-already-recorded")
        return []
    if command.now - starts_at > FARTHEST:
        raise Rejected("visit-too-long-ago", field="visited_at", days=FARTHEST.days)
    _check_length(noted, "ended_at")
    return [noted, recorded]


def _once(named: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(named))


def _check_ahead(wanted: PlanVisit | MoveVisit) -> None:
    if wanted.starts_at <= wanted.now:
        raise Rejected("visit-in-the-past", field="starts_at")
    if wanted.starts_at > wanted.now + FARTHEST:
        raise Rejected("visit-too-far-ahead", field="starts_at", days=FARTHEST.days)
    _check_length(wanted, "ends_at")


def _check_begun(starts_at: datetime, command: Recording) -> None:
    if starts_at > command.now:
        raise Rejected("visit-not-begun", starts_at=starts_at)


def _check_length(wanted: PlanVisit | MoveVisit | VisitNoted, field: str) -> None:
    if wanted.ends_at <= wanted.starts_at:
        raise Rejected("visit-ends-before-it-starts", field=field)
    if wanted.ends_at - wanted.starts_at > LONGEST:
        raise Rejected("visit-too-long", field=field, hours=LONGEST // timedelta(hours=1))


aggregate = Aggregate("visit", Visit, VisitCommand, decide, evolve, about=lambda id, visit: visit.company_id)
