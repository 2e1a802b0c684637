"""A rig for consumers: topics and a database of its own for every test, on the running Kafka and store."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from tyrsky import metrics
from tyrsky.aggregate import Command, State
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.consuming import Consumers, kafka_broker
from tyrsky.dead_letters import DeadLetters
from tyrsky.deliveries import Delivery, Message, Reaction
from tyrsky.policies import Policies, PolicyReaction
from tyrsky.projecting import Projection
from tyrsky.rows import ProjectionReaction, Shelves
from tyrsky.watching import Offsets
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.companies import VisitPlanned, VisitRecorded
from tyrsky_contracts.event import Envelope, Event
from tyrsky_contracts.topics import Topic

KAFKA = os.environ.get("KAFKA_BOOTSTRAP", "127.0.0.1:19092")
MONGO = os.environ.get("MONGO_URI", "mongodb://127.0.0.1:17017")
NAMESPACE = UUID("5b0b2f5c-0000-4000-8000-000000000000")
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)

SETTINGS = ConsumerSettings(
    parked_retry_seconds=0.2,
    parked_retry_seconds_max=0.5,
    consumer_pause_seconds_max=1,
    consumer_watch_seconds=0.5,
    consumer_stall_seconds=600,  # else the watchdog covers for what other tests look for
)


class Note(Command):
    """What the test's policy wants: that this visit's event is written down."""

    visit_id: UUID
    sequence: int


class Reach(State):
    visits: int = 0
    sum_of_minutes: int = 0
    last_at: datetime | None = None


def visit(name: str) -> UUID:
    return uuid5(NAMESPACE, name)


def recorded(name: str, sequence: int, *, company: str = "1234567-1") -> VisitRecorded:
    return VisitRecorded(
        visit_id=visit(name),
        company_id=visit("company"),
        business_id=company,
        visited_at=NOON + timedelta(minutes=sequence),
    )


def about(name: str, sequence: int, event: Event, *, college: str = "vaao") -> Envelope:
    return Envelope(
        id=uuid5(NAMESPACE, f"{name}/{sequence}/{event.type}"),
        type=event.type,
        source=f"/colleges/{college}/visits",
        subject=str(visit(name)),
        time=NOON,
        college=college,
        sequence=sequence,
        correlationid="a-request",
        causationid="a-command",
    )


def delivery(name: str, sequence: int, *, company: str = "1234567-1", offset: int = 0) -> Delivery:
    event = recorded(name, sequence, company=company)
    envelope = about(name, sequence, event)
    message = Message(
        "visits", 0, offset, str(visit(name)), tuple(envelope.headers()), event.model_dump_json().encode()
    )
    return Delivery(message, event, envelope)


def reach_projection() -> Projection[Reach]:
    projection = Projection("reach", Reach, key=lambda event: event.business_id)

    @projection.on(VisitRecorded)
    def reached(row: Reach, event: VisitRecorded, about: Envelope) -> Reach:
        times = [event.visited_at, *([row.last_at] if row.last_at else [])]
        minutes = int((event.visited_at - NOON).total_seconds() // 60)
        return row.but(visits=row.visits + 1, sum_of_minutes=row.sum_of_minutes + minutes, last_at=max(times))

    return projection


@dataclass
class Effects:
    """Carries out commands as handling does: what was done is proven by the command's id, in the store."""

    database: AsyncDatabase[dict[str, Any]]
    hinder: Callable[[Note], Awaitable[None]] | None = None
    repeats: int = 0
    order: list[tuple[UUID, int]] = field(default_factory=list[tuple[UUID, int]])

    async def run(self, command: Command, *, college: str, command_id: UUID, cause: Envelope) -> None:
        assert isinstance(command, Note)
        if self.hinder:
            await self.hinder(command)
        try:
            await self.database["effects"].insert_one(
                {"_id": str(command_id), "visit": str(command.visit_id), "sequence": command.sequence}
            )
        except DuplicateKeyError:
            self.repeats += 1
        else:
            self.order.append((command.visit_id, command.sequence))

    def of(self, name: str) -> list[int]:
        return [sequence for visit_id, sequence in self.order if visit_id == visit(name)]


def noting() -> Policies:
    policies = Policies(f"rig-policies-{uuid4().hex[:8]}")

    @policies.when(VisitRecorded)
    def note(event: VisitRecorded, about: Envelope) -> Note:
        return Note(visit_id=event.visit_id, sequence=about.sequence)

    return policies


