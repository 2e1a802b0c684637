"""Who takes over from a relay that is no more, of several that could."""

# pyright: reportPrivateUsage=false

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from tyrsky.clearing import Clearer
from tyrsky.finding import REST_SECONDS_MAX, Finder
from tyrsky.holding import Holders
from tyrsky.kafka_log import KafkaLog, KafkaSender
from tyrsky.relay import Relay

from tests.simulation import domain
from tests.simulation.loop import RUNNING_IN, Process
from tests.simulation.network import Direct
from tests.simulation.producer import MemoryProducer
from tests.simulation.scene import Scene, opened
from tests.simulation.store import Server

PLACES_SECONDS = 2.0

SINCE = {"outbox_since": datetime(2026, 1, 1, tzinfo=UTC)}


async def dies_with_an_event_to_clear(scene: Scene, decider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one has published it, and is killed before it takes it out of the outbox."""

    async def wait(self: Any, sender: Any) -> bool:
        await asyncio.sleep(600)
        return False

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Clearer, "_round", wait)
        await scene.loop.spawn(scene.one, opened(decider, 0, 1, 1.0))
        scene.one.dead = True


@pytest.mark.parametrize("others", [2, 4])
def test_several_that_a_slow_kafka_keeps_long_do_not_fence_each_other_for_ever(
    others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fenced the producers with which another was just fencing, and none came to its end."""
    scene = Scene(others)

    def slow(name: str, sender: Process | None) -> float:
        return scene.dice.uniform(0.25, 0.35)

    async def happens(scene: Scene) -> None:
        decider = await scene.begin(scene.one)
        for number in range(others):
            await scene.begin(Process(f"other {number}"))
        await dies_with_an_event_to_clear(scene, decider, monkeypatch)
        scene.to_broker.ambush = slow
        await asyncio.sleep(20)
        assert await scene.database["rooms"].count_documents({"lease_by": {"$exists": True}}) == 0

    assert scene.lost(happens) == []


def test_what_a_newer_version_keeps_is_taken_over_by_an_older_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It forgot the holder, and left its claims where it has no aggregates itself: those were published again."""
    scene = Scene(1)

    async def happens(scene: Scene) -> None:
        decider = await scene.begin(scene.one)
        older = Relay(scene.database, KafkaLog("simulated", "older"), "older")
        older.watch("trays")
        await scene.loop.spawn(scene.other, older.start())
        await dies_with_an_event_to_clear(scene, decider, monkeypatch)
        await asyncio.sleep(20)
        assert await scene.database["relays"].count_documents({}) == 1
        await scene.begin(Process("newer"))

    assert scene.lost(happens) == []


def test_who_cannot_take_over_leaves_it_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of an older version that does not know what to make of the holder, say."""
    scene, failed = Scene(1), list[str]()
    take_over: Any = Finder._take_over

    async def unable(self: Any, holder: str) -> bool:
        process = RUNNING_IN.get()
        if process is scene.other:
            failed.append(holder)
            raise KeyError("places")
        return await take_over(self, holder)

    monkeypatch.setattr(Finder, "_take_over", unable)

    async def happens(scene: Scene) -> None:
        decider = await scene.begin(scene.one)
        await scene.begin(scene.other)
        await dies_with_an_event_to_clear(scene, decider, monkeypatch)
        while not failed:
            await asyncio.sleep(0.1)
        await scene.begin(Process("able"))
        await asyncio.sleep(20)
        assert await scene.database["rooms"].count_documents({"lease_by": {"$exists": True}}) == 0

    assert scene.lost(happens) == []


async def test_who_takes_over_does_so_until_it_is_given_up_itself() -> None:
    database: Any = Server().client()["x"]
    holders = Holders(database)
    for each in ("gone", "one", "other"):
        await holders.register(each, [])
    assert await holders.give_up("gone", "one")
    assert not await holders.give_up("gone", "other")
    assert await holders.give_up("gone", "one")  # once more: the first answer was lost
    await holders.pass_on("gone", "one")
    assert await holders.give_up("gone", "other")
    await holders.pass_on("gone", "one")
    assert not await holders.give_up("gone", "one")
    await holders.pass_on("gone", "other")
    assert await holders.give_up("gone", "one")
    assert await holders.give_up("one", "other")
    assert await holders.give_up("gone", "other")
    assert not await holders.is_held("gone")
    assert await holders.give_up("forgotten", "one")
    assert await holders.give_up("forgotten", "other")


def test_a_relay_whose_run_was_ended_in_the_middle_goes_on_as_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client's own cancellation came out of a sending. The next run noted where the topic ends, though nobody knew of
    what had been sent, and that was published again."""
    monkeypatch.setattr("tyrsky.relay.PLACES_SECONDS", PLACES_SECONDS)
    scene, ended = Scene(1), 0
    send: Any = KafkaSender.send

    async def cut_off(self: KafkaSender, messages: Any) -> Any:
        nonlocal ended
        places = await send(self, messages)
        ended += 1
        if ended == 2:
            raise asyncio.CancelledError
        return places

    monkeypatch.setattr(KafkaSender, "send", cut_off)

    async def happens(scene: Scene) -> None:
        decider = await scene.begin(scene.one)
        await scene.loop.spawn(scene.one, opened(decider, 0, 2, 1.0))
        await asyncio.sleep(PLACES_SECONDS + 2)

    assert scene.lost(happens) == []
    assert ended >= 2


def test_what_others_have_open_holds_up_who_takes_over_and_not_who_looks() -> None:
    """What nobody had claimed waited for 15 s, also where it was bound for another partition."""
    scene = Scene(1)

    async def happens(scene: Scene) -> None:
        decider, rooms = await scene.begin(scene.one), scene.database["rooms"]
        await scene.begin(scene.other)
        await scene.loop.spawn(scene.one, opened(decider, 0, 1, 1.0))
        foreign = MemoryProducer(scene.broker, Direct(), transactional_id="x", transaction_timeout_ms=3_600_000)
        await foreign.start()
        await foreign.begin_transaction()
        await foreign.send_and_wait(domain.ROOMS, b"", partition=0)
        scene.one.dead = True
        for number in range(10):
            entry = {"topic": domain.BADGES, "sequence": 1, "headers": {"ce_id": "1", "ce_type": "t"}, "body": "{}"}
            await rooms.insert_one({"_id": f"{number}", "version": 1, "lease_token": "", "outbox": [entry], **SINCE})
            async with asyncio.timeout(REST_SECONDS_MAX + 1):
                while await rooms.count_documents({"_id": f"{number}", "outbox": {"$ne": []}}):
                    await asyncio.sleep(0.1)
        await rooms.delete_many({"_id": {"$in": [f"{number}" for number in range(10)]}})
        await foreign.abort_transaction()

    assert scene.lost(happens) == []
