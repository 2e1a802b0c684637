"""B4: from the topic into a read model: consumed, known when it comes twice, written.

The measure is the kit's consumer with the companies' own projection (how much each company is reached). The floor does
the same as one would with FastStream alone: one message at a time, a row in an inbox for each, then the write. Both
are in this process and decode with the same codec. The clock runs from the client's first answer that has records in it
to the end of the last commit, of both alike. Every twentieth message comes twice, both must come to the same sums, and
what is committed must be the topic's end.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from companies import testing
from companies.views import reach
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from seats import contracts
from seats.room import OpenRoom
from seats.room import aggregate as room
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.consuming import Consumers, kafka_broker
from tyrsky.dead_letters import DeadLetters
from tyrsky.deciding import Decider, Deciders
from tyrsky.deliveries import Reaction
from tyrsky.policies import Policies, PolicyReaction
from tyrsky.rows import ProjectionReaction
from tyrsky.store import Store
from tyrsky_contracts import topics
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.companies import VisitRecorded
from tyrsky_contracts.event import Envelope

from tests.bench.b4_clock import Clock
from tests.bench.b4_events import company_of, said
from tests.bench.b4_watched import Watched
from tests.bench.bench import Bench, Compared, Document, Row, check
from tests.bench.profiling import Load, profiled

GOAL = 5.0
PARTITIONS = 3
ROUND_SECONDS = 240
REPEATED_EACH = 20


@dataclass
class Consuming:
    """One topic full of events, read again and again."""

    bench: Bench
    database: AsyncDatabase[Document]
    codec: Codec
    topic: str
    visits: int
    rounds: int = 0

    @property
    def messages(self) -> int:
        return self.visits + self.visits // REPEATED_EACH

    async def fill(self) -> None:
        """Publish all, every twentieth twice."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bench.bootstrap, linger_ms=5)
        await producer.start()
        try:
            for number in [*range(self.visits), *range(0, self.visits, REPEATED_EACH)][: self.messages]:
                key, headers, body = said(self.bench.seed, number, of=self.visits, by=self.codec)
                await producer.send(self.topic, body, key=key, headers=headers)
        finally:
            await producer.stop()

    def _name(self, what: str) -> str:
        self.rounds += 1
        return f"{self.topic}-{what}-{self.rounds}"

    async def _kit(self, reaction: Reaction, name: str) -> float:
        watched = Watched(reaction, self.messages, name)
        settings, broker = ConsumerSettings(), kafka_broker(self.bench.bootstrap, stop_seconds=5)
        consumers = Consumers(
            [watched], broker=broker, bootstrap=self.bench.bootstrap, letters=DeadLetters(self.database, settings),
            codec=self.codec, settings=settings,
        )  # fmt: skip
        clock = Clock()
        with clock.runs():
            await broker.start()
            await consumers.start()
            try:
                async with asyncio.timeout(ROUND_SECONDS):
                    await watched.done.wait()
                    await self._committed(name)
            finally:
                await consumers.stop()
                await broker.stop()
        check(watched.taken == self.messages, f"{watched.taken} messages were taken, not {self.messages}")
        return self.messages / clock.seconds

    async def _committed(self, group: str) -> None:
        """Wait for the group to have committed all of the topic."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bench.bootstrap)
        await admin.start()
        try:
            while True:
                found: Any = await admin.list_consumer_group_offsets(group)
                if sum(each.offset for each in found.values()) == self.messages:
                    return
                await asyncio.sleep(0.05)
        finally:
            await admin.close()

    async def projection(self) -> float:
        """The kit's read model: messages a second."""
        name = self._name("reach")
        await self.database["reach"].drop()
        rate = await self._kit(ProjectionReaction(reach, self.database, service="bench"), name)
        rows = await self.database["reach"].find().to_list()
        self._right({row["_id"]: row["row"]["visits"] for row in rows})
        return rate

    async def policy(self) -> float:
        """The kit's policy: each message a command upon a new aggregate."""
        name = self._name("policies")
        await self.database["rooms"].drop()
        policies = Policies(name)

        @policies.when(VisitRecorded)
        def open_room(event: VisitRecorded, about: Envelope) -> OpenRoom:
            return OpenRoom(room_id=event.visit_id, seats=1)

        deciders = Deciders()
        store = Store(self.database, room)
        await store.prepare()
        deciders.add(Decider(store, Codec([contracts.seats]), lambda claim: None))
        rate = await self._kit(PolicyReaction(policies, deciders, ["vaao"]), name)
        made = await self.database["rooms"].count_documents({})
        check(made == self.visits, f"{made} aggregates were made, not {self.visits}")
        return rate

    async def floor(self) -> float:
        """FastStream one by one, with an inbox: messages a second."""
        name = self._name("floor")
        inbox, rows = self.database["inbox"], self.database["floor"]
        await asyncio.gather(inbox.drop(), rows.drop())
        handled, done, clock = 0, asyncio.Event(), Clock()
        broker = KafkaBroker(
            self.bench.bootstrap, apply_types=False, allow_auto_create_topics=False, logger=logging.getLogger("quiet")
        )

        async def handle(message: Any) -> None:
            nonlocal handled
            record = message.raw_message
            event, about = self.codec.decode(record.headers, record.value)
            assert isinstance(event, VisitRecorded)
            try:
                await inbox.insert_one({"_id": f"{name} {about.id}"})
                await rows.update_one(
                    {"_id": event.business_id},
                    {"$inc": {"visits": 1}, "$max": {"last_reached_at": event.visited_at}},
                    upsert=True,
                )
            except DuplicateKeyError:
                pass
            await message.ack()
            handled += 1
            if handled >= self.messages:
                done.set()

        subscriber = broker.subscriber(
            self.topic, group_id=name, auto_offset_reset="earliest", ack_policy=AckPolicy.MANUAL,
            isolation_level="read_committed", decoder=_whole, no_reply=True,
        )  # fmt: skip
        subscriber(handle)
        with clock.runs():
            await broker.start()
            try:
                async with asyncio.timeout(ROUND_SECONDS):
                    await done.wait()
                    await self._committed(name)
            finally:
                await broker.stop()
        self._right({row["_id"]: row["visits"] for row in await rows.find().to_list()})
        return self.messages / clock.seconds

    def _right(self, visits: Mapping[str, int]) -> None:
        expected = Counter(testing.business_id(company_of(number, of=self.visits)) for number in range(self.visits))
        check(visits == expected, f"the sums are wrong: {sum(visits.values())} visits, not {self.visits}")


