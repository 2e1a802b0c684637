"""Read models as folds (no server), and their rows in the store."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.aggregate import State
from tyrsky.deliveries import Edition
from tyrsky.projecting import Kept, Projection
from tyrsky.rows import Shelf, Shelves
from tyrsky_contracts.companies import VisitRecorded
from tyrsky_contracts.event import Envelope, Event

from .rig import NOON, Reach, Rig, about, delivery, reach_projection, recorded

Database = AsyncDatabase[dict[str, Any]]


def folded(*heard: tuple[str, int]) -> Kept[Reach]:
    projection, kept = reach_projection(), Kept[Reach]()
    for name, sequence in heard:
        event = recorded(name, sequence)
        kept = projection.fold(kept, event, about(name, sequence, event))
    return kept


def test_a_row_remembers_how_far_it_read_each_subject():
    kept = folded(("a", 1), ("b", 4), ("a", 3))
    assert kept.row == Reach(visits=3, sum_of_minutes=8, last_at=NOON + timedelta(minutes=4))
    assert sorted(kept.sequences.values()) == [3, 4]


def test_what_is_in_the_row_changes_it_no_more():
    kept = folded(("a", 1), ("a", 2))
    event = recorded("a", 1)
    assert reach_projection().fold(kept, event, about("a", 1, event)) is kept


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 6)), max_size=30))
def test_redelivery_in_any_batches_comes_to_the_same(repeats: list[tuple[str, int]]):
    """Kafka delivers a subject's events in order, and after a rebalance again from an earlier one."""
    in_order = [(name, sequence) for name in "abc" for sequence in range(1, 7)]
    again: list[tuple[str, int]] = []
    for name, sequence in in_order:
        again.append((name, sequence))
        again += [(of, number) for of, number in repeats if of == name and number <= sequence]
    assert folded(*again) == folded(*in_order)


def test_an_event_may_take_the_row_away_and_a_later_one_bring_it_back():
    projection = Projection("reach", Reach, key=lambda event: event.business_id)

    @projection.on(VisitRecorded)
    def forget(row: Reach, event: VisitRecorded, about: Envelope) -> Reach | None:
        return row.but(visits=row.visits + 1) if about.sequence != 2 else None

    kept = Kept[Reach]()
    rows = [(kept := projection.fold(kept, recorded("a", n), about("a", n, recorded("a", n)))).row for n in (1, 2, 3)]
    assert rows == [Reach(visits=1), None, Reach(visits=1)]


def test_rows_begin_empty_so_their_fields_have_defaults():
    class Needy(State):
        name: str

    with pytest.raises(ValueError, match="name"):
        Projection("needy", Needy, key=lambda event: event)


def test_an_event_is_folded_once_and_in_its_newest_version():
    class Old(VisitRecorded, type="tyrsky.visit.recorded.v9"):
        def upcast(self) -> Event:
            return recorded("a", 1)

    with pytest.raises(TypeError, match="retired"):
        reach_projection().on(Old)
    with pytest.raises(TypeError, match="twice"):
        reach_projection().on(VisitRecorded)


@pytest.mark.stack
async def test_a_batch_is_folded_and_written_at_once(rig: Rig):
    shelf = Shelves(rig.database, reach_projection()).shelf(Edition(0, "reach"))
    queues = {name: [delivery(name, n) for n in range(1, 21)] for name in "abc"}
    assert (await shelf.fold(queues, "g")).count == 60
    digest = await shelf.digest()
    assert (await shelf.fold(queues, "g")).count == 60
    assert await shelf.digest() == digest
    row = (await shelf.get(["1234567-1"]))["1234567-1"]
    assert (row[0].row, row[1]) == (Reach(visits=60, sum_of_minutes=630, last_at=NOON + timedelta(minutes=20)), 1)


@pytest.mark.stack
async def test_an_instance_that_lost_its_partitions_cannot_move_a_row_back(rig: Rig):
    """It read the row, slept, and writes what it made of it after another instance wrote."""
    shelf = Shelves(rig.database, reach_projection()).shelf(Edition(0, "reach"))
    await shelf.fold({"a": [delivery("a", 1)]}, "g")

    class Sleepy(Shelf[Reach]):
        slept = False

        async def put(self, rows: Any) -> bool:
            if not self.slept:
                self.slept = True
                await shelf.fold({"a": [delivery("a", 2), delivery("a", 3)], "b": [delivery("b", 1)]}, "g")
            return await super().put(rows)

    taken = await Sleepy(shelf.collection, reach_projection()).fold({"a": [delivery("a", 2)]}, "g")
    row, _ = (await shelf.get(["1234567-1"]))["1234567-1"]
    assert taken.count == 1
    assert row.row == Reach(visits=4, sum_of_minutes=7, last_at=NOON + timedelta(minutes=3))


@pytest.mark.stack
async def test_two_that_write_the_same_row_for_the_first_time_both_count(rig: Rig):
    first, second = (Shelves(rig.database, reach_projection()).shelf(Edition(0, "reach")) for _ in "12")

    class Late(Shelf[Reach]):
        async def put(self, rows: Any) -> bool:
            if not await self.collection.count_documents({}):
                await first.fold({"a": [delivery("a", 1)]}, "g")
            return await super().put(rows)

    await Late(second.collection, reach_projection()).fold({"b": [delivery("b", 1)]}, "g")
    row, version = (await first.get(["1234567-1"]))["1234567-1"]
    assert (row.row and row.row.visits, version) == (2, 2)


@pytest.mark.stack
async def test_a_fold_that_fails_stops_its_key_alone_and_what_went_before_is_written(rig: Rig):
    projection = Projection("reach", Reach, key=lambda event: event.business_id)

    @projection.on(VisitRecorded)
    def picky(row: Reach, event: VisitRecorded, about: Envelope) -> Reach:
        return row.but(visits=row.visits + 1 // (about.sequence != 2 or event.business_id != "7654321-1"))

    shelf = Shelves(rig.database, projection).shelf(Edition(0, "reach"))
    bad = [delivery("a", n, company="7654321-1") for n in (1, 2, 3)]
    taken = await shelf.fold({"a": bad, "b": [delivery("b", 1), delivery("b", 2)]}, "g")
    assert (taken.count, taken.failures["a"].index) == (3, 1)
    rows = await shelf.get(["7654321-1", "1234567-1"])
    assert {key: kept.row and kept.row.visits for key, (kept, _) in rows.items()} == {"7654321-1": 1, "1234567-1": 2}


@pytest.mark.stack
async def test_any_subject_may_be_a_fields_name(rig: Rig):
    shelf = Shelves(rig.database, reach_projection()).shelf(Edition(0, "reach"))
    subjects = {"a.b": 1, "$a": 2, "%2E": 3, "a/b c": 4}
    assert await shelf.put({"k": (Kept(Reach(), subjects), 0)})
    assert (await shelf.get(["k"]))["k"][0].sequences == subjects


@pytest.mark.stack
async def test_only_one_of_two_rebuilds_becomes_the_edition(rig: Rig):
    shelves = Shelves(rig.database, reach_projection())
    assert await shelves.publish(Edition(1, "reach_edition_1_x", {("t", 0): 5}))
    assert not await shelves.publish(Edition(1, "reach_edition_1_y"))
    assert await shelves.publish(Edition(2, "reach_edition_2_x", {("t", 0): 9}))
    assert not await shelves.publish(Edition(2, "reach_edition_2_z"))
    assert await shelves.current() == Edition(2, "reach_edition_2_x", {("t", 0): 9})
