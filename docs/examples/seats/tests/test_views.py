"""What the events come to, and what they bring about."""

from datetime import UTC, datetime
from uuid import uuid4

from seats.contracts import RoomOpened, SeatFreed, SeatReserved
from seats.policies import policies
from seats.views import Occupancy, occupancy
from tyrsky.dispatches import AcceptDispatch
from tyrsky.projecting import Kept
from tyrsky_contracts.event import Envelope, Event

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
ROOM, ONE, TWO = uuid4(), uuid4(), uuid4()

EVENTS = (
    RoomOpened(room_id=ROOM, seats=3),
    SeatReserved(room_id=ROOM, reservation_id=ONE),
    SeatReserved(room_id=ROOM, reservation_id=TWO),
    SeatFreed(room_id=ROOM, reservation_id=ONE),
)


def about(event: Event, sequence: int = 1) -> Envelope:
    return Envelope(
        id=uuid4(),
        type=event.type,
        source="/colleges/vaao/rooms",
        subject=str(ROOM),
        time=NOON,
        college="vaao",
        sequence=sequence,
        correlationid="c",
        causationid="c",
    )


def test_the_row_knows_how_many_seats_are_left_however_often_it_is_told():
    kept = Kept[Occupancy]()
    for _ in range(2):
        for sequence, event in enumerate(EVENTS, 1):
            kept = occupancy.fold(kept, event, about(event, sequence))
    assert kept.row == Occupancy(seats=3, left=2)


async def test_a_reservation_has_one_confirmation_whichever_event_tells_of_it():
    event = EVENTS[1]
    [(_, _, once)] = await policies.commands(event, about(event))
    [(_, _, again)] = await policies.commands(event, about(event))
    assert isinstance(once, AcceptDispatch)
    assert isinstance(again, AcceptDispatch)
    assert once.dispatch_id == again.dispatch_id == ONE
    assert once.data == {"room_id": str(ROOM), "reservation_id": str(ONE)}
