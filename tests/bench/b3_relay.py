"""B3: from a commit in the store to the consumer in another process, and how many events a second.

The measure is the kit: a decision, the guarded write, the relay, Kafka, the consumer, a policy that notes the moment. A
moment counts from the end of the write. The floor is the bare client: produced (idempotent) and consumed, as many, at
the same pace, in as many processes. The last row is the relay alone, since a store that takes some hundreds of writes
a second leaves it idle: outboxes that are full before it starts, against the bare client in a pipeline.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from pymongo.asynchronous.database import AsyncDatabase
from seats import contracts
from seats import room as seats
from tyrsky.deciding import Ask, Decider
from tyrsky.producing import KafkaLog
from tyrsky.relay import Relay
from tyrsky.store import Store
from tyrsky_contracts.codec import Codec

from tests.bench.bench import Bench, Compared, Document, Row, at_once, check, percentile

GOAL_MS = 50
WORKERS = 64
PARTITIONS = 3
SECONDS = 60
EVENTS_EACH = 10

Sending = Callable[[str], Awaitable[None]]


class Reader:
    """The process that reads."""

    def __init__(self, process: asyncio.subprocess.Process, count: int) -> None:
        self._process = process
        self._count = count

    async def arrivals(self) -> dict[str, int]:
        """When each key's first event came; every event has come once."""
        async with asyncio.timeout(SECONDS):
            told = json.loads(await self._line())
        check(told["came"] == self._count, f"{told['came']} events came, not {self._count}")
        return told["at"]

    async def _line(self) -> bytes:
        assert self._process.stdout
        return await self._process.stdout.readline()


@dataclass
class Flow:
    """Rounds of events, each on a topic of its own."""

    bench: Bench
    database: AsyncDatabase[Document]
    milliseconds: dict[str, list[list[float]]] = field(default_factory=dict[str, list[list[float]]])
    drained: list[float] = field(default_factory=list[float])

    @asynccontextmanager
    async def reader(self, how: str, topic: str, count: int) -> AsyncGenerator[Reader]:
        """A reader that is there before the first event."""
        environment = os.environ | {
            "MONGO_URI": self.bench.mongo_uri,
            "KAFKA_BOOTSTRAP": self.bench.bootstrap,
            "PARTITIONS": str(PARTITIONS),
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.b3_reader", how, topic, str(count)),
            stdout=asyncio.subprocess.PIPE,
            env=environment,
            limit=2**26,
        )
        try:
            assert process.stdout
            async with asyncio.timeout(SECONDS):
                check(await process.stdout.readline() == b"ready\n", "the reader did not start")
            yield Reader(process, count)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    @asynccontextmanager
    async def kit(self, topic: str) -> AsyncGenerator[Sending]:
        """Commits one event: returns when the write has."""
        relay = Relay(self.database, KafkaLog(self.bench.bootstrap, "bench"), "bench")
        relay.watch("rooms")
        codec = Codec([contracts.seats.model_copy(update={"name": topic})])
        decider = Decider(Store(self.database, seats.aggregate, relay.claimant), codec, relay.publish)
        await relay.start()
        while relay.claimant() is None:
            await asyncio.sleep(0.02)

        async def send(key: str) -> None:
            command = seats.OpenRoom(room_id=UUID(key), now=datetime.now(UTC), seats=100)
            await decider.carry_out(Ask(command, uuid4(), "vaao"))

        try:
            yield send
        finally:
            await relay.stop(5)
            await self.database["rooms"].delete_many({})

    @asynccontextmanager
    async def bare(self, topic: str) -> AsyncGenerator[Sending]:
        """Produces one message as large; returns when it was handed over, as a commit does."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bench.bootstrap, enable_idempotence=True)
        await producer.start()
        headers = [(f"ce_{number}", b"0" * 36) for number in range(12)]

        async def send(key: str) -> None:
            await producer.send(topic, b"0" * 80, key=key.encode(), headers=headers)

        try:
            yield send
        finally:
            await producer.stop()

    @asynccontextmanager
    async def passage(self, how: str, count: int) -> AsyncGenerator[tuple[Sending, Reader]]:
        """Both ends of a new topic."""
        sender = self.kit if how == "kit" else self.bare
        async with (
            self.bench.topic(partitions=PARTITIONS) as topic,
            self.reader(how, topic, count) as reader,
            sender(topic) as send,
        ):
            yield send, reader

    async def paced(self, how: str, rate: float, count: int) -> float:
        """The 99th percentile of milliseconds from commit to arrival, at a steady pace."""
        committed: dict[str, int] = {}

        async def one(send: Sending, key: str) -> None:
            await send(key)
            committed[key] = time.monotonic_ns()

        async with self.passage(how, count) as (send, reader), asyncio.TaskGroup() as tasks:
            began = time.monotonic()
            for number in range(count):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                tasks.create_task(one(send, str(uuid4())))
            arrived = await reader.arrivals()
        check(arrived.keys() == committed.keys(), "another event arrived than was committed")
        waits = [(arrived[key] - at) / 1e6 for key, at in committed.items()]
        self.milliseconds.setdefault(how, []).append(waits)
        return percentile(waits, 0.99)

    async def full(self, how: str, count: int) -> float:
        """Events a second, from the first commit to the last arrival, as many at once as there are workers."""
        keys = [str(uuid4()) for _ in range(count)]
        async with self.passage(how, count) as (send, reader):
            began = time.monotonic_ns()
            await at_once(count, lambda number: send(keys[number]), workers=WORKERS)
            committed = time.monotonic_ns()
            arrived = await reader.arrivals()
        last = max(arrived.values())
        if how == "kit":
            self.drained.append((last - committed) / 1e6)
        return count / ((last - began) / 1e9)

    async def backlog(self, rooms: int) -> float:
        """Events a second out of full outboxes, from the relay's start to the last arrival."""
        count = rooms * EVENTS_EACH
        async with self.bench.topic(partitions=PARTITIONS) as topic, self.reader("bare", topic, count) as reader:
            documents = await self._waiting(topic, rooms)
            for first in range(0, rooms, 500):
                await self.database["rooms"].insert_many(documents[first : first + 500])
            began = time.monotonic_ns()
            async with self.kit(topic):
                arrived = await reader.arrivals()
                last = max(arrived.values())
                async with asyncio.timeout(SECONDS):
                    while await self.database["rooms"].count_documents({"outbox_since": {"$exists": True}}):
                        await asyncio.sleep(0.05)
        return count / ((last - began) / 1e9)

    async def _waiting(self, topic: str, rooms: int) -> list[Document]:
        """Rooms whose outboxes are full, as a process that died left them."""
        codec = Codec([contracts.seats.model_copy(update={"name": topic})])
        decider = Decider(Store(self.database, seats.aggregate), codec, lambda claim: None)
        command = seats.OpenRoom(room_id=uuid4(), now=datetime.now(UTC), seats=100)
        await decider.carry_out(Ask(command, uuid4(), "vaao"))
        template: Any = await self.database["rooms"].find_one_and_delete({"_id": str(command.room_id)})
        [entry] = template["outbox"]
        entries = [
            {**entry, "sequence": n, "headers": {**entry["headers"], "ce_sequence": str(n)}}
            for n in range(1, EVENTS_EACH + 1)
        ]
        return [{**template, "_id": str(uuid4()), "outbox": entries} for _ in range(rooms)]


