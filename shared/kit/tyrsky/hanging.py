"""Transactions that Kafka takes for ended while readers go on waiting for them.

A broker that stops or starts just as a transaction ends may leave its mark out of a partition: one that has no leader
at that moment is taken for deleted (seen with Kafka 4.3 where a partition has one replica). The producer is told that
all is well, readers of what is committed wait there for ever, and no time-out ends it. Only a later mark of the same
transactional id does. So whoever sees readers wait for too long gives its holder up; and fencing a holder, which its
own successor does then, ends what hangs (``tyrsky.producing``).
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer, TopicPartition

LOOK_SECONDS = 5.0
HELD_SECONDS = 10.0
"""So long readers wait at one place before it counts as hanging: longer than a relay is at one transaction."""

Place = tuple[tuple[str, int], int]
"""A topic and a partition, and an offset in it."""


class Readable(Protocol):
    """A log, as far as its readers' progress goes."""

    async def held_up(self, topics: Iterable[str]) -> Iterable[Place]:
        """Where readers of what is committed have to wait, though there is more."""
        ...


class Hanging:
    """Watches the topics to which one relay publishes."""

    def __init__(self, log: Readable) -> None:
        self._log = log
        self._since: dict[Place, float] = {}
        self._told: set[Place] = set()

    async def look(self, topics: Iterable[str]) -> bool:
        """Whether readers are held up; each place is told of once, since somebody else's need not end by us."""
        now = asyncio.get_running_loop().time()
        self._since = {place: self._since.get(place, now) for place in await self._log.held_up(topics)}
        hanging = {place for place, since in self._since.items() if now - since >= HELD_SECONDS}
        new = hanging - self._told
        self._told = hanging
        return bool(new)


async def end_what_hangs(producer: AIOKafkaProducer, partitions: Iterable[TopicPartition]) -> None:
    """Commit a transaction with nothing in it, over these partitions: its marks end whatever this transactional id has
    open there. Whether that was committed or aborted once is not known any more; who was told so has either done
    nothing since that would matter, or looks for it before anything is sent again."""
    await producer.begin_transaction()
    inner: Any = producer._txn_manager  # pyright: ignore[reportPrivateUsage] - there is no other way
    for at in partitions:
        inner.maybe_add_partition_to_txn(at)
    await producer.commit_transaction()
