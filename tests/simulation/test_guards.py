"""The guards on which decision 61 rests, each at the moment for which it is there: chance seldom brings that about.

A relay has an event published whose mark Kafka has left out, and the next transaction of the same id in that partition
is aborted, and the event with it. Readers then wait no more, and the relay must not take that for seen."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import pytest
from tyrsky.holding import Holders
from tyrsky.kafka_log import KafkaSender
from tyrsky.producing import Partition, Places

from tests.simulation.loop import Process
from tests.simulation.scene import Scene, opened

SEEDS, MANY = 40, 400


async def overtaken(scene: Scene) -> None:
    """One stands still, and goes on just as the other is about to fence it."""
    decider = await scene.begin(scene.one)
    await scene.begin(scene.other)
    await scene.loop.spawn(scene.one, opened(decider, 0, 1, 1.0))
    going_on: asyncio.Future[asyncio.Task[None]] = scene.loop.create_future()

    def ambush(name: str, sender: Process | None) -> float:
        if name != "kafka.begin" or sender is not scene.other:
            return 0.0
        scene.to_broker.ambush = None
        leave_out = partial(setattr, scene.broker, "leaves_out", lambda _: True)  # pyright: ignore
        scene.loop.call_later(0.45 + scene.dice.random() * 0.15, leave_out)
        scene.loop.thaw(scene.one)
        going_on.set_result(scene.loop.spawn(scene.one, opened(decider, 1, 40, 0.01)))
        return 0.6

    scene.to_broker.ambush = ambush
    scene.one.frozen = True
    await (await going_on)
    scene.broker.leaves_out = None


async def stands(scene: Scene) -> None:
    """One stands still in a transaction for longer than Kafka lets it be open."""
    scene.to_broker.weather.late = 0.0  # so that it may ask what is seen before it notices how late it is
    decider = await scene.begin(scene.one)
    await scene.loop.spawn(scene.one, opened(decider, 0, 1, 1.0))
    scene.broker.leaves_out = lambda _: True
    await scene.loop.spawn(scene.one, opened(decider, 1, 2, 0.1 + scene.dice.random() * 0.2))

    def ambush(name: str, sender: Process | None) -> float:
        if name == "kafka.produce":
            scene.to_broker.ambush = None
            scene.one.frozen = True
        return 0.0

    scene.to_broker.ambush = ambush
    saving = scene.loop.spawn(scene.one, opened(decider, 3, 1, 0))
    await asyncio.sleep(15)
    scene.loop.thaw(scene.one)
    await saving


def lost_within(happens: Callable[[Scene], Awaitable[None]], most: int) -> int:
    """How many seeds it takes to lose an event."""
    return next((seed + 1 for seed in range(most) if Scene(seed).lost(happens)), most + 1)


@pytest.mark.parametrize("happens", [overtaken, stands])
def test_nothing_is_lost(happens: Callable[[Scene], Awaitable[None]]) -> None:
    assert lost_within(happens, SEEDS) > SEEDS


@pytest.mark.slow
@pytest.mark.parametrize("happens", [overtaken, stands])
def test_nothing_is_lost_in_many_runs(happens: Callable[[Scene], Awaitable[None]]) -> None:
    assert lost_within(happens, MANY) > MANY


@pytest.mark.slow
def test_it_is_where_a_holder_is_fenced_and_not_given_up_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async def give_up(self: Any, holder: str, to: str) -> bool:
        """Whoever goes on before the fence does not know."""
        return True

    monkeypatch.setattr(Holders, "give_up", give_up)
    assert lost_within(overtaken, MANY) <= MANY


def test_it_is_where_any_offset_is_taken_for_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stable(self: Any, partitions: Iterable[Partition]) -> Places:
        return await self._ends(partitions)

    monkeypatch.setattr(KafkaSender, "stable", stable)
    assert lost_within(stands, SEEDS) <= SEEDS


def test_it_is_where_no_transaction_is_open_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    stable: Any = KafkaSender.stable

    async def timeless(self: Any, partitions: Iterable[Partition]) -> Places:
        since, self._open_since = self._open_since, None
        try:
            return await stable(self, partitions)
        finally:
            self._open_since = since

    monkeypatch.setattr(KafkaSender, "stable", timeless)
    assert lost_within(stands, SEEDS) <= SEEDS
