"""How far behind the consumer groups are, asked of Kafka by a client of its own; and consumers that hang."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IllegalStateError, KafkaError

from tyrsky import metrics
from tyrsky.background import STOP_SECONDS, ended
from tyrsky.deliveries import cause_of

log = logging.getLogger(__name__)

ASK_SECONDS = 10
POSITION_SECONDS = 1
HOLLOW_SECONDS = 2
"""How long a look may take whether there is any message at all in a lag."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a group is in a partition: the next offset it takes, what it wrote beside it, and the end of what may be
    read: what is in open transactions lies behind that."""

    committed: int
    metadata: str
    end: int
    first: int

    @property
    def lag(self) -> int:
        """Offsets that are still to come: messages, and the marks and leavings of transactions."""
        return max(0, self.end - self.begin)

    @property
    def begin(self) -> int:
        """The first offset that is still to come."""
        return max(self.committed, self.first)


class Offsets:
    """Asks Kafka where groups are. Built anew after any error, so that it cannot hang with what it watches."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._clients: tuple[AIOKafkaConsumer, AIOKafkaAdminClient] | None = None
        self._asking = asyncio.Lock()

    async def of(self, group: str, topics: Iterable[str]) -> dict[tuple[str, int], Place]:
        """Where a group is in every partition of some topics.

        :raises aiokafka.errors.KafkaError: when Kafka cannot be asked; also TimeoutError.
        """
        async with self._asking:
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    return await self._ask(group, topics)
            except BaseException:
                await self._close()
                raise

    async def _ask(self, group: str, topics: Iterable[str]) -> dict[tuple[str, int], Place]:
        if self._clients is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap, enable_auto_commit=False, isolation_level="read_committed"
            )
            self._clients = consumer, AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
            for client in self._clients:
                await client.start()
        consumer, admin = self._clients
        partitions = await partitions_of(admin, topics)
        if not partitions:
            return {}
        first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        committed = await admin.list_consumer_group_offsets(group)
        places: dict[tuple[str, int], Place] = {}
        for partition in partitions:
            known = committed.get(partition)
            places[partition.topic, partition.partition] = Place(
                committed=known.offset if known else -1,
                metadata=known.metadata if known else "",
                end=end[partition],
                first=first[partition],
            )
        return places

    async def hollow(self, places: Mapping[tuple[str, int], Place]) -> set[tuple[str, int]]:
        """Where a lag holds no message: transactions leave their marks behind, and what they took back."""
        hollow: set[tuple[str, int]] = set()
        async with self._asking:
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    for at, place in places.items():
                        if await self._reads_nothing(TopicPartition(*at), place):
                            hollow.add(at)
            except BaseException:
                await self._close()
                raise
        return hollow

    async def _reads_nothing(self, at: TopicPartition, place: Place) -> bool:
        if self._clients is None:
            return False
        consumer, _ = self._clients
        consumer.assign([at])
        consumer.seek(at, place.begin)
        try:
            async with asyncio.timeout(HOLLOW_SECONDS):
                while await consumer.position(at) < place.end:
                    if await consumer.getmany(at, timeout_ms=100, max_records=1):
                        return False
                return True
        except TimeoutError:
            return False
        finally:
            consumer.unsubscribe()  # else it would go on reading

    async def close(self) -> None:
        """Let go of the connections."""
        async with self._asking:
            await self._close()

    async def _close(self) -> None:
        clients, self._clients = self._clients, None
        if clients:
            await ended(clients[0].stop, clients[1].close, seconds=STOP_SECONDS)


async def position_of(consumer: AIOKafkaConsumer | None, at: tuple[str, int]) -> int:
    """The offset that is read next, behind the marks of transactions too; 0 when nobody knows.

    While a batch is in hand it is the end of that batch, since FastStream polls one after the other.
    """
    with suppress(IllegalStateError, TimeoutError):
        async with asyncio.timeout(POSITION_SECONDS):
            return await consumer.position(TopicPartition(*at)) if consumer else 0
    return 0


async def partitions_of(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> list[TopicPartition]:
    """All partitions of some topics; none of a topic that is not there."""
    described = await admin.describe_topics(list(topics))
    return [TopicPartition(each["topic"], part["partition"]) for each in described for part in each["partitions"]]


class Watched(Protocol):
    """A consumer, as far as the watchdog sees it."""

    @property
    def group(self) -> str:
        """Its consumer group."""
        ...

    @property
    def topics(self) -> Collection[str]:
        """What it reads."""
        ...

    @property
    def idle(self) -> bool:
        """Whether it waits for messages: neither at work on some nor pausing on purpose."""
        ...

    @property
    def assigned(self) -> set[tuple[str, int]]:
        """The partitions that it believes to have."""
        ...

    async def refresh(self) -> None:
        """Notice what changed while no message came."""
        ...

    async def pass_over(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Note that up to these offsets there is nothing to do."""
        ...

    async def rebuild(self) -> None:
        """Begin again with a new client."""
        ...


class Watchdog:
    """Sets the lag gauges, and rebuilds a consumer that sits still before messages: aiokafka's may, when a broker goes
    and comes (aiokafka#1154)."""

    def __init__(self, consumers: Collection[Watched], offsets: Offsets, *, every: float, patience: float) -> None:
        self._consumers = consumers
        self._offsets = offsets
        self._every = every
        self._patience = patience
        self._still: dict[str, tuple[Mapping[tuple[str, int], int], float]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for consumer in self._consumers:
                try:
                    await self.look(consumer)
                except (KafkaError, TimeoutError) as error:
                    log.warning("the lag of %s is not known: %s", consumer.group, cause_of(error))
                except Exception:
                    log.exception("watching %s went wrong", consumer.group)
            await asyncio.sleep(self._every)

    async def look(self, consumer: Watched) -> None:
        """Read one group's lag; rebuild its consumer here, if that has sat still for too long."""
        if consumer.idle:
            await consumer.refresh()
        places = await self._offsets.of(consumer.group, consumer.topics)
        # Without any partition it may be that others have them all, or that it was forgotten: look at all of them,
        # and be more patient.
        concerned = consumer.assigned & places.keys()
        if consumer.idle and (lagging := {at: places[at] for at in sorted(concerned) if places[at].lag}):
            hollow = await self._offsets.hollow(lagging)
            await consumer.pass_over({at: places[at].end for at in hollow})
            places |= {at: replace(places[at], committed=places[at].end) for at in hollow}
        for topic in consumer.topics:
            lag = sum(place.lag for (of, _), place in places.items() if of == topic)
            metrics.consumer_lag.labels(consumer.group, topic).set(lag)
        patience = self._patience if concerned else 2 * self._patience
        concerned = concerned or set(places)
        committed = {at: places[at].committed for at in concerned}
        behind = any(places[at].lag for at in concerned)
        now = asyncio.get_running_loop().time()
        before, since = self._still.get(consumer.group, ({}, now))
        if not behind or not consumer.idle or committed != before:
            self._still[consumer.group] = committed, now
        elif now - since >= patience:
            log.error("%s has lag and made no progress for %d s: it begins again", consumer.group, now - since)
            metrics.consumer_rebuilds.labels(consumer.group).inc()
            self._still[consumer.group] = committed, now
            await consumer.rebuild()
