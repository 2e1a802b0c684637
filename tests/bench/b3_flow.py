"""The way that B3 measures: from a commit in the store, by the relay and Kafka, to a reader in another process."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from pymongo.asynchronous.database import AsyncDatabase
from seats import contracts
from seats import room as seats
from tyrsky.deciding import Decider
from tyrsky.drafting import Ask
from tyrsky.finding import WAITING
from tyrsky.kafka_log import KafkaLog
from tyrsky.relay import Relay
from tyrsky.store import Change, Loaded, Saved, Store
from tyrsky_contracts.codec import Codec

from tests.bench.bench import Bench, Document, at_once, check
from tests.bench.topics import each_once
from tests.tools import percentile

WORKERS = 64
PARTITIONS = 3
SECONDS = 60

Sending = Callable[[str], Awaitable[int]]
"""One event of a key; the moment when it was committed, or handed over."""


class Stamping(Store[seats.Room, seats.RoomCommand]):
    """The store, and when each write returned."""

    def __init__(self, database: AsyncDatabase[Document], claimant: Callable[[], str | None]) -> None:
        super().__init__(database, seats.aggregate, claimant)
        self.committed: dict[UUID, int] = {}

    async def save(
        self, college: str, id: UUID, before: Loaded[seats.Room] | None, change: Change[seats.Room]
    ) -> Saved:
        saved = await super().save(college, id, before, change)
        self.committed[id] = time.monotonic_ns()
        return saved


class Reader:
    """The process that reads."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def arrivals(self, expected: Mapping[str, Sequence[int]]) -> dict[str, int]:
        """When each key's last event came, when exactly the expected came, each once and in order.

        :raises Wrong: when something else came.
        """
        assert self._process.stdin
        self._process.stdin.write(f"{sum(map(len, expected.values()))}\n".encode())
        async with asyncio.timeout(SECONDS):
            told: list[tuple[str, int, int]] = json.loads(await self._line())
        each_once([(key, sequence) for key, sequence, _ in told], expected)
        return {key: at for key, _, at in told}

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
    """Milliseconds from the last commit to the last arrival."""
    committed: list[float] = field(default_factory=list[float])
    """Commits a second."""

    @asynccontextmanager
    async def reader(self, how: str, topic: str) -> AsyncGenerator[Reader]:
        """A reader that is there before the first event."""
        environment = os.environ | {
            "MONGO_URI": self.bench.mongo_uri,
            "KAFKA_BOOTSTRAP": self.bench.bootstrap,
            "PARTITIONS": str(PARTITIONS),
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.b3_reader", how, topic),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
            limit=2**26,
        )
        try:
            assert process.stdout
            async with asyncio.timeout(SECONDS):
                check(await process.stdout.readline() == b"ready\n", "the reader did not start")
            yield Reader(process)
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
        store = Stamping(self.database, relay.claimant)
        decider = Decider(store, codec, relay.publish)
        await relay.start()
        while relay.claimant() is None:
            await asyncio.sleep(0.02)

        async def send(key: str) -> int:
            command = seats.OpenRoom(room_id=UUID(key), seats=100)
            await decider.carry_out(Ask(command, uuid4(), "vaao"))
            return store.committed.pop(command.room_id)

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
        headers = [("ce_sequence", b"1"), *((f"ce_{number}", b"0" * 36) for number in range(11))]

        async def send(key: str) -> int:
            await producer.send(topic, b"0" * 80, key=key.encode(), headers=headers)
            return time.monotonic_ns()

        try:
            yield send
        finally:
            await producer.stop()

    @asynccontextmanager
    async def passage(self, how: str) -> AsyncGenerator[tuple[Sending, Reader]]:
        """Both ends of a new topic."""
        sender = self.kit if how == "kit" else self.bare
        async with (
            self.bench.topic(partitions=PARTITIONS) as topic,
            self.reader(how, topic) as reader,
            sender(topic) as send,
        ):
            yield send, reader

    async def paced(self, how: str, rate: float, count: int) -> float:
        """The 99th percentile of milliseconds from commit to arrival, at a steady pace: of what is sent when the pace
        has been kept for a second, for a process is slow with its first messages of a topic."""
        committed: dict[str, int] = {}
        before = round(rate)

        async def one(send: Sending, key: str) -> None:
            committed[key] = await send(key)

        keys = [str(uuid4()) for _ in range(before + count)]
        async with self.passage(how) as (send, reader), asyncio.TaskGroup() as tasks:
            began = time.monotonic()
            for number in range(len(keys)):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                tasks.create_task(one(send, keys[number]))
            arrived = await reader.arrivals({key: [1] for key in keys})
        waits = [(arrived[key] - committed[key]) / 1e6 for key in keys[before:]]
        self.milliseconds.setdefault(how, []).append(waits)
        return percentile(waits, 0.99)

    async def full(self, how: str, count: int) -> float:
        """Events a second, from the first commit to the last arrival, as many at once as there are workers."""
        keys = [str(uuid4()) for _ in range(count)]
        async with self.passage(how) as (send, reader):
            began = time.monotonic_ns()
            await at_once(count, lambda number: send(keys[number]), workers=WORKERS)
            committed = time.monotonic_ns()
            arrived = await reader.arrivals({key: [1] for key in keys})
        last = max(arrived.values())
        if how == "kit":
            self.drained.append((last - committed) / 1e6)
            self.committed.append(count / ((committed - began) / 1e9))
        return count / ((last - began) / 1e9)

    async def commits(self, count: int) -> float:
        """Commits a second, at full and with all that follows upon them."""
        await self.full("kit", count)
        return self.committed[-1]

    async def backlog(self, rooms: int, each: int) -> float:
        """Events a second out of outboxes with so many each, from the relay's start to the last arrival."""
        count = rooms * each
        async with self.bench.topic(partitions=PARTITIONS) as topic, self.reader("bare", topic) as reader:
            documents = await self._waiting(topic, rooms, each)
            for first in range(0, rooms, 500):
                await self.database["rooms"].insert_many(documents[first : first + 500])
            began = time.monotonic_ns()
            async with self.kit(topic):
                arrived = await reader.arrivals({room["_id"]: range(1, each + 1) for room in documents})
                last = max(arrived.values())
                async with asyncio.timeout(SECONDS):
                    while await self.database["rooms"].count_documents(WAITING):
                        await asyncio.sleep(0.05)
        return count / ((last - began) / 1e9)

    async def _waiting(self, topic: str, rooms: int, each: int) -> list[Document]:
        """Rooms whose outboxes are full, as a process that died left them."""
        codec = Codec([contracts.seats.model_copy(update={"name": topic})])
        decider = Decider(Store(self.database, seats.aggregate), codec, lambda claim: None)
        command = seats.OpenRoom(room_id=uuid4(), seats=100)
        await decider.carry_out(Ask(command, uuid4(), "vaao"))
        template: Any = await self.database["rooms"].find_one_and_delete({"_id": str(command.room_id)})
        [entry] = template["outbox"]
        entries = [
            {**entry, "sequence": n, "headers": {**entry["headers"], "ce_sequence": str(n)}} for n in range(1, each + 1)
        ]
        return [{**template, "_id": str(uuid4()), "outbox": entries} for _ in range(rooms)]
