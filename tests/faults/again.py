"""F6 and F7: what was taken long ago comes again, and changes nothing: no state, no mail, no call."""

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.faults import looking
from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.looking import OURS
from tests.faults.rig import SETTLE_SECONDS, Rig
from tests.faults.standing import Standing, rebuilt_otherwise, standing

REST_SECONDS = 180
DONE_SECONDS = 240
MESSAGES_EACH = 1_000
MESSAGES_A_SECOND = 100
"""How many a service has to take again at least, all its groups together. Up to 30 s of that are a fault like any."""


@dataclass(frozen=True)
class Raw:
    """A message as it lies on its topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


async def offsets_back(rig: Rig, random: Random, amount: int) -> Outcome:
    """F6: set the offsets of a service's groups to the beginning, as an operator does; it takes all of it again."""
    services = [service for service in rig.services if _groups(rig, service)]
    turns = random.sample(services, len(services))
    wrong, again = list[str](), 0
    for number in range(amount):
        service = turns[number % len(turns)]
        await asyncio.sleep(random.uniform(2, 5))
        async with _at_rest(rig) as before:
            names = [name for name, process in (await rig.processes()).items() if process.pid]
            running = [name for name in rig.layout.instances(service) if name in names]
            for name in running:
                await rig.stop(name)
            messages = sum([await _wind_back(rig, group) for group in _groups(rig, service)])
            rig.fault_ended()  # starting is part of coming to rest
            for name in running:
                await rig.start(name)
            await _taken(rig, f"F6, {messages} messages to {service}", messages)
            again += messages
            wrong += [f"{service} from the beginning: {each}" for each in await _changed(rig, before)]
    wrong += await _rebuilt(rig)
    return Outcome({"messages taken again": again}, tuple(wrong), times=amount)


async def shuffled(rig: Rig, random: Random, amount: int) -> Outcome:
    """F7: write messages again, in order within a key and shuffled across keys."""
    wrong, written = list[str](), 0
    for _ in range(amount):
        await asyncio.sleep(random.uniform(2, 5))
        async with _at_rest(rig) as before:
            messages = shuffled_across_keys(await _some(rig, random), random)
            await _write(rig, messages)
            rig.fault_ended()
            await _taken(rig, f"F7, {len(messages)} messages", len(messages))
            written += len(messages)
            wrong += [f"shuffled: {each}" for each in await _changed(rig, before)]
    wrong += await _rebuilt(rig)
    return Outcome({"messages written again": written}, tuple(wrong), times=amount)


@asynccontextmanager
async def _at_rest(rig: Rig) -> AsyncGenerator[Standing]:
    """Nobody asks for anything and all is done: how it stands then. Afterwards people work on."""
    if await rig.settle(REST_SECONDS) > REST_SECONDS:
        raise NotDone(f"not at rest after {REST_SECONDS} s: {await rig.unsettled()}")
    await _effects_done(rig)
    try:
        yield await standing(rig)
    finally:
        rig.load.resume()


async def _taken(rig: Rig, what: str, messages: int) -> None:
    """Wait until all of it was taken, since the end of the fault; I5 judges how long that was."""
    allowed = allowed_for(messages)
    took = await rig.settle(allowed + DONE_SECONDS, since=rig.ended_at)
    rig.rested(what, took, allowed)
    if took == math.inf:
        raise NotDone(f"not taken after {allowed + DONE_SECONDS:.0f} s: {await rig.unsettled()}")
    await _effects_done(rig)


def allowed_for(messages: int) -> float:
    """How long rest may take when so many messages come once more, for each group that reads them."""
    return max(SETTLE_SECONDS, messages / MESSAGES_A_SECOND)


async def _effects_done(rig: Rig) -> None:
    """Wait until nothing is due outside: a mail, a call."""
    async with asyncio.timeout(DONE_SECONDS):
        while await rig.due():
            await asyncio.sleep(0.5)


async def _changed(rig: Rig, before: Standing) -> tuple[str, ...]:
    return (await standing(rig)).differs_from(before)


async def _rebuilt(rig: Rig) -> list[str]:
    async with _at_rest(rig) as now:
        return await rebuilt_otherwise(rig, now.read_models)


def _groups(rig: Rig, service: str) -> list[str]:
    return [group for group in rig.layout.groups if group.startswith(f"{service}-")]


async def _wind_back(rig: Rig, group: str) -> int:
    """Set a group without members to the beginning; how many messages it will take again."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=rig.layout.bootstrap,
        group_id=group,
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        partitions = await looking.partitions_of(rig.layout.bootstrap, rig.layout.groups[group])
        consumer.assign(partitions)
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        await consumer.commit(begins)
        for at in partitions:
            if await consumer.committed(at) != begins[at]:
                raise NotDone(f"{group} is not at the beginning of {at}")
        return sum(ends[at] - begins[at] for at in partitions)
    finally:
        await consumer.stop()


async def _some(rig: Rig, random: Random) -> list[Raw]:
    """All messages of some keys, by dice: at most about MESSAGES_EACH."""
    by_key: defaultdict[tuple[str, bytes], list[Raw]] = defaultdict(list)
    async for each in looking.messages(rig.layout.bootstrap, rig.layout.topics):
        if each.key is not None:
            by_key[each.topic, each.key].append(Raw(each.topic, each.key, each.value, list(each.headers)))
    chosen = list[Raw]()
    for key in random.sample(sorted(by_key), len(by_key)):
        if len(chosen) < MESSAGES_EACH:
            chosen += by_key[key]
    if not chosen:
        raise NotDone("there is no message to be written again")
    return chosen


def shuffled_across_keys(messages: Sequence[Raw], random: Random) -> list[Raw]:
    """Another order across keys, the same within each: whose turn it is is drawn, message by message."""
    queues: defaultdict[tuple[str, bytes | None], deque[Raw]] = defaultdict(deque)
    for message in messages:
        queues[message.topic, message.key].append(message)
    turns = [key for key, queue in queues.items() for _ in queue]
    random.shuffle(turns)
    return [queues[key].popleft() for key in turns]


async def _write(rig: Rig, messages: Sequence[Raw]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=rig.layout.bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        for each in messages:
            headers = [*each.headers, (OURS, b"again")]
            await producer.send(each.topic, each.value, key=each.key, headers=headers)
        await producer.flush()
    finally:
        await producer.stop()
