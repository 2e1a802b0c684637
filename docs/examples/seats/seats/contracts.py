"""What this service tells the network: its events, and the topic that they are on."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from tyrsky_contracts.event import Event
from tyrsky_contracts.topics import Topic

Seats = Annotated[int, Field(ge=1, le=1_000)]


class RoomOpened(Event, type="vaao.room.opened.v1"):
    """Seats can be reserved."""

    room_id: UUID
    seats: Seats


class SeatReserved(Event, type="vaao.room.seat-reserved.v1"):
    """One seat less; whose it is stays at home."""

    room_id: UUID
    reservation_id: UUID


class SeatFreed(Event, type="vaao.room.seat-freed.v1"):
    """One seat more."""

    room_id: UUID
    reservation_id: UUID


seats = Topic(
    name="vaao-seats",
    about="Rooms, and how many of their seats are left.",
    key="id of the room",
    events=(RoomOpened, SeatReserved, SeatFreed),
    producers=("seats",),
    retention=None,
    public=True,
)

TOPICS = (seats,)
