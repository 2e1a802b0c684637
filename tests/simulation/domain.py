"""What is simulated: rooms with seats, a badge for everybody who sits down, and two read models.

The rules forgive nothing: a command that is carried out twice shows, and so does an event that is folded twice or late.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from tyrsky.aggregate import Aggregate, Command, Happening, Rejected, State, Unknown
from tyrsky.policies import Policies
from tyrsky.projecting import Projection
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.event import Envelope, Event
from tyrsky_contracts.topics import Topic

COLLEGE = "vaao"
NAMESPACE = UUID("7d3c2e5a-0000-4000-8000-000000000000")
ROOMS, BADGES = "sim-rooms", "sim-badges"


class RoomOpened(Event, type="tyrsky.sim-room.opened.v1"):
    """A room has seats."""

    room_id: UUID
    seats: int


class SeatTaken(Event, type="tyrsky.sim-room.seat-taken.v1"):
    """Somebody sits."""

    room_id: UUID
    guest: str


class BadgePrinted(Event, type="tyrsky.sim-tray.badge-printed.v1"):
    """Somebody who sits has a badge."""

    tray_id: UUID
    guest: str


class Room(State):
    """Who sits, in order."""

    seats: int
    guests: tuple[str, ...] = ()


class RoomCommand(Command):
    """Any wish about a room."""

    room_id: UUID


class OpenRoom(RoomCommand):
    """Let there be a room."""

    seats: int


class TakeSeat(RoomCommand):
    """Sit down; who asks twice gets two seats."""

    guest: str


def decide_room(room: Room | None, command: RoomCommand) -> list[Happening]:
    match room, command:
        case None, OpenRoom():
            return [RoomOpened(room_id=command.room_id, seats=command.seats)]
        case Room(), TakeSeat() if len(room.guests) < room.seats:
            return [SeatTaken(room_id=command.room_id, guest=command.guest)]
        case Room(), TakeSeat():
            raise Rejected("room-full")
        case None, _:
            raise Unknown("room", command.room_id)
        case _:
            raise Rejected("room-open-already")


def evolve_room(room: Room | None, event: Happening) -> Room:
    match room, event:
        case None, RoomOpened():
            return Room(seats=event.seats)
        case Room(), SeatTaken():
            return Room(seats=room.seats, guests=(*room.guests, event.guest))
        case _:
            raise TypeError(f"a room knows nothing of {event}")


class Tray(State):
    """The badges of a room."""

    badges: tuple[str, ...] = ()


class TrayCommand(Command):
    """Any wish about a tray."""

    tray_id: UUID


class PrintBadge(TrayCommand):
    """One more badge; who asks twice gets two."""

    guest: str


def decide_tray(tray: Tray | None, command: TrayCommand) -> list[Happening]:
    assert isinstance(command, PrintBadge)
    return [BadgePrinted(tray_id=command.tray_id, guest=command.guest)]


def evolve_tray(tray: Tray | None, event: Happening) -> Tray:
    assert isinstance(event, BadgePrinted)
    return Tray(badges=(*(tray.badges if tray else ()), event.guest))


room = Aggregate("room", Room, RoomCommand, decide_room, evolve_room)


def in_one_order(tray: Tray) -> str:
    """All trays' events are on one partition, in one order, under one key that is no tray's id."""
    return "trays"


tray = Aggregate("tray", Tray, TrayCommand, decide_tray, evolve_tray, partition=in_one_order)


def tray_of(room_id: UUID) -> UUID:
    """The tray of a room."""
    return uuid5(room_id, "tray")


def _topic(name: str, *events: type[Event]) -> Topic:
    return Topic(
        name=name,
        about="Simulated.",
        key="id",
        events=events,
        producers=(),
        consumers=(),
        retention=None,
        public=True,
    )


codec = Codec([_topic(ROOMS, RoomOpened, SeatTaken), _topic(BADGES, BadgePrinted)])

Hinder = Callable[[str, Envelope], None]
"""Called before an event is taken, with the group; may raise."""


def policies(hinder: Hinder) -> Policies:
    """A badge for everybody who sits."""
    policies = Policies("sim-policies")

    @policies.when(SeatTaken)
    def print_badge(event: SeatTaken, about: Envelope) -> PrintBadge:
        hinder("sim-policies", about)
        return PrintBadge(tray_id=tray_of(event.room_id), guest=event.guest)

    return policies


class Seen(State):
    """What the topics said of one room: badges and seats, in the order of each."""

    seats: int = 0
    guests: tuple[str, ...] = ()


class Counted(State):
    """How much there is in all: one row that every key changes."""

    seats: int = 0
    guests: int = 0
    badges: int = 0


def projections(hinder: Hinder) -> list[Projection[Any]]:
    """A row for each room, in which order shows; and a row for all, which everybody writes."""
    seen = Projection("seen", Seen, key=lambda event: event.room_id)
    counted = Projection("counted", Counted, key=lambda event: "all")

    @seen.on(RoomOpened)
    def opened(row: Seen, event: RoomOpened, about: Envelope) -> Seen:
        hinder("sim-seen", about)
        return row.but(seats=event.seats)

    @seen.on(SeatTaken)
    def taken(row: Seen, event: SeatTaken, about: Envelope) -> Seen:
        hinder("sim-seen", about)
        return row.but(guests=(*row.guests, event.guest))

    @counted.on(RoomOpened)
    def count_seats(row: Counted, event: RoomOpened, about: Envelope) -> Counted:
        return row.but(seats=row.seats + event.seats)

    @counted.on(SeatTaken)
    def count_guest(row: Counted, event: SeatTaken, about: Envelope) -> Counted:
        return row.but(guests=row.guests + 1)

    @counted.on(BadgePrinted)
    def count_badge(row: Counted, event: BadgePrinted, about: Envelope) -> Counted:
        hinder("sim-counted", about)
        return row.but(badges=row.badges + 1)

    return [seen, counted]
