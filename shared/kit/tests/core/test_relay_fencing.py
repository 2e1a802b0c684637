"""No event is seen twice or out of order, whatever becomes of the process that published it."""

# pyright: reportPrivateUsage=false

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import pytest
import time_machine
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from tyrsky import clearing, finding
from tyrsky import relay as relaying
from tyrsky.deciding import Decider
from tyrsky.drafting import Ask
from tyrsky.holding import LOOK_SECONDS, LOOKS_MAX, Holders
from tyrsky.kafka_log import KafkaLog, KafkaSender
from tyrsky.producing import Message, lanes_of
from tyrsky.store import Claim, Store

from .room import OpenRoom, codec, room
from .test_relay import Rig, eventually, holder_of, nobody, rig, running
from .unmarked import UNMARKED, unmarked

__all__ = ["rig"]

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[4]
KEYS = [str(number).encode() for number in range(30)]


@asynccontextmanager
async def stopped_process(rig: Rig, room: UUID, moment: str) -> AsyncGenerator[int]:
    """A process that has saved a room's first event, and stands still; killed in the end."""
    arguments = [os.environ["MONGO_URI"], rig.database.name, rig.bootstrap, rig.topic, str(room), moment]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "shared.kit.tests.core.freezing", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        async with asyncio.timeout(30):
            while await process.stdout.readline() != b"stopped\n":
                pass
        yield process.pid
    finally:
        process.kill()
        await process.wait()


def in_order_and_once(sequences: list[int], last: int) -> bool:
    return sequences == list(range(1, last + 1))


@pytest.mark.parametrize("moment", ["ProduceRequest", "EndTxnRequest"])
async def test_a_relay_that_stood_still_publishes_nothing_behind_its_successor(rig: Rig, moment: str) -> None:
    room = uuid4()
    async with stopped_process(rig, room, moment) as pid, running(rig.relay()) as successor:
        await rig.quiet()  # taken over and published
        await rig.take_seats(successor.publish, room, "late", "later")
        await rig.quiet()
        os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(4)
        await rig.quiet()
        sequences = [sequence for _, sequence in await rig.read_all()]
    assert in_order_and_once(sequences, 3)


async def test_a_dead_process_s_open_transaction_holds_readers_up_for_seconds_only(rig: Rig) -> None:
    room, other = uuid4(), uuid4()
    async with running(rig.relay()) as relay:
        await holder_of(relay)
        async with stopped_process(rig, room, "EndTxnRequest"):
            pass
        await rig.open(relay.publish, other, seats=1)
        began = asyncio.get_running_loop().time()
        # The partition's messages are seen in their order: this one lies behind those of the open transaction.
        assert str(other) in {subject for subject, _ in await rig.read(1)}
        assert asyncio.get_running_loop().time() - began < LOOKS_MAX * LOOK_SECONDS + 4
        await rig.quiet()
    assert sorted(await rig.read_all()) == sorted([(str(room), 1), (str(other), 1)])


async def test_what_was_committed_and_not_cleared_is_seen_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = rig.relay()
    clear, failures = relay._clearer.clear, 2

    async def failing(name: str, claims: Sequence[Claim]) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise ConnectionError("the store was away, and the claims are Kafka's already")
        await clear(name, claims)

    monkeypatch.setattr(relay._clearer, "clear", failing)
    async with running(relay):
        await holder_of(relay)
        room = await rig.fill(relay.publish, 3)
        await rig.quiet()
    assert await rig.read_all() == [(str(room), sequence) for sequence in (1, 2, 3, 4)]


async def test_who_is_fenced_goes_on_under_another_id_and_others_are_not_disturbed(rig: Rig) -> None:
    async with running(rig.relay()) as one, running(rig.relay()) as two:
        first, second = await holder_of(one), await holder_of(two)
        await rig.fill(one.publish, 0)  # so that it has a transaction behind it
        await rig.quiet()
        await KafkaLog(rig.bootstrap, "kit-test").fence(lanes_of(first), [rig.topic])
        rooms = [await rig.fill(relay.publish, 1) for relay in (one, two, one)]
        await rig.quiet()
        assert await holder_of(one) != first
        assert await holder_of(two) == second
    read = await rig.read_all()
    for each in rooms:
        assert [sequence for subject, sequence in read if subject == str(each)] == [1, 2]


