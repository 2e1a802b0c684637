"""Events into Kafka: a batch is seen whole or not at all, and of a relay that was given up nothing more is ever seen.

Who publishes is a *holder*: one relay, with an id of its own that is never used again. It sends in transactions, and
its id is theirs. Whoever takes its work over *fences* the id first, at the broker: what was under way is aborted, and
what the old process still sends, however late and whatever its clock says, is refused. Readers who read what is
committed see neither.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, ProducerFenced, UnknownTopicOrPartitionError
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from tyrsky import tracing
from tyrsky.hanging import Place, end_what_hangs
from tyrsky.store import Outgoing

LANES = 2
"""Producers of a holder, used in turn. Kafka finishes a transaction after it was answered; the next one of the same
producer would wait for that, and aiokafka tries again after 20 ms."""

SEND_SECONDS = 5
TRANSACTION_SECONDS = 10
"""After so long Kafka gives a transaction up by itself: readers wait behind one that is open."""

TOPIC_SECONDS = 1
READ_SECONDS = 15
"""How long nothing may come while it is read what a holder published last: as long as others' transactions are open."""

FETCH_MS = 50
BATCH_BYTES = 262_144

tracer = trace.get_tracer(__name__)

Places = dict[tuple[str, int], int]
"""Offsets by topic and partition."""

Ends = Callable[[Sequence[TopicPartition]], Awaitable[Places]]


class NotTaken(Exception):  # noqa: N818 - reads as the sentence that it is
    """Kafka is there, and does not take one of these messages: too large, say. The message names the error."""


@dataclass(frozen=True)
class Message:
    """One event as Kafka takes it."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


def message(id: str, entry: Outgoing) -> Message:
    """CloudEvents' attributes as they were saved, and the hop: the span that sends."""
    with tracer.start_as_current_span(
        f"send {entry.topic}",
        tracing.remote(entry.headers.get("ce_traceparent")),
        kind=SpanKind.PRODUCER,
        attributes={
            "messaging.system": "kafka",
            "messaging.operation.type": "send",
            "messaging.destination.name": entry.topic,
            "messaging.message.id": entry.headers["ce_id"],
            "cloudevents.event_type": entry.headers["ce_type"],
        },
    ):
        headers = [(name, value.encode()) for name, value in entry.headers.items()]
        hop = tracing.traceparent()
        return Message(
            entry.topic,
            id.encode(),
            entry.body.encode(),
            [*headers, ("traceparent", hop.encode())] if hop else headers,
        )


class Sender(Protocol):
    """What one holder publishes with."""

    async def begins(self, topic: str) -> Places | None:
        """Where the topic's partitions end now; None when there is no such topic."""
        ...

    async def send(self, messages: Sequence[Message]) -> Places:
        """Make all of them visible at once, in order per key, or none; offsets behind them.

        :raises NotTaken: at least one of them can be sent neither now nor later.
        :raises Exception: what became of them is not known until the holder is fenced. After any error the sender is to
            be closed, and another holder opened.
        """
        ...

    async def close(self) -> None:
        """Let go of it, whatever is under way."""
        ...


class Log(Protocol):
    """Kafka, as far as a relay sees it."""

    async def open(self, holder: str) -> Sender:
        """Begin to publish under a new id."""
        ...

    async def fence(self, lanes: Sequence[str], topics: Iterable[str]) -> None:
        """Once this returns, these lanes' open transactions are aborted, they commit no other, and no reader of these
        topics waits for any of theirs. Idempotent."""
        ...

    async def seen(self, since: Places) -> Mapping[tuple[str, str], int]:
        """The last sequence of each topic and key that readers can see at or behind these offsets."""
        ...

    async def held_up(self, topics: Iterable[str]) -> Iterable[Place]:
        """Where readers of what is committed have to wait, though there is more."""
        ...


