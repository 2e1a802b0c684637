"""What a benchmark is given, and what it hands back.

A benchmark is a module ``tests/bench/b1_....py`` with one function ``async def run(bench: Bench) -> list[Row]``, listed
in ``__main__``. It makes what it needs (a database, topics, a service as a real process), all of it deleted afterwards,
and compares a measure with a floor in the same minutes: the two take turns, so that what else the machine does disturbs
both.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

Document = dict[str, Any]

REPEATABLE = 0.10
"""Runs whose ratios lie so close together (of their median) count as repeatable."""

ADMIN_SECONDS = 10


class Wrong(Exception):  # noqa: N818 - a verdict
    """The platform gave a wrong result under load. This fails the benchmark; being slow does not."""


def check(right: bool, otherwise: str) -> None:
    """Fail when a result is wrong."""
    if not right:
        raise Wrong(otherwise)


@dataclass(frozen=True)
class Compared:
    """A measure and its floor, run by run: the medians of their rounds."""

    measures: Sequence[float]
    floors: Sequence[float]

    @property
    def measure(self) -> float:
        return statistics.median(self.measures)

    @property
    def floor(self) -> float:
        return statistics.median(self.floors)

    @property
    def ratios(self) -> list[float]:
        return [measure / floor for measure, floor in zip(self.measures, self.floors, strict=True)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def spread(self) -> float:
        """How far the runs' ratios lie apart, as a share of their median."""
        return (max(self.ratios) - min(self.ratios)) / self.ratio


@dataclass(frozen=True)
class Row:
    """One line of the table. ``met`` is None where there is no goal; ``spread`` None where nothing was repeated."""

    code: str
    what: str
    measure: str
    floor: str = ""
    ratio: str = ""
    goal: str = ""
    met: bool | None = None
    spread: float | None = None
    remarks: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Bench:
    """Where the parts are, the seed, and how much is to be done."""

    mongo_uri: str
    bootstrap: str
    seed: int = 1
    rounds: int = 3
    runs: int = 3
    quick: bool = False

    @property
    def turns(self) -> int:
        """How many times each side of a comparison is measured; a time before them, to warm, does not count."""
        return self.runs * self.rounds

    def size(self, full: int, quick: int) -> int:
        """How many: of a real run, or of one that is only to show that it works."""
        return quick if self.quick else full

    def random(self, about: str) -> Random:
        """Chance that is the same for the same seed."""
        return Random(f"{self.seed} {about}")

    def id(self, about: str) -> UUID:
        """An id that is the same for the same seed."""
        return UUID(int=self.random(about).getrandbits(128), version=4)

    @asynccontextmanager
    async def database(self) -> AsyncGenerator[AsyncDatabase[Document]]:
        """A database of one's own, through a client like the services' own: it is deleted afterwards."""
        client = AsyncMongoClient[Document](self.mongo_uri, tz_aware=True, w="majority", maxPoolSize=50)
        async with client:
            database = client[f"bench_{time.time_ns():x}"]
            try:
                yield database
            finally:
                await client.drop_database(database.name)

    @asynccontextmanager
    async def topic(self, *, partitions: int = 1) -> AsyncGenerator[str]:
        """A topic of one's own; it is deleted afterwards, with the consumer groups that are named after it."""
        name = f"bench-{time.time_ns():x}"
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, num_partitions=partitions, replication_factor=1)])
            await _until_known(admin, name)
            yield name
        finally:  # also of what failed: a cluster of somebody's is not to be left with topics of ours
            try:
                await admin.delete_topics([name])
                await asyncio.to_thread(_forget_groups, self.bootstrap, name)
            finally:
                await admin.close()

    async def compare(
        self, measure: Callable[[], Awaitable[float]], floor: Callable[[], Awaitable[float]], *, warm: bool = True
    ) -> Compared:
        """Measure and floor in turns (A B A B ...): in each run the median of ``rounds``; ``runs`` runs.

        Each answers with its figure, such as commands a second, and fails with :class:`Wrong` itself.
        """
        measures: list[float] = []
        floors: list[float] = []
        if warm:  # a first time that does not count: code is compiled, connections are made
            await floor()
            await measure()
        for _ in range(self.runs):
            both = [(await floor(), await measure()) for _ in range(self.rounds)]
            floors.append(statistics.median(each for each, _ in both))
            measures.append(statistics.median(each for _, each in both))
        return Compared(measures, floors)


def _forget_groups(bootstrap: str, name: str) -> None:
    """aiokafka cannot. A group that a process left behind without a word still has members, and stays."""
    admin: Any = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    found = admin.list_consumer_groups(request_timeout=ADMIN_SECONDS).result().valid
    groups = [each.group_id for each in found if each.group_id.startswith(name)]
    for deleted in (admin.delete_consumer_groups(groups, request_timeout=ADMIN_SECONDS) if groups else {}).values():
        with suppress(KafkaException):
            deleted.result()


async def at_once(count: int, work: Callable[[int], Awaitable[object]], *, workers: int) -> float:
    """Do ``work(0)`` ... ``work(count - 1)``, so many at a time, and answer with how many a second it was."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await work(number)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(workers)))
    return count / (time.perf_counter() - began)


async def _until_known(admin: AIOKafkaAdminClient, topic: str) -> None:
    async with asyncio.timeout(30):
        while topic not in await admin.list_topics():
            await asyncio.sleep(0.05)
