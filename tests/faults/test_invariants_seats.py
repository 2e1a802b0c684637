"""I6: rooms with one flaw each, made up, must each be counted; rooms without one must pass."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.faults import invariants
from tests.faults.ledger import Wish
from tests.faults.looking import Room
from tests.faults.test_invariants import wish

RESERVED = wish("reserve-seat", "/rooms/r1", id="s1", room={})
ROOM = Room(2, 1, {"s1": "held"}, left_shown=1)


def seats(room: Room, *wishes: Wish) -> Sequence[str]:
    return invariants.seats_exact([RESERVED, *wishes], {"r1": room}).wrong


def test_a_room_as_it_was_promised_is_right():
    cancelled = wish("cancel-seat", "/rooms/r1", id="s1")
    assert seats(ROOM) == []
    assert seats(Room(2, 0, {"s1": "cancelled"}, 2), cancelled) == []


@pytest.mark.parametrize(
    ("room", "says"),
    [
        (Room(0, 1, {"s1": "held"}, -1), "1 reservations of 0 seats"),
        (Room(2, 2, {"s1": "held"}, 0), "1 reservations, 2 counted"),
        (Room(2, 0, {}, 2), "reservation s1 was acknowledged, and is not there"),
        (Room(2, 0, {"s1": "cancelled"}, 2), "nobody gave reservation s1 back"),
        (Room(2, 2, {"s1": "held", "s2": "held"}, 0), "nobody was told of reservation s2"),
        (Room(2, 1, {"s1": "held"}, left_shown=2), "1 left, the read model says 2"),
        (Room(2, 1, {"s1": "held"}), "1 left, the read model has no row"),
    ],
)
def test_a_seat_that_is_wrong_is_counted(room: Room, says: str):
    assert len(seats(room)) == 1
    assert says in seats(room)[0]


def test_a_seat_that_was_given_back_and_is_held_is_counted():
    cancelled = wish("cancel-seat", "/rooms/r1", id="s1")
    assert seats(ROOM, cancelled) == ["/rooms/r1: reservation s1 was given back, and is held"]


def test_a_seat_that_was_refused_to_be_given_back_and_is_free_is_counted():
    refused, unanswered = (wish("cancel-seat", "/rooms/r1", id="s1", status=status) for status in (404, 0))
    free = Room(2, 0, {"s1": "cancelled"}, 2)
    says = "/rooms/r1: reservation s1 was refused to be given back, and is cancelled"
    assert seats(free, refused) == [says]
    assert seats(free, unanswered) == seats(free, refused, unanswered) == []


def test_a_room_that_turned_somebody_away_and_never_was_full_is_counted():
    away = replace(wish("reserve-seat", "/rooms/r1", status=409, name="w7"), code="room-full")
    assert seats(ROOM, away) == ["/rooms/r1: w7 was told that it is full, which it never was"]
    assert seats(Room(1, 1, {"s1": "held"}, 0), away) == []


def test_a_seat_of_somebody_who_still_waits_for_an_answer_is_right():
    waiting = wish("reserve-seat", "/rooms/r1", status=0)
    assert seats(Room(2, 2, {"s1": "held", "s2": "held"}, 0), waiting) == []