async def run(bench: Bench) -> list[Row]:
    count = bench.size(1_500, 100)
    rooms = bench.size(2_000, 50)
    async with bench.database() as database:
        flow = Flow(bench, database)
        full = await bench.compare(lambda: flow.full("kit", count), lambda: flow.full("bare", count))
        rate = full.measure / 2
        paced = await bench.compare(
            lambda: flow.paced("kit", rate, count), lambda: flow.paced("bare", rate, count), warm=False
        )
        backlog = await bench.compare(lambda: flow.backlog(rooms), lambda: flow.full("bare", rooms * EVENTS_EACH))
    return [_latency(flow, paced, rate), _full(flow, full), _alone(backlog)]


def _latency(flow: Flow, found: Compared, rate: float) -> Row:
    halves = {how: statistics.median(percentile(each, 0.5) for each in runs) for how, runs in flow.milliseconds.items()}
    return Row(
        "B3",
        f"commit to consumer at half load ({rate:,.0f}/s), p99",
        f"{found.measure:.1f} ms (p50 {halves['kit']:.1f})",
        f"{found.floor:.1f} ms (p50 {halves['bare']:.1f})",
        f"{found.ratio:.1f}",
        f"{GOAL_MS} ms",
        found.measure <= GOAL_MS,
        found.spread,
    )


def _full(flow: Flow, found: Compared) -> Row:
    drained = statistics.median(flow.drained)
    return Row(
        "B3",
        "events/s at full, from the first commit to the last arrival",
        f"{found.measure:,.0f}/s; the last arrives {drained:.0f} ms after the last commit",
        f"{found.floor:,.0f}/s",
        f"{found.ratio:.2f}",
        "the relay keeps up: 100 ms",
        drained <= 2 * GOAL_MS,
        found.spread,
        ("the store's guarded writes set the pace, not the relay: see the next row",),
    )


def _alone(found: Compared) -> Row:
    return Row(
        "B3",
        f"the relay alone: events/s out of full outboxes ({EVENTS_EACH} events each)",
        f"{found.measure:,.0f}/s",
        f"{found.floor:,.0f}/s",
        f"{found.ratio:.2f}",
        "",
        None,
        found.spread,
    )
