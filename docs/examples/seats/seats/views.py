"""How full the rooms are, for whoever looks: folded from the events alone."""

from tyrsky.aggregate import State
from tyrsky.projecting import Projection
from tyrsky_contracts.event import Envelope

from seats.contracts import RoomOpened, SeatFreed, SeatReserved


class Occupancy(State):
    """How many seats a room has, and how many of them are left."""

    seats: int = 0
    left: int = 0


occupancy = Projection("occupancy", Occupancy, key=lambda event: event.room_id)


@occupancy.on(RoomOpened)
def opened(row: Occupancy, event: RoomOpened, about: Envelope) -> Occupancy:
    """All seats are left."""
    return row.but(seats=event.seats, left=event.seats)


@occupancy.on(SeatReserved)
def reserved(row: Occupancy, event: SeatReserved, about: Envelope) -> Occupancy:
    """One less."""
    return row.but(left=row.left - 1)


@occupancy.on(SeatFreed)
def freed(row: Occupancy, event: SeatFreed, about: Envelope) -> Occupancy:
    """One more."""
    return row.but(left=row.left + 1)