async def _whole(message: Any) -> Any:
    return message


@asynccontextmanager
async def filled(bench: Bench) -> AsyncGenerator[Consuming]:
    """A topic full of events."""
    async with bench.database() as database, bench.topic(partitions=PARTITIONS) as topic:
        about = topics.companies.model_copy(update={"name": topic})
        consuming = Consuming(bench, database, Codec([about]), topic, bench.size(4_000, 100))
        await consuming.fill()
        yield consuming


async def profile(bench: Bench) -> str:
    """Where the time of a message into the read model goes, in the process that consumes it: this one."""
    async with filled(bench) as consuming:
        return await profiled(bench, None, Load(consuming.projection, consuming.messages, "message"))


async def run(bench: Bench) -> list[Row]:
    async with filled(bench) as consuming:
        reached = await bench.compare(consuming.projection, consuming.floor)
        decided = await bench.compare(consuming.policy, consuming.floor, warm=False)
    return [
        _row("into a read model, messages/s", reached, f"{GOAL:.0f} times", reached.ratio >= GOAL),
        _row("into commands of a policy, messages/s", decided, "", None),
    ]


def _row(what: str, found: Compared, goal: str, met: bool | None) -> Row:
    return Row(
        "B4", what, f"{found.measure:,.0f}/s", f"{found.floor:,.0f}/s", f"{found.ratio:.1f}", goal, met, found.spread
    )