class KafkaLog:
    """A real Kafka."""

    def __init__(self, bootstrap: str, client_id: str) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id

    async def open(self, holder: str) -> "KafkaSender":
        """Connect; the broker knows the holder from now on."""
        lanes: list[AIOKafkaProducer] = []
        try:
            for transactional_id in lanes_of(holder):
                lanes.append(await self._producer(transactional_id))
        except BaseException:
            await KafkaSender(lanes, self._ends).close()
            raise
        return KafkaSender(lanes, self._ends)

    async def fence(self, lanes: Sequence[str], topics: Iterable[str]) -> None:
        """New producers of the same ids: Kafka ends what the old ones have open, and refuses them from now on."""
        async with asyncio.timeout(SEND_SECONDS), self._consumer("read_uncommitted") as consumer:
            partitions = await _partitions(consumer, topics)
        for transactional_id in lanes:
            producer = await self._producer(transactional_id)
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await end_what_hangs(producer, partitions)
            finally:
                await producer.stop()

    async def seen(self, since: Places) -> Mapping[tuple[str, str], int]:
        """Read the topics' ends."""
        last: dict[tuple[str, str], int] = {}
        if not since:
            return last
        clock = asyncio.get_running_loop().time
        async with asyncio.timeout(READ_SECONDS) as patience, self._consumer("read_committed") as consumer:
            there = await _partitions(consumer, {topic for topic, _ in since})
            # What was deleted has no end to wait for; what was made since the holder noted its places is read whole.
            starts = {at: since.get((at.topic, at.partition), 0) for at in there}
            consumer.assign(list(starts))
            for at, offset in starts.items():
                consumer.seek(at, offset)
            ends: dict[TopicPartition, int] = {}
            while len(ends) < len(starts) or any([await consumer.position(at) < ends[at] for at in starts]):
                batch = await consumer.getmany(timeout_ms=FETCH_MS)
                # What others go on publishing is no progress: there is an end to what lies before the ends.
                if any(each.offset < ends.get(at, each.offset + 1) for at, new in batch.items() for each in new):
                    patience.reschedule(clock() + READ_SECONDS)
                for record in _flat(batch):
                    sequence = next((int(value) for name, value in record.headers if name == "ce_sequence"), 0)
                    at = record.topic, (record.key or b"").decode()
                    last[at] = max(sequence, last.get(at, 0))
                # The first that is heard of the end is after the fencing, and holds all that the holder ever sent.
                # Not the last stable offset: behind that may lie what is committed, before others' open transactions.
                for at in starts.keys() - ends.keys():
                    end = consumer.highwater(at)
                    if end is not None:
                        ends[at] = end
        return last

    async def held_up(self, topics: Iterable[str]) -> Iterable[Place]:
        """Compare the last stable offsets with the ends that were there before."""
        async with asyncio.timeout(SEND_SECONDS), self._consumer("read_committed") as consumer:
            partitions = await _partitions(consumer, topics)
            ends = await self._ends(partitions)
            stable = await consumer.end_offsets(partitions)
        return [((at.topic, at.partition), offset) for at, offset in stable.items() if offset < ends[tuple(at)]]

    async def _ends(self, partitions: Sequence[TopicPartition]) -> Places:
        async with asyncio.timeout(SEND_SECONDS), self._consumer("read_uncommitted") as consumer:
            return {(at.topic, at.partition): end for at, end in (await consumer.end_offsets(partitions)).items()}

    def _consumer(self, isolation_level: str) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=isolation_level,
            fetch_max_wait_ms=FETCH_MS,
        )

    async def _producer(self, transactional_id: str) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            transactional_id=transactional_id,
            transaction_timeout_ms=TRANSACTION_SECONDS * 1000,
            request_timeout_ms=SEND_SECONDS * 1000,
            max_batch_size=BATCH_BYTES,
        )
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer


class KafkaSender:
    """The transactional producers of one holder, one transaction at a time."""

    def __init__(self, lanes: Sequence[AIOKafkaProducer], ends: Ends) -> None:
        self._lanes = lanes
        self._ends = ends
        self._turn = 0

    async def begins(self, topic: str) -> Places | None:
        """Where the topic's partitions end now; None when there is no such topic."""
        try:
            async with asyncio.timeout(TOPIC_SECONDS):
                partitions = await self._lanes[0].partitions_for(topic)
        except (TimeoutError, UnknownTopicOrPartitionError):
            return None
        return await self._ends([TopicPartition(topic, number) for number in partitions])

    async def send(self, messages: Sequence[Message]) -> Places:
        """One transaction."""
        self._turn += 1
        producer = self._lanes[self._turn % len(self._lanes)]
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await producer.begin_transaction()
                futures = [
                    await producer.send(each.topic, each.value, key=each.key, headers=list(each.headers))
                    for each in messages
                ]
                # Before the commit: that would leave out silently what could not be sent.
                taken = await asyncio.gather(*futures)
                await producer.commit_transaction()
        except (ProducerFenced, OutOfOrderSequenceNumber):
            raise
        except KafkaError as error:
            if error.retriable:
                raise
            raise NotTaken(type(error).__name__) from error
        behind: Places = {}
        for record in taken:
            at = record.topic, record.partition
            behind[at] = max(record.offset + 1, behind.get(at, 0))
        return behind

    async def close(self) -> None:
        """What is under way may still come to its end, so long as nobody fences the holder."""
        await asyncio.gather(*(producer.stop() for producer in self._lanes), return_exceptions=True)


def lanes_of(holder: str) -> list[str]:
    """The transactional ids of a holder of this version. What another's are, its document says: see ``holding``."""
    return [f"{holder}-{number}" for number in range(LANES)]


async def _partitions(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[TopicPartition]:
    """The partitions of those of the topics that there are."""
    there = sorted(set(topics) & await consumer.topics())
    if there:
        await consumer.end_offsets([TopicPartition(topic, 0) for topic in there])  # it learns of them by that
    return [TopicPartition(topic, number) for topic in there for number in consumer.partitions_for_topic(topic) or ()]


def _flat(batch: Mapping[TopicPartition, list[ConsumerRecord[bytes, bytes]]]) -> Iterator[ConsumerRecord[bytes, bytes]]:
    return (record for records in batch.values() for record in records)
