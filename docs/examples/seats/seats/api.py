"""Rooms and reservations over HTTP."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel
from tyrsky.auth import Caller, role
from tyrsky.handling import Handling, handling
from tyrsky.rows import Rows, rows
from tyrsky.store import Loaded

from seats.contracts import Seats
from seats.problems import problems
from seats.room import Cancel, Guest, OpenRoom, Reserve, Room, RoomCommand, aggregate
from seats.views import Occupancy, occupancy

router = APIRouter(prefix="/rooms", tags=["rooms"])

Rooms = Annotated[Handling[Room, RoomCommand], Depends(handling(aggregate))]
Staff = Annotated[Caller, Depends(role("outreach", "coordinator", "admin"))]
RoomId = Annotated[UUID, Path(description="A room of the college's.")]
ReservationId = Annotated[UUID, Path(description="A reservation of a seat in it.")]


class NewRoom(BaseModel):
    """A room to open."""

    seats: Seats


class NewReservation(BaseModel):
    """A seat to reserve."""

    guest: Guest


class RoomView(BaseModel):
    """A room, and how many seats are left in it."""

    id: UUID
    seats: int
    left: int

    @classmethod
    def of(cls, loaded: Loaded[Room]) -> Self:
        """The room as staff sees it."""
        return cls(id=loaded.id, seats=loaded.state.seats, left=loaded.state.seats - loaded.state.held)


class ReservationView(BaseModel):
    """A reservation that was made; its confirmation goes to the webhook."""

    id: UUID
    room: RoomView


@router.post("", status_code=201, operation_id="openRoom")
async def open_room(new: NewRoom, rooms: Rooms, staff: Staff) -> RoomView:
    """Open a room."""
    return await rooms.handle(OpenRoom(room_id=rooms.new_id(), seats=new.seats), RoomView)


@router.get("/{room_id}", operation_id="getRoom", responses=problems("room-unknown"))
async def get(room_id: RoomId, rooms: Rooms, staff: Staff) -> RoomView:
    """One room, as it is now."""
    return await rooms.show(room_id, RoomView)


@router.get("/{room_id}/occupancy", operation_id="getOccupancy", responses=problems("room-unknown"))
async def occupied(
    room_id: RoomId, read: Annotated[Rows[Occupancy], Depends(rows(occupancy))], staff: Staff
) -> Occupancy:
    """How full a room of the network is, as the events have told so far; of a new one they have not told yet."""
    return await read.show(room_id, of="room")


@router.post(
    "/{room_id}/reservations",
    status_code=201,
    operation_id="reserveSeat",
    responses=problems("room-unknown", "room-full"),
)
async def reserve(room_id: RoomId, new: NewReservation, rooms: Rooms, staff: Staff) -> ReservationView:
    """Reserve a seat."""
    command = Reserve(room_id=room_id, reservation_id=rooms.new_id(), guest=new.guest)
    return ReservationView(id=command.reservation_id, room=await rooms.handle(command, RoomView))


@router.post(
    "/{room_id}/reservations/{reservation_id}/cancel",
    operation_id="cancelReservation",
    responses=problems("room-unknown", "reservation-unknown"),
)
async def cancel(room_id: RoomId, reservation_id: ReservationId, rooms: Rooms, staff: Staff) -> RoomView:
    """Give the seat back. Twice is once."""
    return await rooms.handle(Cancel(room_id=room_id, reservation_id=reservation_id), RoomView)
