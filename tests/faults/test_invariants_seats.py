"""I6: rooms with one flaw each, made up, must each be counted; rooms without one must pass."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from tests.faults import reserved
from tests.faults.ledger import Wish
from tests.faults.looking import Room
from tests.faults.test_invariants import wish

RESERVED = wish("reserve-seat", "/rooms/r1", id="s1", room={})
ROOM = Room(2, 1, {"s1": "held"}, left_shown=1)


def seats(room: Room, *wishes: Wish) -> Sequence[str]:
    return reserved.seats_exact([RESERVED, *wishes], {"r1": room}).wrong


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


class Through(list[Wish]):
    """Knows how often it was gone through."""

    times = 0

    def __iter__(self) -> Iterator[Wish]:
        self.times += 1
        return super().__iter__()


def test_wishes_are_gone_through_once_however_many_rooms_there_are():
    wishes = Through([RESERVED])
    verdict = reserved.seats_exact(wishes, {"r1": ROOM} | {f"r{number}": Room(1, 0, {}, 1) for number in range(2, 9)})
    assert verdict.holds
    assert wishes.times == 1


def test_a_seat_that_was_given_back_and_is_held_is_counted():
    cancelled = wish("cancel-seat", "/rooms/r1", id="s1")
    assert seats(ROOM, cancelled) == ["/rooms/r1: reservation s1 was given back, and is held"]


def test_a_seat_that_was_refused_to_be_given_back_and_is_free_is_counted():
    refused, unanswered = (wish("cancel-seat", "/rooms/r1", id="s1", status=status) for status in (404, 0))
    free = Room(2, 0, {"s1": "cancelled"}, 2)
    says = "/rooms/r1: reservation s1 was refused to be given back, and is cancelled"
    assert seats(free, refused) == [says]
    assert seats(free, unanswered) == seats(free, refused, unanswered) == []


def at(one: Wish, asked_at: float, answered_at: float, code: str = "") -> Wish:
    return replace(one, asked_at=asked_at, answered_at=answered_at, code=code)


AWAY = at(wish("reserve-seat", "/rooms/r1", status=409, name="w7"), 4, 5, "room-full")
GUEST = at(RESERVED, 1, 2)
FREE = at(wish("cancel-seat", "/rooms/r1", id="s1"), 2, 3)
FULL = "/rooms/r1: w7 was told that it is full, when at most {} of {} seats were taken"


def turned_away(room: Room, *wishes: Wish) -> Sequence[str]:
    return reserved.seats_exact(wishes, {"r1": room}).wrong


def test_a_room_that_turned_somebody_away_and_never_was_full_is_counted():
    assert turned_away(ROOM, GUEST, AWAY) == [FULL.format(1, 2)]
    assert turned_away(Room(1, 1, {"s1": "held"}, 0), GUEST, AWAY) == []


def test_a_seat_that_was_given_back_before_somebody_asked_does_not_fill_a_room():
    free = Room(1, 0, {"s1": "cancelled"}, 1)
    assert turned_away(free, GUEST, FREE, AWAY) == [FULL.format(0, 1)]
    for meanwhile in (at(FREE, 2, 4.5), at(FREE, 4.5, 6), at(FREE, 3, 4)):
        assert turned_away(free, GUEST, meanwhile, AWAY) == []


def test_a_seat_that_was_asked_for_meanwhile_fills_a_room_and_one_asked_for_later_does_not():
    full = Room(1, 1, {"s1": "held"}, 0)
    assert turned_away(full, at(RESERVED, 4.5, 6), AWAY) == []
    assert turned_away(full, at(RESERVED, 5.5, 6), AWAY) == [FULL.format(0, 1)]


def test_two_who_held_a_seat_one_after_the_other_do_not_fill_a_room_of_two():
    room = Room(2, 0, {"s1": "cancelled", "s2": "cancelled"}, 2)
    other = at(wish("reserve-seat", "/rooms/r1", id="s2", room={}), 4.8, 4.9)
    freed = at(wish("cancel-seat", "/rooms/r1", id="s2"), 6, 7)
    assert turned_away(room, GUEST, at(FREE, 2, 4.5), other, freed, AWAY) == [FULL.format(1, 2)]
    assert turned_away(room, GUEST, at(FREE, 2, 4.85), other, freed, AWAY) == []


def test_who_never_was_answered_fills_a_room_only_with_a_seat_that_is_there():
    lost = at(wish("reserve-seat", "/rooms/r1", status=0), 1, 0)
    assert turned_away(Room(1, 1, {"s9": "held"}, 0), lost, AWAY) == []
    assert turned_away(Room(1, 0, {}, 1), lost, AWAY) == [FULL.format(0, 1)]


def test_a_seat_of_somebody_who_still_waits_for_an_answer_is_right():
    waiting = wish("reserve-seat", "/rooms/r1", status=0)
    assert seats(Room(2, 2, {"s1": "held", "s2": "held"}, 0), waiting) == []
