"""Kafka in memory: partitions, producers' numbers and epochs, transactions, and the offsets and members of groups.

Everything here is what a broker does, at once and alone; ``producer`` and ``consumer`` are the clients.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import Literal

from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalGenerationError,
    InvalidProducerEpoch,
    InvalidTxnState,
    OutOfOrderSequenceNumber,
    RebalanceInProgressError,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
)

Headers = tuple[tuple[str, bytes], ...]
SESSION_SECONDS = 10.0
"""How long a group waits for a member's sign of life: aiokafka's default."""


@dataclass
class Transaction:
    """Records that are seen together or not at all."""

    state: Literal["open", "committed", "aborted"] = "open"
    partitions: list[TopicPartition] = field(default_factory=list[TopicPartition])


@dataclass(frozen=True, slots=True)
class Stored:
    """What lies at an offset; ``marker`` is the end of a transaction, which takes an offset too."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    transaction: Transaction | None = None
    marker: bool = False


@dataclass
class Producer:
    """What the broker knows of a transactional id."""

    id: int
    epoch: int
    transaction: Transaction | None = None


@dataclass
class Member:
    """One member of a group."""

    id: str
    topics: tuple[str, ...]
    alive_at: float
    joined: "asyncio.Future[tuple[int, list[TopicPartition]]] | None" = None


@dataclass
class Group:
    """A consumer group: offsets, and who shares the work."""

    offsets: dict[TopicPartition, tuple[int, str]] = field(default_factory=dict[TopicPartition, tuple[int, str]])
    members: dict[str, Member] = field(default_factory=dict[str, Member])
    generation: int = 0
    joining_until: float | None = None


