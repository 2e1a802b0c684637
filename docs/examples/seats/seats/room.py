"""A room: its seats, and who has one. The quota is here and nowhere else, so it cannot be exceeded."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown

from seats.contracts import RoomOpened, SeatFreed, SeatReserved, Seats

RESERVATIONS_MAX = 10_000
"""Reservations that a room remembers, cancelled ones too: of these the oldest is forgotten when there are more."""

Guest = Annotated[str, Field(min_length=1, max_length=100, examples=["Aino Virtanen"])]


class Reservation(State):
    """Somebody's seat. One that was cancelled is remembered, so that a late repeat does not take a seat again."""

    guest: Guest
    status: Literal["held", "cancelled"] = "held"


class Room(State):
    """What was promised to whom."""

    seats: Seats
    reservations: dict[UUID, Reservation] = Field(default={})
    held: int = 0


class GuestNoted(PrivateEvent):
    """Who a reservation is for: it never leaves the college."""

    reservation_id: UUID
    guest: Guest


class RoomCommand(Command):
    """What can be asked of a room."""

    room_id: UUID


class OpenRoom(RoomCommand):
    """Let seats be reserved."""

    seats: Seats


class Reserve(RoomCommand):
    """One seat, for a guest."""

    reservation_id: UUID
    guest: Guest


class Cancel(RoomCommand):
    """Give the seat back."""

    reservation_id: UUID


def decide(room: Room | None, command: RoomCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match room, command:
        case None, OpenRoom():
            return [RoomOpened(room_id=command.room_id, seats=command.seats)]
        case None, _:
            raise Unknown("room", command.room_id)
        case Room(), Reserve(reservation_id=id):
            return _reserve(room, command) if id not in room.reservations else []  # sent twice
        case Room(), Cancel(reservation_id=id) if id not in room.reservations:
            raise Unknown("reservation", id)
        case Room(), Cancel(reservation_id=id):
            held = room.reservations[id].status == "held"
            return [SeatFreed(room_id=command.room_id, reservation_id=id)] if held else []  # clicked twice
        case _:
            raise Rejected("room-already-open")


def _reserve(room: Room, command: Reserve) -> Sequence[Happening]:
    if room.held >= room.seats:
        raise Rejected("room-full", seats=room.seats)
    which = {"reservation_id": command.reservation_id}
    return [GuestNoted(guest=command.guest, **which), SeatReserved(room_id=command.room_id, **which)]


def evolve(room: Room | None, event: Happening) -> Room:
    """The room after what happened."""
    match room, event:
        case None, RoomOpened():
            return Room(seats=event.seats)
        case Room(), GuestNoted():
            return room.but(reservations=_with_room(room) | {event.reservation_id: Reservation(guest=event.guest)})
        case Room(), SeatReserved():
            return room.but(held=room.held + 1)
        case Room(), SeatFreed():
            cancelled = room.reservations[event.reservation_id].but(status="cancelled")
            return room.but(held=room.held - 1, reservations=room.reservations | {event.reservation_id: cancelled})
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this room")


def _with_room(room: Room) -> dict[UUID, Reservation]:
    """The room's reservations, with a place for one more: there are more places than seats."""
    too_many = max(0, len(room.reservations) + 1 - RESERVATIONS_MAX)
    oldest = [id for id, each in room.reservations.items() if each.status == "cancelled"][:too_many]
    return {id: each for id, each in room.reservations.items() if id not in oldest}


aggregate = Aggregate("room", Room, RoomCommand, decide, evolve)
