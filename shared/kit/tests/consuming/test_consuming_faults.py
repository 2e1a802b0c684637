"""Consumers when things break: the store, the process, the group, the client. Nothing is lost, nothing done twice."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from tyrsky.boxes import box_id
from tyrsky.consuming import Consumers, kafka_broker
from tyrsky.dead_letters import DeadLetters
from tyrsky.policies import PolicyReaction

from .proxy import Proxy
from .rig import KAFKA, SETTINGS, Effects, Note, Rig, measured, noting, reach_projection, until, visit

pytestmark = pytest.mark.stack

NAMES = "abcdefgh"


@pytest.mark.parametrize("how", ["cut", "silent"])
async def test_the_store_goes_and_comes_back_and_nothing_was_committed_meanwhile(rig: Rig, proxy: Proxy, how: str):
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        f"mongodb://127.0.0.1:{proxy.port}", serverSelectionTimeoutMS=500, socketTimeoutMS=500
    )
    database = client[rig.service]
    effects, policies = Effects(database), noting()
    async with rig.instance(rig.policies(effects, policies), database=database) as consumers:
        await rig.say("a", 3)
        await until(lambda: len(effects.order) == 3)
        await until(lambda: rig.caught_up(policies.group))
        if how == "cut":
            await proxy.cut()
        else:
            proxy.silent = True
        for name in NAMES:
            await rig.say(name, 5)
        await until(lambda: policies.group in consumers.troubles())
        assert "store" in consumers.troubles()[policies.group]
        await asyncio.sleep(1)
        assert not await rig.caught_up(policies.group)
        if how == "cut":
            await proxy.open()
        else:
            proxy.silent = False
        await until(lambda: len(effects.order) == 43, seconds=30)
        await until(lambda: not consumers.troubles())
        await until(lambda: rig.caught_up(policies.group))
    await client.close()
    assert {name: effects.of(name) for name in NAMES} == {
        name: list(range(1, 9 if name == "a" else 6)) for name in NAMES
    }
    assert await rig.letters.counts() == []


async def test_when_everything_fails_the_consumer_pauses_rather_than_draining_the_topic(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    broken = True

    async def hinder(command: Note) -> None:
        if broken:
            raise OSError("the whole world")

    effects.hinder = hinder
    settings = SETTINGS.model_copy(update={"consumer_failures_in_row_max": 5})
    for name in (f"visit {n}" for n in range(40)):
        await rig.say(name)
    async with rig.instance(rig.policies(effects, policies), settings=settings) as consumers:
        await until(lambda: policies.group in consumers.troubles())
        assert "keys in a row failed: OSError" in consumers.troubles()[policies.group]
        await until(lambda: measured("consumer_paused", group=policies.group) == 1)
        await asyncio.sleep(2)
        kept = sum(count for *_, count in await rig.letters.counts())
        assert kept <= 5
        broken = False
        await until(lambda: len(effects.order) == 40, seconds=30)
        await until(lambda: not consumers.troubles())
    assert effects.repeats == 0


async def test_with_no_room_for_letters_the_consumer_waits_for_room(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    broken = True

    async def hinder(command: Note) -> None:
        if broken and command.visit_id == visit("a"):
            raise OSError("for the test")

    effects.hinder = hinder
    settings = SETTINGS.model_copy(update={"letters_a_key_max": 2, "parked_retries_max": 0})
    id = box_id(policies.group, rig.topic.name, str(visit("a")))
    async with rig.instance(rig.policies(effects, policies), settings=settings) as consumers:
        await rig.say("a", 6)
        await until(lambda: policies.group in consumers.troubles())
        assert id in consumers.troubles()[policies.group]
        box = await rig.letters.get(id)
        assert box
        assert box["count"] == 2
        broken = False
        await rig.letters.replay(id, datetime.now(UTC))
        await until(lambda: len(effects.order) == 6, seconds=30)
        await until(lambda: not consumers.troubles())
    assert effects.of("a") == [1, 2, 3, 4, 5, 6]


@asynccontextmanager
async def doomed(rig: Rig, reaction: PolicyReaction) -> AsyncGenerator[Consumers]:
    """A process that ends without a word: nothing finished, nothing committed, no good-bye to the group."""
    broker = kafka_broker(KAFKA, stop_seconds=5)
    letters = DeadLetters(rig.database, SETTINGS)
    consumers = Consumers(
        [reaction], broker=broker, bootstrap=KAFKA, letters=letters, codec=rig.codec, settings=SETTINGS
    )
    await broker.start()
    yield consumers
    (subscriber,) = broker.subscribers
    for task in subscriber.tasks:  # pyright: ignore
        task.cancel()
    coordinator = subscriber.consumer._coordinator  # pyright: ignore
    coordinator.generation = -1  # so that closing the client does not say good-bye
    await broker.stop()


async def test_a_process_that_dies_in_the_middle_of_a_batch(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    reached = asyncio.Event()

    async def hinder(command: Note) -> None:
        if command.sequence == 6:
            reached.set()
            await asyncio.sleep(60)

    effects.hinder = hinder
    for name in "abc":
        await rig.say(name, 10)
    async with doomed(rig, rig.policies(effects, policies)):
        await asyncio.wait_for(reached.wait(), 20)
        await until(lambda: len(effects.order) == 15)
    effects.hinder = None
    async with rig.instance(rig.policies(effects, policies)):
        await until(lambda: len(effects.order) == 30, seconds=40)  # the group notices after its session's time-out
    assert {name: effects.of(name) for name in "abc"} == {name: list(range(1, 11)) for name in "abc"}
    assert effects.repeats == 15


async def test_instances_come_and_go_in_the_middle_of_batches(rig: Rig):
    effects, policies, projection = Effects(rig.database), noting(), reach_projection()

    async def hinder(command: Note) -> None:
        await asyncio.sleep(0.005)

    effects.hinder = hinder
    settings = SETTINGS.model_copy(update={"consumer_batch_max": 20})
    talking = asyncio.create_task(_talk(rig, 25))
    for _ in range(2):
        async with rig.instance(rig.policies(effects, policies), rig.projection(projection), settings=settings):
            await asyncio.sleep(1)
            async with rig.instance(rig.policies(effects, policies), rig.projection(projection), settings=settings):
                await asyncio.sleep(2)
    await talking
    async with rig.instance(rig.policies(effects, policies), rig.projection(projection)):
        await until(lambda: len(effects.order) == 25 * len(NAMES), seconds=40)
        await until(lambda: rig.caught_up(policies.group, rig.projection().group), seconds=40)
    assert {name: effects.of(name) for name in NAMES} == {name: list(range(1, 26)) for name in NAMES}
    row = await rig.row()
    assert row
    assert (row.visits, row.sum_of_minutes) == (25 * len(NAMES), 325 * len(NAMES))
    assert await rig.letters.counts() == []


async def _talk(rig: Rig, rounds: int) -> None:
    for _ in range(rounds):
        for name in NAMES:
            await rig.say(name)
        await asyncio.sleep(0.25)


async def test_a_rebalance_waits_for_the_batch_in_hand(rig: Rig):
    effects, policies = Effects(rig.database), noting()

    async def hinder(command: Note) -> None:
        await asyncio.sleep(0.1)

    effects.hinder = hinder
    await rig.say("a", 30)
    async with rig.instance(rig.policies(effects, policies)):
        await until(lambda: effects.of("a"))
        async with rig.instance(rig.policies(effects, policies)):
            await until(lambda: rig.caught_up(policies.group))
    assert (effects.of("a"), effects.repeats) == (list(range(1, 31)), 0)


async def test_a_stop_finishes_what_is_in_hand_and_commits_it(rig: Rig):
    effects, policies = Effects(rig.database), noting()

    async def hinder(command: Note) -> None:
        await asyncio.sleep(0.1)

    effects.hinder = hinder
    await rig.say("a", 10)
    async with rig.instance(rig.policies(effects, policies)):
        await until(lambda: effects.of("a"))
    assert effects.of("a") == list(range(1, 11))
    assert await rig.caught_up(policies.group)


async def test_a_consumer_that_sits_still_before_messages_is_built_anew(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    settings = SETTINGS.model_copy(update={"consumer_stall_seconds": 2})
    async with rig.instance(rig.policies(effects, policies), settings=settings) as consumers:
        await rig.say("a", 2)
        await until(lambda: len(effects.order) == 2)
        (consumer,) = consumers.consumers
        hung = consumer._subscriber.consumer  # pyright: ignore
        hung.pause(*hung.assignment())  # pyright: ignore - it polls, and gets nothing, as in aiokafka#1154
        await rig.say("a", 2)
        await until(lambda: len(effects.order) == 4, seconds=30)
        assert consumer._subscriber.consumer is not hung  # pyright: ignore
    assert measured("consumer_rebuilds_total", group=policies.group) == 1
    assert (effects.of("a"), effects.repeats) == ([1, 2, 3, 4], 0)


async def test_an_instance_with_a_name_keeps_its_partitions_over_a_restart(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    settings = SETTINGS.model_copy(update={"consumer_instance": "pod-0"})
    for round in (1, 2):
        async with rig.instance(rig.policies(effects, policies), settings=settings):
            await rig.say("a", 2)
            await until(lambda round=round: len(effects.order) == 2 * round, seconds=30)
    assert (effects.of("a"), effects.repeats) == ([1, 2, 3, 4], 0)