class Broker:
    """All there is; outlives every process."""

    def __init__(self, *, session_seconds: float = SESSION_SECONDS, rebalance_seconds: float = 30.0) -> None:
        self.partitions: dict[TopicPartition, list[Stored]] = {}
        self.groups: dict[str, Group] = {}
        self._producers: dict[str, Producer] = {}
        self._ids = 0
        self._members = 0
        self._numbers: dict[tuple[int, int, TopicPartition], int] = {}
        self._changed: list[Callable[[], None]] = []
        self._session_seconds = session_seconds
        self._rebalance_seconds = rebalance_seconds

    def create(self, topic: str, partitions: int) -> None:
        """Make a topic."""
        for number in range(partitions):
            self.partitions[TopicPartition(topic, number)] = []

    def of(self, topic: str) -> list[TopicPartition]:
        """A topic's partitions."""
        found = [at for at in self.partitions if at.topic == topic]
        if not found:
            raise UnknownTopicOrPartitionError
        return found

    def when_changed(self, told: Callable[[], None]) -> None:
        """Tell somebody of everything new."""
        self._changed.append(told)

    def _tell(self) -> None:
        for told in self._changed:
            told()

    # -- producing ----------------------------------------------------------------------------------------------------

    def begin(self, transactional_id: str | None) -> tuple[int, int]:
        """A producer's id and epoch. Whoever had the transactional id before is fenced, its transaction aborted."""
        known = self._producers.get(transactional_id) if transactional_id else None
        if known is None or transactional_id is None:
            self._ids += 1
            if transactional_id:
                self._producers[transactional_id] = Producer(self._ids, 0)
            return self._ids, 0
        known.epoch += 1
        self._finish(known, "aborted")
        return known.id, known.epoch

    def append(
        self,
        at: TopicPartition,
        records: Sequence[Stored],
        *,
        producer: tuple[int, int],
        number: int,
        transactional_id: str | None,
    ) -> int:
        """The offset of the first of some records, appended once however often the same ``number`` comes."""
        log = self.partitions.get(at)
        if log is None:
            raise UnknownTopicOrPartitionError
        transaction = self._in_transaction(transactional_id, producer, at) if transactional_id else None
        last = self._numbers.get((*producer, at), -1)
        if number <= last:
            return len(log)
        if number > last + 1:
            raise OutOfOrderSequenceNumber
        self._numbers[*producer, at] = number
        first = len(log)
        log += [Stored(each.key, each.value, each.headers, transaction) for each in records]
        self._tell()
        return first

    def _current(self, transactional_id: str, producer: tuple[int, int]) -> Producer:
        known = self._producers[transactional_id]
        if (known.id, known.epoch) != producer:
            raise InvalidProducerEpoch
        return known

    def _in_transaction(self, transactional_id: str, producer: tuple[int, int], at: TopicPartition) -> Transaction:
        known = self._current(transactional_id, producer)
        if known.transaction is None:
            known.transaction = Transaction()
        if at not in known.transaction.partitions:
            known.transaction.partitions.append(at)
        return known.transaction

    def end(self, transactional_id: str, producer: tuple[int, int], *, commit: bool) -> None:
        """Commit or abort; a second time changes nothing."""
        self._finish(self._current(transactional_id, producer), "committed" if commit else "aborted")

    def timed_out(self, transactional_id: str, producer: tuple[int, int]) -> None:
        """Abort what was open for too long, and fence whoever left it open."""
        known = self._producers[transactional_id]
        if (known.id, known.epoch) == producer and known.transaction:
            known.epoch += 1
            self._finish(known, "aborted")

    def open(self, transactional_id: str, producer: tuple[int, int]) -> Transaction | None:
        """The transaction that this very producer has open."""
        known = self._producers.get(transactional_id)
        return known.transaction if known and (known.id, known.epoch) == producer else None

    def _finish(self, known: Producer, state: Literal["committed", "aborted"]) -> None:
        transaction, known.transaction = known.transaction, None
        if transaction is None:
            return
        if transaction.state != "open":
            raise InvalidTxnState
        transaction.state = state
        for at in transaction.partitions:
            self.partitions[at].append(Stored(None, None, (), transaction, marker=True))
        self._tell()

    # -- reading ------------------------------------------------------------------------------------------------------

    def stable(self, at: TopicPartition) -> int:
        """The offset of the first record of which it is not yet known whether it counts."""
        log = self.partitions[at]
        return next((n for n, each in enumerate(log) if each.transaction and each.transaction.state == "open"), len(log))

    def read(self, at: TopicPartition, offset: int, limit: int, *, committed: bool) -> tuple[list[tuple[int, Stored]], int]:
        """Records from an offset on, and the offset behind them: behind marks and aborted ones too."""
        log = self.partitions[at]
        end = self.stable(at) if committed else len(log)
        found: list[tuple[int, Stored]] = []
        while offset < end and len(found) < limit:
            each = log[offset]
            if not each.marker and not (committed and each.transaction and each.transaction.state == "aborted"):
                found.append((offset, each))
            offset += 1
        return found, offset

    def visible(self, topic: str) -> list[tuple[TopicPartition, int, Stored]]:
        """All that a reader of what is committed comes to see, partition by partition."""
        return [
            (at, offset, each)
            for at in self.of(topic)
            for offset, each in self.read(at, 0, 1 << 30, committed=True)[0]
        ]

    # -- groups -------------------------------------------------------------------------------------------------------

    def new_member(self) -> int:
        """A number that no other member has."""
        self._members += 1
        return self._members

    def group(self, name: str) -> Group:
        """A group, whether anybody was ever in it or not."""
        return self.groups.setdefault(name, Group())

    def commit(
        self, group: str, member: str, generation: int, offsets: dict[TopicPartition, tuple[int, str]]
    ) -> None:
        """Write down where a member of this generation is."""
        self._member(group, member, generation)
        self.group(group).offsets |= offsets

    def _member(self, name: str, member: str, generation: int) -> Member:
        group = self.group(name)
        if member not in group.members:
            raise UnknownMemberIdError
        if generation != group.generation:
            raise IllegalGenerationError
        return group.members[member]

    def heartbeat(self, name: str, member: str, generation: int) -> None:
        """A sign of life; says whether the group is being shared out anew."""
        known = self._member(name, member, generation)
        known.alive_at = self._now()
        if self.group(name).joining_until is not None:
            raise RebalanceInProgressError

    def join(self, name: str, id: str, topics: tuple[str, ...]) -> "asyncio.Future[tuple[int, list[TopicPartition]]]":
        """Become a member, or stay one; the answer comes when everybody has joined: generation and partitions."""
        group = self.group(name)
        if id not in group.members:
            self._watch(name, id)
        member = group.members.setdefault(id, Member(id, topics, self._now()))
        member.alive_at = self._now()
        joined = member.joined = asyncio.get_running_loop().create_future()
        if group.joining_until is None:
            self._share(name)
        self._joined(name)
        return joined

    def leave(self, name: str, id: str) -> None:
        """Go, so that others get the partitions at once."""
        group = self.group(name)
        if group.members.pop(id, None) is not None:
            if group.joining_until is None:
                self._share(name)
            self._joined(name)

    def wind_back(self, name: str, to: Callable[[int], int]) -> None:
        """What an operator's tool does to a group that has nobody: its offsets set back. Whoever was in it is out."""
        group = self.group(name)
        group.members.clear()
        group.offsets = {at: (to(offset), note) for at, (offset, note) in group.offsets.items()}

    def _share(self, name: str) -> None:
        group = self.group(name)
        group.joining_until = self._now() + self._rebalance_seconds
        self._later(self._rebalance_seconds, self._late, name, group.joining_until)

    def _late(self, name: str, until: float) -> None:
        """Those who have not come by now are out."""
        group = self.group(name)
        if group.joining_until == until:
            group.members = {id: member for id, member in group.members.items() if member.joined is not None}
            self._joined(name)

    def _joined(self, name: str) -> None:
        group = self.group(name)
        if any(member.joined is None for member in group.members.values()):
            return
        group.joining_until = None
        group.generation += 1
        members = sorted(group.members.values(), key=lambda member: member.id)
        topics = {topic for member in members for topic in member.topics}
        partitions = [at for at in self.partitions if at.topic in topics]
        shares: dict[str, list[TopicPartition]] = {member.id: [] for member in members}
        for number, at in enumerate(partitions):
            if members:
                shares[members[number % len(members)].id].append(at)
        for member in members:
            joined, member.joined = member.joined, None
            member.alive_at = self._now()
            if joined and not joined.done():
                joined.set_result((group.generation, shares[member.id]))

    def _watch(self, name: str, id: str) -> None:
        def look() -> None:
            group = self.group(name)
            member = group.members.get(id)
            if member is None:
                return
            left = member.alive_at + self._session_seconds - self._now()
            if left > 0 or member.joined is not None:
                self._later(max(left, 1.0), look)
            else:
                self.leave(name, id)

        self._later(self._session_seconds, look)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _later(self, seconds: float, what: Callable[..., None], *arguments: object) -> None:
        asyncio.get_running_loop().call_later(seconds, what, *arguments, context=Context())
