"""A small domain for the kit's own tests: a room, its seats, and who sits where, which nobody else is to know."""

from typing import Literal
from uuid import UUID, uuid4

from pydantic import AwareDatetime
from tyrsky.aggregate import Aggregate, Command, Erasure, Happening, PrivateEvent, Rejected, State, Unknown
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.event import Event
from tyrsky_contracts.topics import Topic


class RoomOpened(Event, type="tyrsky.room.opened.v1"):
    """A room has seats."""

    room_id: UUID
    seats: int


class SeatTaken(Event, type="tyrsky.room.seat-taken.v1"):
    """One seat less."""

    room_id: UUID
    left: int


class GuestNoted(PrivateEvent):
    """Who took it stays here."""

    guest: str


class GuestsForgotten(Erasure):
    """Nobody knows any more who came."""


class Room(State):
    """What is left, and who came."""

    status: Literal["open", "full"] = "open"
    left: int
    guests: tuple[str, ...] = ()
    opened_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None


class RoomCommand(Command):
    """Any wish about a room."""

    room_id: UUID


class OpenRoom(RoomCommand):
    """Let there be a room."""

    seats: int


class ForgetGuests(RoomCommand):
    """Do not know any more who came."""


class TakeSeat(RoomCommand):
    """Sit down. A guest who sits already stays seated."""

    guest: str


def decide(room: Room | None, command: RoomCommand) -> list[Happening]:
    match room, command:
        case None, OpenRoom():
            return [RoomOpened(room_id=command.room_id, seats=command.seats)]
        case Room(), TakeSeat(guest="a bug"):
            raise ZeroDivisionError("the rule is broken")
        case Room(), TakeSeat() if command.guest in room.guests:
            return []
        case Room(), ForgetGuests():
            return [GuestsForgotten()] if room.guests else []
        case Room(status="full"), TakeSeat():
            raise Rejected("room-full", field="guest")
        case Room(), TakeSeat():
            return [SeatTaken(room_id=command.room_id, left=room.left - 1), GuestNoted(guest=command.guest)]
        case None, _:
            raise Unknown("room", command.room_id)
        case _:
            raise Rejected("room-open-already")


def evolve(room: Room | None, event: Happening) -> Room:
    match room, event:
        case None, RoomOpened():
            return Room(left=event.seats)
        case Room(), SeatTaken():
            return room.but(left=event.left, status="full" if event.left == 0 else "open")
        case Room(), GuestsForgotten():
            return room.but(guests=(), due_at=None)
        case Room(), GuestNoted():
            return room.but(guests=(*room.guests, event.guest))
        case _:
            raise TypeError(f"a room knows nothing of {event}")


room = Aggregate("room", Room, RoomCommand, decide, evolve)


def codec(topic: str) -> Codec:
    """The contract of this domain, on a topic of the test's own."""
    about = Topic(
        name=topic,
        about="Rooms, for the kit's tests.",
        key="id of the room",
        events=(RoomOpened, SeatTaken),
        producers=("kit",),
        consumers=(),
        retention=None,
        public=True,
    )
    return Codec([about])


def topic_name() -> str:
    """A topic that nobody else has."""
    return f"kit-rooms-{uuid4().hex[:12]}"
