"""The other end of B3, a process of its own: it reads a topic and notes when each event arrived.

``python -m tests.bench.b3_reader kit|bare topic count``: by the kit's consumer and a policy, or by the bare client. It
prints ``ready``, then, when it has ``count`` messages, their keys with the moment of their (first) arrival as JSON.
Moments are of the clock that all processes of a machine share.
"""

import asyncio
import json
import os
import sys
import time
from uuid import uuid4

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

READY_SECONDS = 20


class Arrivals:
    """When each event came."""

    def __init__(self, count: int) -> None:
        self.all_there = asyncio.Event()
        self._count = count
        self._came = 0
        self._at: dict[str, int] = {}

    def note(self, key: str) -> None:
        """One more has come."""
        self._at.setdefault(key, time.monotonic_ns())
        self._came += 1
        if self._came >= self._count:
            self.all_there.set()

    async def tell(self) -> None:
        """Wait for the last, and print them."""
        print("ready", flush=True)
        await self.all_there.wait()
        print(json.dumps({"came": self._came, "at": self._at}), flush=True)


async def by_the_kit(topic: str, count: int) -> None:
    """A service's policies, as ``Service`` runs them."""
    arrivals = Arrivals(count)
    policies = Policies(f"bench-policies-{uuid4().hex[:8]}")

    @policies.when(contracts.RoomOpened)
    def note(event: contracts.RoomOpened, about: Envelope) -> None:
        arrivals.note(about.subject)

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


async def by_the_bare_client(topic: str, count: int) -> None:
    """A consumer of the bare client, from the beginning."""
    arrivals = Arrivals(count)
    consumer = AIOKafkaConsumer(bootstrap_servers=os.environ["KAFKA_BOOTSTRAP"], auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition(topic, number) for number in range(int(os.environ["PARTITIONS"]))])
    telling = asyncio.create_task(arrivals.tell())
    while not arrivals.all_there.is_set():
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            for record in records:
                arrivals.note((record.key or b"").decode())
    await telling
    await consumer.stop()


if __name__ == "__main__":
    how, topic, count = sys.argv[1:]
    uvloop.run((by_the_kit if how == "kit" else by_the_bare_client)(topic, int(count)))
