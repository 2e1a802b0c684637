"""A college reserves the first contact with a company: for 14 days at most, extended once, and then not at once again.

Whether it holds is decided by the network's log, of which ``views.reservations`` tells; here is what the college asks.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from pydantic import AwareDatetime
from tyrsky.aggregate import Aggregate, Command, Happening, Rejected, State, Unknown
from tyrsky_contracts.event import BusinessId
from tyrsky_contracts.reservations import ContactReserved, ReservationExtended, ReservationReleased

LONGEST = timedelta(days=14)
PAUSE = timedelta(days=14)
"""So long the company is others' to reserve, when a college's reservation is over: nobody keeps one for good."""

RESERVATIONS = UUID("c9f6d5a4-8b1e-5d3c-9e2f-7a6b5c4d3e2f")


def reservation_id(college: str, business_id: BusinessId) -> UUID:
    """The id of what a college reserves of a company: one after the other, never two at a time."""
    return uuid5(RESERVATIONS, f"{college}/{business_id}")


class Reservation(State):
    """What the college last asked for."""

    business_id: BusinessId
    asked_at: AwareDatetime
    until: AwareDatetime
    extended: bool = False


class Known(State):
    """What the network's log has told so far: how far it has heard this college, until when its reservation holds or
    held, and another's."""

    heard_at: AwareDatetime | None = None
    held_until: AwareDatetime | None = None
    others_until: AwareDatetime | None = None


class ReservationCommand(Command):
    """What can be asked of a reservation."""

    contact_reservation_id: UUID
    known: Known
    now: AwareDatetime


class ReserveContact(ReservationCommand):
    """Be the first to get in touch."""

    business_id: BusinessId
    days: int


class ExtendReservation(ReservationCommand):
    """Have more time."""

    days: int


class ReleaseContact(ReservationCommand):
    """Let others go first."""


def decide(reservation: Reservation | None, command: ReservationCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match reservation, command:
        case _, ReserveContact():
            return _reserve(reservation, command)
        case None, _:
            raise Unknown("contact-reservation", command.contact_reservation_id)
        case Reservation(), ReleaseContact():
            if not _lasts(command.known.held_until, command.now):
                return []  # it is over, or never was
            which = _which(command, reservation.business_id)
            return [ReservationReleased(**which, released_at=command.now)]
        case Reservation(), ExtendReservation():
            return _extend(reservation, command)
        case _:
            raise TypeError(f"a reservation cannot {type(command).__name__}")


def _reserve(reservation: Reservation | None, command: ReserveContact) -> Sequence[Happening]:
    known, now = command.known, command.now
    if reservation and (known.heard_at is None or known.heard_at < reservation.asked_at):
        return []  # asked for, and not heard in the log yet
    if _lasts(known.held_until, now):
        return []  # it has it
    if _lasts(known.others_until, now):
        raise Rejected("contact-reserved", until=known.others_until)
    if known.held_until and now < known.held_until + PAUSE:
        raise Rejected("reservation-too-soon", again_at=known.held_until + PAUSE)
    until = now + _lasting(command.days)
    return [ContactReserved(**_which(command, command.business_id), reserved_at=now, until=until)]


def _extend(reservation: Reservation, command: ExtendReservation) -> Sequence[Happening]:
    held_until = command.known.held_until
    if held_until is None or not _lasts(held_until, command.now):
        raise Rejected("reservation-not-held")
    if reservation.extended:
        raise Rejected("reservation-extended-already", until=held_until)
    until = held_until + _lasting(command.days)
    return [ReservationExtended(**_which(command, reservation.business_id), until=until)]


def _lasts(until: datetime | None, now: datetime) -> bool:
    return until is not None and now < until


def _lasting(days: int) -> timedelta:
    if not 0 < days <= LONGEST.days:
        raise Rejected("reservation-too-long", field="days", most=LONGEST.days)
    return timedelta(days=days)


def _which(command: ReservationCommand, business_id: BusinessId) -> dict[str, Any]:
    return {"reservation_id": command.contact_reservation_id, "business_id": business_id}


def evolve(reservation: Reservation | None, event: Happening) -> Reservation:
    """The reservation after what happened."""
    match reservation, event:
        case _, ContactReserved():
            return Reservation(business_id=event.business_id, asked_at=event.reserved_at, until=event.until)
        case Reservation(), ReservationExtended():
            return reservation.but(until=event.until, extended=True)
        case Reservation(), ReservationReleased():
            return reservation.but(until=event.released_at)
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this reservation")


aggregate = Aggregate(
    "contact-reservation",
    Reservation,
    ReservationCommand,
    decide,
    evolve,
    about=lambda id, _: id,
    partition=lambda reservation: reservation.business_id,
)