@dataclass
class Rig:
    """One topic, one database, and what a test does with them."""

    topic: Topic
    codec: Codec
    database: AsyncDatabase[dict[str, Any]]
    producer: AIOKafkaProducer
    service: str
    sequences: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def letters(self) -> DeadLetters:
        return DeadLetters(self.database, SETTINGS)

    def policies(self, effects: Effects, policies: Policies | None = None, **options: Any) -> PolicyReaction:
        return PolicyReaction(policies or noting(), effects, ["vaao"], **options)

    def projection(self, projection: Projection[Reach] | None = None) -> ProjectionReaction[Reach]:
        return ProjectionReaction(projection or reach_projection(), self.database, service=self.service)

    async def digest(self) -> str:
        shelves = Shelves(self.database, reach_projection())
        return await shelves.shelf(await shelves.current()).digest()

    async def row(self, company: str = "1234567-1") -> Reach | None:
        shelves = Shelves(self.database, reach_projection())
        found = await shelves.shelf(await shelves.current()).get([company])
        return found[company][0].row if found else None

    async def say(self, name: str, count: int = 1, *, company: str = "1234567-1", college: str = "vaao") -> None:
        """Publish the next events of a visit, without waiting for each."""
        for _ in range(count):
            sequence = self.sequences[name] = self.sequences.get(name, 0) + 1
            event = recorded(name, sequence, company=company)
            headers, body = self.codec.encode(event, about(name, sequence, event, college=college))
            await self.producer.send(self.topic.name, body, key=str(visit(name)).encode(), headers=headers)

    def next(self, name: str) -> tuple[list[tuple[str, bytes]], bytes]:
        """Headers and body of a visit's next event, to be published otherwise than it should be."""
        sequence = self.sequences[name] = self.sequences.get(name, 0) + 1
        event = recorded(name, sequence)
        return self.codec.encode(event, about(name, sequence, event))

    async def say_raw(self, body: bytes, headers: Sequence[tuple[str, bytes]], key: bytes | None) -> None:
        await self.producer.send_and_wait(self.topic.name, body, key=key, headers=list(headers))

    @asynccontextmanager
    async def instance(
        self,
        *reactions: Reaction,
        settings: ConsumerSettings = SETTINGS,
        database: AsyncDatabase[dict[str, Any]] | None = None,
    ) -> AsyncGenerator[Consumers]:
        """One process of the service, started as ``Service`` does it."""
        broker = kafka_broker(KAFKA, stop_seconds=5)
        letters = DeadLetters(self.database if database is None else database, settings)
        consumers = Consumers(
            reactions, broker=broker, bootstrap=KAFKA, letters=letters, codec=self.codec, settings=settings
        )
        await broker.start()
        await consumers.start()
        try:
            yield consumers
        finally:
            await consumers.stop()
            await broker.stop()

    async def wind_back(self, group: str) -> None:
        """Set a group's offsets to the beginning, as an operator's tool does; it has no members then."""
        partitions = [TopicPartition(self.topic.name, partition) for partition in range(3)]
        consumer = AIOKafkaConsumer(bootstrap_servers=KAFKA, group_id=group, enable_auto_commit=False)
        await consumer.start()
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, 0))
        await consumer.stop()

    async def caught_up(self, *groups: str) -> bool:
        """Whether groups have committed everything there is."""
        offsets = Offsets(KAFKA)
        try:
            places = [await offsets.of(group, [self.topic.name]) for group in groups]
        finally:
            await offsets.close()
        return all(of and not any(place.lag for place in of.values()) for of in places)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    name = f"rig-{uuid4().hex[:8]}"
    topic = Topic(
        name=name,
        about="a test's",
        key="id of the visit",
        events=(VisitRecorded, VisitPlanned),
        producers=(),
        consumers=(),
        retention=None,
        public=True,
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=KAFKA)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(MONGO, serverSelectionTimeoutMS=2000)
    producer = AIOKafkaProducer(bootstrap_servers=KAFKA, enable_idempotence=True)
    await admin.start()
    await admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=1)])
    await producer.start()
    try:
        yield Rig(topic, Codec([topic]), client[name], producer, name)
    finally:
        await producer.stop()
        await admin.delete_topics([name])
        await admin.close()
        await client.drop_database(name)
        await client.close()


def measured(name: str, **labels: str) -> float:
    """What Prometheus would read of a metric."""
    return metrics.REGISTRY.get_sample_value(name, labels) or 0


async def until(condition: Callable[[], Any], *, seconds: float = 20) -> None:
    """Wait until a condition, which may be awaitable, holds."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.05)
