"""The rules of rooms."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given as anything
from hypothesis import strategies as st
from seats.contracts import RoomOpened, SeatFreed, SeatReserved
from seats.room import Cancel, GuestNoted, OpenRoom, Reserve, aggregate
from tyrsky.aggregate import Rejected
from tyrsky.testing import given

ROOM, ONE, TWO = uuid4(), uuid4(), uuid4()

opened = RoomOpened(room_id=ROOM, seats=1)


def reserve(id: UUID) -> Reserve:
    return Reserve(room_id=ROOM, reservation_id=id, guest="Aino")


def cancel(id: UUID) -> Cancel:
    return Cancel(room_id=ROOM, reservation_id=id)


def noted(id: UUID) -> GuestNoted:
    return GuestNoted(reservation_id=id, guest="Aino")


def reserved(id: UUID) -> SeatReserved:
    return SeatReserved(room_id=ROOM, reservation_id=id)


def freed(id: UUID) -> SeatFreed:
    return SeatFreed(room_id=ROOM, reservation_id=id)


def test_a_room_is_opened_once():
    given(aggregate).when(OpenRoom(room_id=ROOM, seats=1)).then(opened)
    given(aggregate, opened).when(OpenRoom(room_id=ROOM, seats=1)).rejected("room-already-open")


def test_a_seat_is_reserved_once_and_the_last_one_is_the_last():
    given(aggregate, opened).when(reserve(ONE)).then(noted(ONE), reserved(ONE))
    given(aggregate, opened, noted(ONE), reserved(ONE)).when(reserve(ONE)).then()
    given(aggregate, opened, noted(ONE), reserved(ONE)).when(reserve(TWO)).rejected("room-full")


def test_a_seat_that_was_given_back_is_somebody_elses():
    before = (opened, noted(ONE), reserved(ONE))
    given(aggregate, *before).when(cancel(ONE)).then(freed(ONE))
    given(aggregate, *before, freed(ONE)).when(cancel(ONE)).then()
    given(aggregate, *before, freed(ONE)).when(reserve(TWO)).then(noted(TWO), reserved(TWO))


def test_a_late_repeat_does_not_take_the_seat_again():
    given(aggregate, opened, noted(ONE), reserved(ONE), freed(ONE)).when(reserve(ONE)).then()


def test_of_many_cancellations_the_oldest_is_forgotten_and_an_empty_room_is_never_full(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("seats.room.RESERVATIONS_MAX", 3)
    state = aggregate.fold(None, [RoomOpened(room_id=ROOM, seats=2), noted(ONE), reserved(ONE)])
    for number in range(10):
        for wish in (reserve(UUID(int=number)), cancel(UUID(int=number))):
            state = aggregate.fold(state, aggregate.decide(state, wish))
    assert state is not None
    assert list(state.reservations) == [ONE, UUID(int=8), UUID(int=9)]
    assert state.held == 1


def test_what_is_not_there_is_unknown():
    given(aggregate).when(reserve(ONE)).rejected("room-unknown")
    given(aggregate, opened).when(cancel(ONE)).rejected("reservation-unknown")


@anything(st.integers(1, 5), st.lists(st.tuples(st.sampled_from([reserve, cancel]), st.integers(0, 7))))
def test_there_are_never_more_held_than_seats(seats: int, wishes: list[tuple[type, int]]):
    room = aggregate.fold(None, [RoomOpened(room_id=ROOM, seats=seats)])
    for wish, who in wishes:
        try:
            room = aggregate.fold(room, aggregate.decide(room, wish(UUID(int=who))))
        except Rejected:
            continue
        assert room is not None
        held = [each for each in room.reservations.values() if each.status == "held"]
        assert len(held) == room.held <= seats
