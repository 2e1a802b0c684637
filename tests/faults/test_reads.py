"""What people are shown never goes back: made-up looks with one flaw each must each be counted."""

from dataclasses import replace

from tests.faults import reads
from tests.faults.ledger import Look
from tests.faults.test_invariants import VISIT, wish

MOVED = replace(wish("move-visit", VISIT, version=2, id="v1"), asked_at=1, answered_at=2)


def look(version: int, asked_at: float, answered_at: float) -> Look:
    return Look(VISIT, "c2", version, asked_at, answered_at)


def test_who_asks_after_an_acknowledgement_sees_it():
    assert reads.shown_goes_on([MOVED], [look(2, 3, 4), look(3, 5, 6)]).holds
    stale = reads.shown_goes_on([MOVED], [look(1, 3, 4)])
    assert stale.wrong == [f"{VISIT}: c2 was shown version 1, after somebody had been told of 2"]
    assert stale.also == {"versions shown": 2}


def test_who_asked_before_it_was_told_may_see_either():
    assert reads.shown_goes_on([MOVED], [look(1, 1.5, 4)]).holds
    assert reads.shown_goes_on([MOVED], [look(2, 0, 1)]).holds


def test_what_one_was_shown_the_next_is_shown_too():
    assert reads.shown_goes_on([], [look(5, 1, 2), look(4, 1.5, 3)]).holds
    assert len(reads.shown_goes_on([], [look(5, 1, 2), look(4, 3, 4)]).wrong) == 1


def test_what_was_there_and_is_not_found_is_counted():
    assert len(reads.shown_goes_on([MOVED], [look(0, 3, 4)]).wrong) == 1
    assert reads.shown_goes_on([], [look(0, 3, 4)]).holds


def test_an_answer_shows_too_but_a_repeated_wish_is_answered_as_it_was_the_first_time():
    later = replace(wish("tag-visit", VISIT, version=1, id="v1"), asked_at=3, answered_at=4)
    assert len(reads.shown_goes_on([MOVED, later], []).wrong) == 1
    assert reads.shown_goes_on([MOVED, replace(later, tries=2)], []).holds
    assert reads.shown_goes_on([MOVED, replace(later, replayed=True)], []).holds
