"""What stands in for FastStream, and for the kit's way to ask where groups are, around a reader in memory."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from tyrsky.watching import Offsets, Place

from tests.simulation.asking import Asking
from tests.simulation.broker import Broker
from tests.simulation.consumer import MemoryConsumer
from tests.simulation.network import Transport


class MemoryOffsets(Offsets):
    """``tyrsky.watching.Offsets`` without the admin client: where a group is comes straight from the broker."""

    def __init__(self, broker: Broker, transport: Transport) -> None:
        super().__init__("simulated")
        self._broker = broker
        self._transport = transport

    async def _ask(self, group: str, topics: Iterable[str]) -> dict[tuple[str, int], Place]:
        if self._clients is None:
            reader: Any = MemoryConsumer(self._broker, self._transport, isolation_level="read_committed")
            await reader.start()
            nobody: Any = None
            self._clients = reader, nobody
        asked = list(topics)
        return await Asking(self._transport).once("places", lambda: self._places(group, asked))

    async def _close(self) -> None:
        clients, self._clients = self._clients, None
        if clients:
            await clients[0].stop()

    def _places(self, group: str, topics: list[str]) -> dict[tuple[str, int], Place]:
        offsets = self._broker.group(group).offsets
        return {
            (at.topic, at.partition): Place(*offsets.get(at, (-1, "")), end=self._broker.stable(at), first=0)
            for at in self._broker.partitions
            if at.topic in topics
        }


class MemorySubscriber:
    """Stands in for FastStream's batch subscriber: polls, and hands over."""

    def __init__(
        self, consumer: Callable[..., MemoryConsumer], topics: tuple[str, ...], options: dict[str, Any]
    ) -> None:
        self.consumer: MemoryConsumer | None = None
        self._make = consumer
        self._topics = topics
        self._options = options
        self._handler: Any = None
        self._task: asyncio.Task[None] | None = None
        self._running = False

    def __call__(self, handler: Any) -> None:
        self._handler = handler

    async def start(self) -> None:
        """Join the group and begin to poll."""
        self.consumer = self._make(**self._options)
        self.consumer.subscribe(self._topics, listener=self._options["listener"])
        await self.consumer.start()
        self._running = True
        self._task = asyncio.create_task(self._poll(self.consumer))

    async def stop(self) -> None:
        """Stop polling, and leave the group."""
        self._running = False
        if self._task:
            self._task.cancel()
        if self.consumer:
            await self.consumer.stop()
            self.consumer = None

    async def _poll(self, consumer: MemoryConsumer) -> None:
        limit = self._options["max_records"]
        while self._running:
            # The time-out is FastStream's, and only costs steps: with nothing to hand over it polls again.
            found = await consumer.getmany(timeout_ms=60_000, max_records=limit)
            if found:
                await self._handler(tuple(chain(*found.values())))


class MemoryBroker:
    """Stands in for FastStream's ``KafkaBroker``, as far as :class:`tyrsky.consuming.Consumer` uses it."""

    def __init__(self, consumer: Callable[..., MemoryConsumer]) -> None:
        self._make = consumer
        self.subscribers: list[MemorySubscriber] = []

    def subscriber(self, *topics: str, **options: Any) -> MemorySubscriber:
        """One more group."""
        self.subscribers.append(MemorySubscriber(self._make, topics, options))
        return self.subscribers[-1]

    async def start(self) -> None:
        """All of them."""
        for subscriber in self.subscribers:
            await subscriber.start()

    async def stop(self) -> None:
        """All of them."""
        for subscriber in self.subscribers:
            await subscriber.stop()
