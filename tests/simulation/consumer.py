"""A reader in memory, with aiokafka's face as far as the kit uses it: a member of a group, or alone."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Self

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from tests.simulation.asking import RETRY_SECONDS, Asking
from tests.simulation.broker import Broker
from tests.simulation.network import Transport

HEARTBEAT_SECONDS = 3.0
REQUEST_SECONDS = 40.0

Fetched = tuple[Mapping[TopicPartition, int], Mapping[TopicPartition, Any]]
"""From where it was asked for, and what there is."""


@dataclass
class Behaviour:
    """How a consumer reads. ``again`` is how often, as a part of 1, it reads something twice."""

    random: Random
    again: float = 0.0


class MemoryConsumer:
    """A client that reads: as a member of a group, or by itself what it was assigned."""

    def __init__(
        self,
        broker: Broker,
        transport: Transport,
        *topics: str,
        group_id: str | None = None,
        isolation_level: str = "read_uncommitted",
        auto_offset_reset: str = "latest",
        behaviour: Behaviour | None = None,
        **_: Any,
    ) -> None:
        self.broker = broker
        self._ask = Asking(transport)
        self._topics = topics
        self._group = group_id
        self._committed = isolation_level == "read_committed"
        self._from_end = auto_offset_reset == "latest"
        self._behaviour = behaviour or Behaviour(Random(0))
        self._lives = broker.new_member()
        self._generation = -1
        self._assigned: list[TopicPartition] = []
        self._positions: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._news = asyncio.Event()
        self._listener: Any = None
        self._task: asyncio.Task[None] | None = None
        self._fetching: asyncio.Task[Fetched] | None = None
        self._started = False
        self._stopped = False
        broker.when_changed(self._news.set)

    def subscribe(self, topics: Iterable[str], listener: Any = None) -> None:
        """Share these topics with the group."""
        self._topics, self._listener = tuple(topics), listener
        if self._started:
            self._task = asyncio.create_task(self._belong())

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Read these, whoever else does."""
        self._assigned = list(partitions)
        self._positions = {at: self._end(at) if self._from_end else 0 for at in self._assigned}

    def unsubscribe(self) -> None:
        """Read nothing any more."""
        self._assigned, self._positions = [], {}

    async def start(self) -> None:
        """Join, or begin alone."""
        self._started = True
        if self._group and self._topics:
            self._task = asyncio.create_task(self._belong())
        elif self._topics:
            self.assign([at for at in self.broker.partitions if at.topic in self._topics])

    async def stop(self) -> None:
        """Leave."""
        self._stopped = True
        if self._task and self._group:
            self._task.cancel()
            group, id = self._group, self._id
            with suppress(KafkaError):
                await self._ask.once("leave", lambda: self.broker.leave(group, id))
        self._assigned = []
        self._news.set()
        self.broker.tell_no_more(self._news.set)

    def assignment(self) -> set[TopicPartition]:
        """The partitions that it believes to have."""
        return set(self._assigned)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on from there."""
        if partition not in self._assigned:
            raise IllegalStateError(f"no current assignment for {partition}")
        self._positions[partition] = offset
        self._news.set()

    async def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        """Go on from the first message."""
        for at in partitions or self._assigned:
            self.seek(at, 0)

    async def position(self, partition: TopicPartition) -> int:
        """The offset that is read next."""
        if partition not in self._assigned:
            raise IllegalStateError(f"no current assignment for {partition}")
        return self._positions[partition]

    def _end(self, at: TopicPartition) -> int:
        return self.broker.stable(at) if self._committed else len(self.broker.partitions[at])

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Behind the last offset that it may read.

        :raises KafkaTimeoutError: when there was no answer for so long.
        """
        asked = list(partitions)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await self._ask.until_answered("end_offsets", lambda: {at: self._end(at) for at in asked})
        except TimeoutError:
            raise KafkaTimeoutError("no answer") from None

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offsets."""
        return dict.fromkeys(partitions, 0)

    def highwater(self, partition: TopicPartition) -> int | None:
        """The end of a partition, as far as it was heard of while reading; behind what is not committed too."""
        return self._ends.get(partition)

    async def topics(self) -> set[str]:
        """All that there are."""
        return set(await self._ask.once("topics", lambda: sorted({at.topic for at in self.broker.partitions})))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """The partitions of a topic."""
        return {at.partition for at in self.broker.partitions if at.topic == topic} or None

    async def commit(self, offsets: Mapping[TopicPartition, int | tuple[int, str]]) -> None:
        """Write down where it is; again and again, as whoever it is by then, when no answer comes.

        :raises CommitFailedError: when the group has gone on without it.
        """
        if any(at not in self._assigned for at in offsets):
            raise IllegalStateError("a partition that is not assigned")
        told = {at: where if isinstance(where, tuple) else (where, "") for at, where in offsets.items()}
        while True:
            try:
                await self._commit(self._of_group, self._id, self._generation, told)
                return
            except (IllegalGenerationError, UnknownMemberIdError, RebalanceInProgressError) as error:
                raise CommitFailedError(str(error)) from None
            except KafkaConnectionError:
                await asyncio.sleep(RETRY_SECONDS)

    async def _commit(self, group: str, id: str, generation: int, told: dict[TopicPartition, tuple[int, str]]) -> None:
        if self._task is None:  # nobody shares: an operator's tool
            await self._ask.once("commit", lambda: self.broker.group(group).offsets.update(told))
        else:
            await self._ask.once("commit", lambda: self.broker.commit(group, id, generation, told))

    async def committed(self, partition: TopicPartition) -> int | None:
        """Where the group is."""
        group = self._of_group
        known = await self._ask.until_answered("committed", lambda: self.broker.group(group).offsets.get(partition))
        return known[0] if known else None

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: float = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
        """What there is next; waits a while when there is nothing. What was asked for then comes with the next call."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_ms / 1000):
                while not self._stopped:
                    self._news.clear()
                    if self._fetching is None and not self._may_have_more():
                        await self._news.wait()  # the broker would keep the request until there is something
                        continue
                    self._fetching = self._fetching or asyncio.create_task(self._fetch(max_records or 500))
                    await asyncio.wait({self._fetching})
                    fetched, self._fetching = self._fetching.result(), None
                    if found := self._taken(*fetched):
                        return found
        return {}

    def _reading(self) -> dict[TopicPartition, int]:
        return {at: self._positions[at] for at in self._assigned if at in self._positions}

    def _may_have_more(self) -> bool:
        return any(at not in self._ends or self._end(at) > place for at, place in self._reading().items())

    async def _fetch(self, limit: int) -> Fetched:
        asked = self._reading()
        dice = self._behaviour.random
        if dice.random() < self._behaviour.again:
            asked = {at: max(0, position - dice.randrange(4)) for at, position in asked.items()}
        limit = dice.randint(1, limit)
        return asked, await self._ask.until_answered("fetch", lambda: self._read(asked, limit))

    def _taken(
        self, asked: Mapping[TopicPartition, int], read: Mapping[TopicPartition, Any]
    ) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
        answer: dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]] = {}
        order = list(read)
        self._behaviour.random.shuffle(order)
        for at in order:
            stored, end, self._ends[at] = read[at]
            if at not in self._assigned or not asked[at] <= self._positions.get(at, -1) <= end:
                continue  # moved meanwhile
            self._positions[at] = end
            if stored:
                answer[at] = [each.record(at, offset) for offset, each in stored]
        return answer

    def _read(self, asked: Mapping[TopicPartition, int], limit: int) -> dict[TopicPartition, Any]:
        """On the broker."""
        return {
            at: (*self.broker.read(at, begin, limit, committed=self._committed), len(self.broker.partitions[at]))
            for at, begin in asked.items()
        }

    # -- the group ----------------------------------------------------------------------------------------------------

    @property
    def _id(self) -> str:
        return f"member-{self._lives:06}"

    @property
    def _of_group(self) -> str:
        assert self._group
        return self._group

    async def _belong(self) -> None:
        """Join, show signs of life, and join again when the group is shared out anew."""
        while True:
            try:
                await self._join()
                while True:
                    await asyncio.sleep(HEARTBEAT_SECONDS)
                    with suppress(KafkaConnectionError):
                        await self._heartbeat(self._of_group, self._id, self._generation)
            except (IllegalGenerationError, RebalanceInProgressError):
                pass
            except UnknownMemberIdError:
                self._lives = self.broker.new_member()
            except KafkaConnectionError:
                await asyncio.sleep(RETRY_SECONDS)
            if self._listener:
                await self._listener.on_partitions_revoked(self.assignment())

    async def _heartbeat(self, group: str, id: str, generation: int) -> None:
        await self._ask.once("heartbeat", lambda: self.broker.heartbeat(group, id, generation))

    async def _join(self) -> None:
        group, id = self._of_group, self._id
        joined = await self._ask.once("join", lambda: self.broker.join(group, id, self._topics))
        self._generation, assigned = await joined
        offsets = await self._ask.until_answered("offsets", lambda: dict(self.broker.group(group).offsets))
        self._assigned = assigned
        nowhere = {at: self._end(at) if self._from_end else 0 for at in assigned}
        self._positions = nowhere | {at: offsets[at][0] for at in assigned if at in offsets}
        if self._listener:
            await self._listener.on_partitions_assigned(self.assignment())
        self._news.set()
