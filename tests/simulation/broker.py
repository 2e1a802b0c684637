"""Kafka in memory: partitions, producers' numbers and epochs, transactions; with ``groups``, who reads.

Everything here is what a broker does, at once and alone; ``producer`` and ``consumer`` are the clients.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidTxnState,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    UnknownTopicOrPartitionError,
)

from tests.simulation.groups import Groups

End = Literal["committed", "aborted"]
Headers = tuple[tuple[str, bytes], ...]


@dataclass
class Transaction:
    """Records that are seen together or not at all; ``ends`` is how it ended, by the marks in its partitions."""

    partitions: list[TopicPartition] = field(default_factory=list[TopicPartition])
    ends: dict[TopicPartition, End] = field(default_factory=dict[TopicPartition, End])


@dataclass(frozen=True, slots=True)
class Stored:
    """What lies at an offset; ``marker`` is the end of a transaction, which takes an offset too."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    transaction: Transaction | None = None
    marker: bool = False

    @property
    def size(self) -> int:
        """In bytes, about."""
        return (
            len(self.key or b"") + len(self.value or b"") + sum(len(name) + len(value) for name, value in self.headers)
        )

    def record(self, at: TopicPartition, offset: int) -> ConsumerRecord[bytes, bytes]:
        """As a reader gets it."""
        return ConsumerRecord(
            topic=at.topic,
            partition=at.partition,
            offset=offset,
            timestamp=0,
            timestamp_type=0,
            key=self.key,
            value=self.value,
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            headers=self.headers,
        )


@dataclass
class Producer:
    """What the broker knows of a transactional id."""

    id: int
    epoch: int
    transaction: Transaction | None = None
    hanging: defaultdict[TopicPartition, list[Transaction]] = field(
        default_factory=lambda: defaultdict[TopicPartition, list[Transaction]](list)
    )


class Broker(Groups):
    """All there is; outlives every process."""

    def __init__(self, *, session_seconds: float = 10.0, rebalance_seconds: float = 30.0) -> None:
        self.partitions: dict[TopicPartition, list[Stored]] = {}
        super().__init__(self.partitions, session_seconds=session_seconds, rebalance_seconds=rebalance_seconds)
        self._producers: dict[str, Producer] = {}
        self._ids = 0
        self._appended: dict[tuple[int, int, TopicPartition], tuple[int, int]] = {}
        self._changed: list[Callable[[], None]] = []
        self.bytes_max = 1_048_588
        """Of a batch (Kafka's ``max.message.bytes``)."""
        self.leaves_out: Callable[[TopicPartition], bool] | None = None
        """Whether the next transaction's end is left out of a partition, as a real broker does that stops just then."""

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

    def tell_no_more(self, told: Callable[[], None]) -> None:
        """Whoever has ended has no use for it."""
        if told in self._changed:
            self._changed.remove(told)

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
        if sum(each.size for each in records) > self.bytes_max:
            raise MessageSizeTooLargeError
        last, first = self._appended.get((*producer, at), (-1, 0))
        if number <= last:
            return first
        if number > last + 1:
            raise OutOfOrderSequenceNumber
        first = len(log)
        self._appended[*producer, at] = number, first
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

    def add(self, transactional_id: str, producer: tuple[int, int], partitions: Iterable[TopicPartition]) -> None:
        """Partitions that the transaction ends in, whether there is anything of it or not."""
        for at in partitions:
            self._in_transaction(transactional_id, producer, at)

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

    def _finish(self, known: Producer, end: End) -> None:
        transaction, known.transaction = known.transaction, None
        if transaction is None:
            return
        if transaction.ends:
            raise InvalidTxnState
        left_out, self.leaves_out = self.leaves_out, None
        for at in transaction.partitions:
            known.hanging[at].append(transaction)
            if left_out and left_out(at):
                continue
            for each in known.hanging.pop(at):
                each.ends[at] = end
            self.partitions[at].append(Stored(None, None, (), transaction, marker=True))
        self._tell()

    # -- reading ------------------------------------------------------------------------------------------------------

    def stable(self, at: TopicPartition) -> int:
        """The offset of the first record of which it is not yet known whether it counts."""
        log = self.partitions[at]
        return next((n for n, each in enumerate(log) if each.transaction and at not in each.transaction.ends), len(log))

    def read(
        self, at: TopicPartition, offset: int, limit: int, *, committed: bool
    ) -> tuple[list[tuple[int, Stored]], int]:
        """Records from an offset on, and the offset behind them: behind marks and aborted ones too."""
        log = self.partitions[at]
        end = self.stable(at) if committed else len(log)
        found: list[tuple[int, Stored]] = []
        while offset < end and len(found) < limit:
            each = log[offset]
            if not each.marker and not (committed and each.transaction and each.transaction.ends[at] == "aborted"):
                found.append((offset, each))
            offset += 1
        return found, offset

    def visible(self, topic: str) -> list[tuple[TopicPartition, int, Stored]]:
        """All that a reader of what is committed comes to see, partition by partition."""
        return [
            (at, offset, each) for at in self.of(topic) for offset, each in self.read(at, 0, 1 << 30, committed=True)[0]
        ]
