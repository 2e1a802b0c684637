"""The other end of B3, a process of its own: it reads a topic and notes when each event arrived.

``python -m tests.bench.b3_reader kit|bare topic``: by the kit's consumer and a policy, or by the bare client. It prints
``ready``, and is told on its standard input how many events there are, when that is known; half a second after it has
as many different ones, or when nothing has come for long, it prints all that came as JSON, in its order: key, sequence,
moment. Moments are of the clock that all processes of a machine share.
"""

import asyncio
import json
import os
import sys
import time

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient
from seats import contracts
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.consuming import Consumers, kafka_broker
from tyrsky.dead_letters import DeadLetters
from tyrsky.deciding import Deciders
from tyrsky.policies import Policies, PolicyReaction
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.event import Envelope

from tests.bench.topics import READ_ON_SECONDS, published

READY_SECONDS = 20
QUIET_SECONDS = 30


class Arrivals:
    """When each event came."""

    def __init__(self) -> None:
        self._came: list[tuple[str, int, int]] = []
        self._known: set[tuple[str, int]] = set()
        self._last_at = 0.0

    def note(self, key: str, sequence: int) -> None:
        """One more has come."""
        self._came.append((key, sequence, time.monotonic_ns()))
        self._known.add((key, sequence))
        self._last_at = time.monotonic()

    async def tell(self) -> None:
        """Wait for the last, and a little longer, and print them."""
        print("ready", flush=True)
        count = int(await asyncio.to_thread(sys.stdin.readline))
        self._last_at = time.monotonic()
        while len(self._known) < count and time.monotonic() - self._last_at < QUIET_SECONDS:
            await asyncio.sleep(0.02)
        await asyncio.sleep(READ_ON_SECONDS)
        print(json.dumps(self._came), flush=True)


async def by_the_kit(topic: str) -> None:
    """A service's policies, as ``Service`` runs them."""
    arrivals = Arrivals()
    policies = Policies(f"{topic}-policies")

    @policies.when(contracts.RoomOpened)
    def note(event: contracts.RoomOpened, about: Envelope) -> None:
        arrivals.note(about.subject, about.sequence)

    bootstrap, settings = os.environ["KAFKA_BOOTSTRAP"], ConsumerSettings()
    codec = Codec([contracts.seats.model_copy(update={"name": topic})])
    async with AsyncMongoClient(os.environ["MONGO_URI"], tz_aware=True) as client:
        database = client[topic]
        broker = kafka_broker(bootstrap, stop_seconds=2)
        consumers = Consumers(
            [PolicyReaction(policies, Deciders(), ["vaao"])],
            broker=broker,
            bootstrap=bootstrap,
            letters=DeadLetters(database, settings),
            codec=codec,
            settings=settings,
        )
        await broker.start()
        await consumers.start()
        async with asyncio.timeout(READY_SECONDS):
            while not consumers.consumers[0].assigned:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        await arrivals.tell()
        await consumers.stop()
        await broker.stop()
        await client.drop_database(topic)


async def by_the_bare_client(topic: str) -> None:
    """A consumer of the bare client, from the beginning."""
    arrivals = Arrivals()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP"],
        auto_offset_reset="earliest",
        isolation_level="read_committed",  # out of the relay's transactions, too
    )
    await consumer.start()
    consumer.assign([TopicPartition(topic, number) for number in range(int(os.environ["PARTITIONS"]))])
    telling = asyncio.create_task(arrivals.tell())
    while not telling.done():
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for record in records:
                event = published(record)
                arrivals.note(event.key, event.sequence)
    await telling
    await consumer.stop()


if __name__ == "__main__":
    how, topic = sys.argv[1:]
    uvloop.run((by_the_kit if how == "kit" else by_the_bare_client)(topic))
