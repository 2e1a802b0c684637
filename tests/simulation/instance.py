"""One process of the simulated service: the kit's own parts, put together as ``tyrsky.service`` puts them together."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.background import again_and_again
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.consuming import Consumer
from tyrsky.dead_letters import DeadLetters
from tyrsky.deciding import Decider, Deciders
from tyrsky.drafting import Ask, Done
from tyrsky.inbox import Inbox
from tyrsky.kafka_log import KafkaLog
from tyrsky.policies import PolicyReaction
from tyrsky.relay import Relay
from tyrsky.remembering import Remembered
from tyrsky.replaying import Replayer
from tyrsky.rows import ProjectionReaction
from tyrsky.store import Document, Store
from tyrsky.watching import Watchdog

from tests.simulation import domain
from tests.simulation.broker import Broker
from tests.simulation.consumer import Behaviour, MemoryConsumer
from tests.simulation.loop import Loop, Process
from tests.simulation.network import Network
from tests.simulation.standins import MemoryBroker, MemoryOffsets
from tests.simulation.store import Server

T = TypeVar("T")

SETTINGS = ConsumerSettings(
    parked_retry_seconds=1, parked_retry_seconds_max=3, consumer_pause_seconds_max=3, consumer_batch_max=8
)


@dataclass
class Outside:
    """What every instance shares: the servers, the networks to them, and what goes wrong on purpose."""

    loop: Loop
    store: Server
    broker: Broker
    to_store: Network
    to_broker: Network
    behaviour: Behaviour
    hinder: domain.Hinder


class Instance:
    """A process, from its start to its end."""

    def __init__(self, name: str, outside: Outside) -> None:
        self.name = name
        self.process = Process(name)
        self.failed: list[str] = []
        self._outside = outside
        self._calls: set[asyncio.Future[Any]] = set()
        self._database = cast("AsyncDatabase[Document]", outside.store.client(outside.to_store)["sim"])
        self._deciders = Deciders()
        self._remembered = Remembered(self._database)
        self._relay: Relay | None = None
        self._background: asyncio.Task[None] | None = None
        self._consumers: list[Consumer] = []
        self.ready = False

    def start(self) -> None:
        """Begin, as a process of its own."""
        self._spawn(self._begin)

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """What the process does as long as it lives; it must not fail."""

        async def watched() -> None:
            try:
                await work()
            except Exception as error:
                self.failed.append(f"{self.name}: {error!r} ended {work}")

        return self._outside.loop.spawn(self.process, watched())

    async def _begin(self) -> None:
        self._relay = relay = Relay(self._database, KafkaLog("simulated", self.name), self.name)
        for aggregate in (domain.room, domain.tray):
            store: Store[Any, Any] = Store(self._database, aggregate, relay.claimant)
            relay.watch(store.collection.name)
            self._deciders.add(Decider(store, domain.codec, relay.publish))
        await relay.start()
        self.ready = True
        await self._consume()
        self._background = self._spawn(lambda: again_and_again(self._remembered.run))

    async def _consume(self) -> None:
        outside = self._outside
        reactions = [
            PolicyReaction(domain.policies(outside.hinder), self._deciders, [domain.COLLEGE], attempts=2),
            *(ProjectionReaction(each, self._database, service="sim") for each in domain.projections(outside.hinder)),
        ]
        letters = DeadLetters(self._database, SETTINGS)
        offsets: Any = MemoryOffsets(outside.broker, outside.to_broker)
        inboxes = [Inbox(reaction, letters, domain.codec, SETTINGS) for reaction in reactions]
        broker = MemoryBroker(self._consumer)
        self._consumers = [Consumer(cast("Any", broker), inbox, offsets, SETTINGS) for inbox in inboxes]
        self._spawn(Replayer(inboxes, letters, offsets, SETTINGS).run)
        self._spawn(Watchdog(self._consumers, offsets, every=10, patience=60).run)
        await broker.start()

    def _consumer(self, **options: Any) -> MemoryConsumer:
        outside = self._outside
        return MemoryConsumer(outside.broker, outside.to_broker, behaviour=outside.behaviour, **options)

    # -- from outside -------------------------------------------------------------------------------------------------

    async def carry_out(self, ask: Ask[Any, Any]) -> Done[Any]:
        """A request: found done already, or done, as ``tyrsky.handling`` does it.

        :raises ConnectionResetError: when the process dies before it has answered.
        """
        return await self._call(lambda: self._handle(ask))

    async def _handle(self, ask: Ask[Any, Any]) -> Done[Any]:
        return await self._deciders.of(domain.room).carry_out(replace(ask, memory=self._remembered))

    async def _call(self, work: Callable[[], Awaitable[T]]) -> T:
        if self.process.dead or not self.ready:
            raise ConnectionResetError
        answer: asyncio.Future[T] = self._outside.loop.create_future()
        self._calls.add(answer)

        async def serve() -> None:
            try:
                outcome = await work()
            except Exception as error:
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(outcome)

        self._outside.loop.spawn(self.process, serve())
        try:
            return await answer
        finally:
            self._calls.discard(answer)

    def crash(self) -> None:
        """As kill -9 does it: not one step more."""
        self.process.dead = True
        self.process.frozen = False
        for call in self._calls:
            if not call.done():
                call.set_exception(ConnectionResetError())

    async def stop(self) -> None:
        """As SIGTERM does it."""
        if not self.ready:
            return
        self.ready = False

        async def finish() -> None:
            if self._background:
                self._background.cancel()
                await asyncio.wait([self._background])
            await asyncio.gather(*(consumer.stop() for consumer in self._consumers))
            await self._deciders.drained()
            await self._remembered.stop()
            if self._relay:
                await self._relay.stop(5)

        if not self.process.dead:
            with_end = self._outside.loop.spawn(self.process, finish())
            await asyncio.wait([with_end], timeout=30)
            self.crash()
