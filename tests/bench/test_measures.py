"""What the benchmarks measure: of what, by which clock, against which floor, and what counts as reached."""

import importlib
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer

from tests.bench import b1_commands, b2_hot, b3_relay, b4_clock, b7_growth
from tests.bench.__main__ import BENCHMARKS
from tests.bench.b3_sustained import Look, Sustained
from tests.bench.bench import Bench, Row
from tests.bench.companies import Known
from tests.bench.load import Driven

QUICK = Bench("", "", quick=True)


def test_each_benchmark_has_a_profile():
    modules = [importlib.import_module(f"tests.bench.{name}") for name in BENCHMARKS.values()]
    assert [module.__name__ for module in modules if not hasattr(module, "profile")] == []


async def test_each_command_of_b1_has_a_key_of_its_own(monkeypatch: pytest.MonkeyPatch):
    sent = list[bytes]()

    async def drive(port: int, requests: Sequence[bytes], *, connections: int) -> Driven:
        sent.extend(requests)
        return Driven(1.0, [])

    monkeypatch.setattr(b1_commands, "drive", drive)
    monkeypatch.setattr(b1_commands.companies, "took", lambda *_: None)  # pyright: ignore[reportUnknownLambdaType]
    known = [Known(f"company {number}") for number in range(20)]
    served: Any = SimpleNamespace(port=1, headers={})
    commands = b1_commands.Commands(QUICK, served, cast(Any, None), known, len(known), publishes=False)
    await commands.round()
    await commands.round()
    heads = [head.split(b"\r\n") for head in sent]
    keys = [line for lines in heads for line in lines if line.startswith(b"Idempotency-Key: ")]
    assert len(set(keys)) == len(keys) == 2 * len(known)


class Contended:
    """A document that somebody else has written in the first few moments."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.changes: list[Any] = []

    async def find_one(self, which: Any, fields: Any = None) -> Any:
        self.asked.append(fields)
        return {"version": 1, "state": {"reservations": {}}}

    async def update_one(self, which: Any, change: Any) -> Any:
        self.changes.append(change)
        return SimpleNamespace(matched_count=len(self.changes) == 3)


async def test_the_floor_of_b2_does_not_rest_and_writes_what_has_changed_alone(monkeypatch: pytest.MonkeyPatch):
    floor, none = Contended(), cast(Any, None)
    monkeypatch.setattr(b2_hot.asyncio, "sleep", none)  # who would rest fails
    rush = b2_hot.Rush(QUICK, cast(Any, {"floor": floor}), none, none, clients=1, places=1)
    await rush._swap("a room")  # pyright: ignore[reportPrivateUsage]
    assert floor.asked == [{"version": 1, "state": 1}] * 3
    for change in floor.changes:
        [held] = [name for name in change["$set"] if name.startswith("state")]
        assert held.startswith("state.reservations.")  # a seat, and not the state


def looked(waiting: Callable[[int], float], oldest: Callable[[int], float]) -> Sustained:
    """Half a minute at 500 commits a second, and what waited in each."""
    return Sustained(500.0, [Look(float(at), int(waiting(at)), oldest(at)) for at in range(5, 36)])


def some(at: int) -> float:
    return 90 + 60 * (at % 3)


def young(at: int) -> float:
    return 0.2 + 0.1 * (at % 2)


def more_and_more(at: int) -> float:
    return some(at) + 10 * at


def older_and_older(at: int) -> float:
    return young(at) + 0.1 * at


def one(at: int) -> float:
    return 1


def test_a_relay_behind_which_nothing_piles_up_keeps_up():
    row = b3_relay.keeps_up([looked(some, young)] * 3)
    assert row.met is True
    assert row.ratio == "1.00"


@pytest.mark.parametrize(
    ("waiting", "oldest"),
    [
        (more_and_more, young),
        (some, older_and_older),
        (one, float),  # for ever
    ],
)
def test_a_relay_behind_which_it_piles_up_does_not_keep_up_though_in_one_run_alone(
    waiting: Callable[[int], float], oldest: Callable[[int], float]
):
    assert b3_relay.keeps_up([looked(some, young), looked(waiting, oldest)]).met is False


def test_what_is_told_of_a_relay_is_how_much_more_waits():
    row = b3_relay.keeps_up([looked(lambda at: 100 * at, lambda at: 0.1 * at)])
    assert row.ratio == "0.80"  # of 500 a second 400 got out
    assert row.measure == "400/s; +3,000 outboxes wait, the oldest +3.0 s longer (at most 3,500, 3.5 s)"


async def test_the_clock_of_b4_runs_from_the_first_records_to_the_last_commit(monkeypatch: pytest.MonkeyPatch):
    answers: list[Any] = [{}, {"a partition": ["a record"]}, {}]
    moments = [10]

    async def getmany(*_: object) -> Any:
        moments.append(moments[-1] + 1)
        return answers.pop(0)

    async def commit(*_: object) -> None:
        moments.append(moments[-1] + 1)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", getmany)
    monkeypatch.setattr(AIOKafkaConsumer, "commit", commit)
    monkeypatch.setattr(b4_clock, "time", SimpleNamespace(perf_counter=lambda: moments[-1]))
    clock, consumer = b4_clock.Clock(), cast(AIOKafkaConsumer, None)
    with clock.runs():
        while answers:
            await AIOKafkaConsumer.getmany(consumer)
        await AIOKafkaConsumer.commit(consumer)
        await AIOKafkaConsumer.commit(consumer)
    assert (clock.first_at, clock.last_at) == (12, 15)


def grown(name: str, smallest: Sequence[float], largest: Sequence[float]) -> Row:
    """The row of one thing in two stores, where all else was the same in all runs."""
    names = ("commands", "by id", "by id, bare", "filtered", "filtered, bare", "by name", "by name, bare")
    others = {each: [10.0] * len(smallest) for each in names}
    stores = [{**others, name: each} for each in (smallest, largest)]
    return b7_growth.rows([1_000, 100_000], stores)[["commands", "by id", "filtered"].index(name)]


@pytest.mark.parametrize(("largest", "met"), [(100, True), (90, True), (89, False), (130, True)])
def test_flat_is_within_what_counts_as_repeatable(largest: float, met: bool):
    assert grown("commands", [100] * 3, [largest] * 3).met is met


def test_runs_that_lie_too_far_apart_do_not_tell_whether_it_is_flat():
    assert grown("by id", [100] * 3, [95, 85, 75]).met is None
    assert grown("by id", [100] * 3, [80, 70, 60]).met is False


@pytest.mark.parametrize(("milliseconds", "met"), [(167, True), (183, True), (184, False), (9_000, False)])
def test_a_list_by_an_index_takes_longer_as_the_logarithm_does(milliseconds: float, met: bool):
    listed = grown("filtered", [100] * 3, [milliseconds] * 3)
    assert "1.67 times, within 10%" in listed.goal
    assert listed.met is met
    assert "1.00 times as long" in listed.floor