async def test_who_was_taken_for_dead_goes_on_under_another_id(rig: Rig) -> None:
    async with running(rig.relay()) as relay:
        first = await holder_of(relay)
        await KafkaLog(rig.bootstrap, "kit-test").fence(lanes_of(first), [rig.topic])
        await Holders(rig.database).forget(first)
        async with asyncio.timeout(10):
            while relay.claimant() in {first, None}:
                await asyncio.sleep(0.05)
        room = await rig.fill(relay.publish, 1)
        await rig.quiet()
    assert await rig.read_all() == [(str(room), 1), (str(room), 2)]


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_clock_that_jumps_matters_to_nobody(rig: Rig, minutes: int) -> None:
    async with running(rig.relay()) as one, running(rig.relay()) as two:
        await holder_of(one)
        await holder_of(two)
        room = await rig.fill(one.publish, 1)
        await rig.quiet()
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
            other = await rig.fill(one.publish, 1)
            left = await rig.fill(nobody, 1)  # by a process that died
            async with asyncio.timeout(6):
                await rig.quiet()
    read = await rig.read_all()
    for each in (room, other, left):
        assert [sequence for subject, sequence in read if subject == str(each)] == [1, 2]


async def test_a_claim_whose_save_seemed_to_fail_is_published(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "ORPHAN_SECONDS", 1)
    async with running(rig.relay()) as relay:
        await holder_of(relay)
        store = Store(rig.database, room, relay.claimant)
        id = uuid4()
        decider = Decider(store, codec(rig.topic), lambda claim: None)  # the reply was lost
        await decider.carry_out(Ask(OpenRoom(room_id=id, seats=1), uuid4(), "vaao"))
        await rig.quiet()
    assert await rig.read_all() == [(str(id), 1)]


async def test_what_kafka_does_not_take_is_in_nobodys_way(rig: Rig) -> None:
    big = await rig.fill(nobody, 0)
    await rig.store.collection.update_one({"_id": str(big)}, {"$set": {"outbox.0.body": "x" * 1_100_000}})
    async with running(rig.relay()):
        small = [await rig.fill(nobody, 1) for _ in range(20)]
        async with asyncio.timeout(25):
            while await rig.waiting() > 1:
                await asyncio.sleep(0.1)
    read = await rig.read_all()
    for each in small:
        assert [sequence for subject, sequence in read if subject == str(each)] == [1, 2]
    assert str(big) not in {subject for subject, _ in read}


async def test_a_relay_that_ends_leaves_no_trace(rig: Rig) -> None:
    async with running(rig.relay()) as relay:
        await rig.fill(relay.publish, 1)
    assert await rig.database["relays"].count_documents({}) == 0


async def test_who_publishes_nothing_notes_what_others_publish(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(rig.relay()) as idle:
        holder = await holder_of(idle)
        await rig.fill(idle.publish, 0)
        await rig.quiet()
        monkeypatch.setattr(relaying, "PLACES_SECONDS", 0.5)
        async with running(rig.relay()) as busy:
            await holder_of(busy)
            await rig.fill(busy.publish, 20)
            await rig.quiet()

            async def far() -> bool:  # or who takes over from it would have to read all of that
                return (await Holders(rig.database).places(holder))[rig.topic, 0] > 21

            await eventually(far)


async def test_partitions_that_were_added_meanwhile_are_read_too(rig: Rig) -> None:
    log = KafkaLog(rig.bootstrap, "kit-test")
    before = {(rig.topic, 0): 0}  # what a holder noted
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({rig.topic: NewPartitions(3)})
    finally:
        await admin.close()
    sender = await log.open("a-holder")
    try:
        sent = await sender.send([Message(rig.topic, key, b"{}", [("ce_sequence", b"1")]) for key in KEYS])
    finally:
        await sender.close()
    assert {number for (_, number), _ in sent} == {0, 1, 2}
    assert dict(await log.seen(before)) == {(rig.topic, key.decode()): 1 for key in KEYS}


@pytest.mark.xdist_group(UNMARKED)
@pytest.mark.parametrize("killed", [False, True])
async def test_what_kafka_left_open_is_ended_though_the_relay_was_told_that_all_is_well(
    rig: Rig, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the relay itself; or by who takes over from it, when it has no time for that."""
    monkeypatch.setattr(clearing, "HANGS_SECONDS", 3_600 if killed else 0.5)

    async with running(rig.relay()) as relay:
        first = await holder_of(relay)
        async with unmarked(rig.bootstrap, cast("KafkaSender", relay._sender).lanes):
            room = await rig.fill(relay.publish, 2)

            async def hangs() -> bool:
                return bool(relay._clearer._waiting) and not await rig.read_all()

            await eventually(hangs)
        if killed:
            relay.give_up()
        await rig.quiet()
        assert (await holder_of(relay) == first) is not killed
    assert await rig.read_all() == [(str(room), number) for number in (1, 2, 3)]
