"""A visit to a company: planned by a college, perhaps moved or cancelled, recorded by whoever went."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown
from tyrsky_contracts.companies import CompanyName, Need, VisitCancelled, VisitMoved, VisitPlanned, VisitRecorded
from tyrsky_contracts.event import BusinessId

Status = Literal["planned", "cancelled", "recorded"]
Needs = Annotated[tuple[Need, ...], Field(max_length=20)]
Notes = Annotated[str, Field(max_length=4_000)]

LONGEST = timedelta(hours=8)
FARTHEST = timedelta(days=366)


class Visit(State):
    """A visit, and what came of it."""

    status: Status
    company_id: UUID
    business_id: BusinessId
    company_name: CompanyName
    contact_id: UUID | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    needs: Needs = ()
    notes: Notes = ""


class VisitNoted(PrivateEvent):
    """What whoever went wrote down. It may tell of people: it never leaves the college."""

    notes: Notes


class VisitCommand(Command):
    """What can be asked of a visit."""

    visit_id: UUID


class PlanVisit(VisitCommand):
    """Go to a company at a time; the contact, if there is one, will be invited."""

    company_id: UUID
    business_id: BusinessId
    company_name: CompanyName
    contact_id: UUID | None = None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    now: AwareDatetime


class MoveVisit(VisitCommand):
    """Go at another time."""

    now: AwareDatetime
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class CancelVisit(VisitCommand):
    """Do not go."""


class RecordVisit(VisitCommand):
    """Somebody went: what the company needs, and notes that stay in the college."""

    now: AwareDatetime
    needs: Needs
    notes: Notes = ""


def decide(visit: Visit | None, command: VisitCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match visit, command:
        case None, PlanVisit():
            _check_time(command)
            return [VisitPlanned.model_validate(command.model_dump(exclude={"now"}))]
        case None, _:
            raise Unknown("visit", command.visit_id)
        case Visit(), PlanVisit():
            raise Rejected("visit-already-planned")
        case Visit(status="planned"), _:
            return _while_planned(visit, command)
        case Visit(status="cancelled"), CancelVisit():
            return []  # clicked twice
        case Visit(status="recorded"), RecordVisit():
            if (_once(command.needs), command.notes) != (visit.needs, visit.notes):
                raise Rejected("visit-already-recorded")
            return []  # sent twice
        case _:
            raise Rejected("visit-is-over", status=visit.status)


def _while_planned(visit: Visit, command: VisitCommand) -> Sequence[Happening]:
    which: dict[str, Any] = {
        "visit_id": command.visit_id,
        "company_id": visit.company_id,
        "business_id": visit.business_id,
    }
    match command:
        case MoveVisit():
            if (command.starts_at, command.ends_at) == (visit.starts_at, visit.ends_at):
                return []
            _check_time(command)
            return [VisitMoved(**which, starts_at=command.starts_at, ends_at=command.ends_at)]
        case CancelVisit():
            return [VisitCancelled(**which)]
        case RecordVisit():
            if command.now < visit.starts_at:
                raise Rejected("visit-not-begun", starts_at=visit.starts_at)
            recorded = VisitRecorded(**which, visited_at=visit.starts_at, needs=_once(command.needs))
            return [VisitNoted(notes=command.notes), recorded]
        case _:
            raise TypeError(f"a visit cannot {type(command).__name__}")


def _check_time(wanted: PlanVisit | MoveVisit) -> None:
    if wanted.starts_at <= wanted.now:
        raise Rejected("visit-in-the-past", field="starts_at")
    if wanted.starts_at > wanted.now + FARTHEST:
        raise Rejected("visit-too-far-ahead", field="starts_at", days=FARTHEST.days)
    if wanted.ends_at <= wanted.starts_at:
        raise Rejected("visit-ends-before-it-starts", field="ends_at")
    if wanted.ends_at - wanted.starts_at > LONGEST:
        raise Rejected("visit-too-long", field="ends_at", hours=LONGEST // timedelta(hours=1))


def _once(needs: Needs) -> Needs:
    return tuple(dict.fromkeys(needs))


def evolve(visit: Visit | None, event: Happening) -> Visit:
    """The visit after what happened."""
    match visit, event:
        case None, VisitPlanned():
            return Visit.model_validate({"status": "planned", **dict(event)})
        case Visit(), VisitMoved():
            return visit.but(starts_at=event.starts_at, ends_at=event.ends_at)
        case Visit(), VisitCancelled():
            return visit.but(status="cancelled")
        case Visit(), VisitNoted():
            return visit.but(notes=event.notes)
        case Visit(), VisitRecorded():
            return visit.but(status="recorded", needs=event.needs)
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this visit")


aggregate = Aggregate("visit", Visit, VisitCommand, decide, evolve, about=lambda id, visit: visit.company_id)
