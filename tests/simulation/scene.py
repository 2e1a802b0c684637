"""Relays over one store and one partition, for tests of moments that chance seldom brings about."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Any
from uuid import uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from tyrsky.deciding import Decider
from tyrsky.drafting import Ask
from tyrsky.kafka_log import KafkaLog
from tyrsky.relay import Relay
from tyrsky.store import Document, Store

from tests.simulation import domain
from tests.simulation.broker import Broker
from tests.simulation.clock import simulated
from tests.simulation.consumer import MemoryConsumer
from tests.simulation.loop import Loop, Process
from tests.simulation.network import Network, Weather
from tests.simulation.producer import MemoryProducer
from tests.simulation.store import Server


class Scene:
    """Two relays over one store and one partition."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(f"{seed} scene")
        self.loop = Loop(f"{seed} guards")
        self.broker = Broker()
        for topic in (domain.ROOMS, domain.BADGES):
            self.broker.create(topic, 1)
        weather = Weather(late=1.0)
        self.to_broker = Network(Random(f"{seed} broker"), weather, patience=40)
        to_store = Network(Random(f"{seed} store"), weather, patience=6)
        self.database: Any = Server().client(to_store)["x"]
        self.one, self.other = Process("one"), Process("other")

    def lost(self, happens: Callable[["Scene"], Awaitable[None]]) -> list[str]:
        """Rooms of which not each event is seen when all outboxes are empty."""
        clients: dict[Any, Any] = {
            AIOKafkaProducer: partial(MemoryProducer, self.broker, self.to_broker),
            AIOKafkaConsumer: partial(MemoryConsumer, self.broker, self.to_broker),
        }
        with simulated(self.loop, "guards", clients):
            documents = self.loop.run(self._run(happens))
        assert not self.loop.faults
        seen = [(stored.key or b"").decode() for _, _, stored in self.broker.visible(domain.ROOMS)]
        return [each["_id"] for each in documents if seen.count(each["_id"]) != each["sequence"]]

    async def _run(self, happens: Callable[["Scene"], Awaitable[None]]) -> list[Document]:
        await happens(self)
        rooms = self.database["rooms"]
        async with asyncio.timeout(120):
            while await rooms.count_documents({"outbox_since": {"$exists": True}}):
                await asyncio.sleep(1)
        return await rooms.find({}).to_list()

    async def begin(self, process: Process) -> Decider[Any, Any]:
        """A relay, and what saves rooms beside it."""
        relay = Relay(self.database, KafkaLog("simulated", process.name), process.name)
        store = Store(self.database, domain.room, relay.claimant)
        relay.watch(store.collection.name)
        await self.loop.spawn(process, relay.start())
        while not relay.claimant():
            await asyncio.sleep(0.1)
        return Decider(store, domain.codec, relay.publish)


async def opened(decider: Decider[Any, Any], first: int, count: int, pause: float) -> None:
    """Rooms, each with one event."""
    for number in range(first, first + count):
        id = uuid5(domain.NAMESPACE, f"room {number}")
        await decider.carry_out(Ask(domain.OpenRoom(room_id=id, seats=1), uuid5(id, "open"), domain.COLLEGE))
        await asyncio.sleep(pause)
