"""A real Kafka, as a relay publishes to it: see ``producing`` for what each step is for."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, ProducerFenced
from aiokafka.structs import RecordMetadata

from tyrsky.background import STOP_SECONDS, ended
from tyrsky.producing import Message, NotTaken, Partition, Places, lanes_of

SEND_SECONDS = 5
TRANSACTION_SECONDS = 10
"""After so long Kafka gives a transaction up by itself: readers wait behind one that is open."""

READ_SECONDS = 15
"""How long nothing may come while it is read what a holder published last: as long as others' transactions are open."""

FETCH_MS = 50
BATCH_BYTES = 262_144


class KafkaLog:
    """A real Kafka."""

    def __init__(self, bootstrap: str, client_id: str) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._stopping: set[asyncio.Task[None]] = set()

    async def open(self, holder: str) -> "KafkaSender":
        """Connect; the broker knows the holder from now on."""
        return await self._open(lanes_of(holder))

    async def _open(self, lanes: Iterable[str]) -> "KafkaSender":
        sender = KafkaSender([], self._consumer())
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await sender.reader.start()
            for transactional_id in lanes:
                sender.lanes.append(await self._producer(transactional_id))
        except BaseException:
            await sender.close()
            raise
        return sender

    async def fence(self, lanes: Sequence[str], topics: Iterable[str]) -> None:
        """New producers of the same ids: Kafka ends what the old ones have open, and refuses them from now on."""
        successor = await self._open(lanes)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                partitions = await _partitions(successor.reader, topics)
            await successor.end_what_hangs((at.topic, at.partition) for at in partitions)
        finally:
            self._soon(successor.close())
        for transactional_id in lanes:
            # Kafka has answered, and writes the marks: one more is let in when they are written.
            self._soon((await self._producer(transactional_id)).stop())

    def _soon(self, stopping: Coroutine[Any, Any, None]) -> None:
        """Not waited for: with Kafka away a producer in a transaction stops when it is back."""
        task = asyncio.create_task(stopping)
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def seen(self, since: Places) -> Mapping[tuple[str, str], int]:
        """Read the topics' ends."""
        last: dict[tuple[str, str], int] = {}
        if not since:
            return last
        clock = asyncio.get_running_loop().time
        async with asyncio.timeout(READ_SECONDS) as patience, self._reading() as consumer:
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
                    headers = dict(record.headers)
                    at = record.topic, headers.get("ce_subject", record.key or b"").decode()
                    last[at] = max(int(headers.get("ce_sequence", 0)), last.get(at, 0))
                # The first that is heard of the end is after the fencing, and holds all that the holder ever sent.
                # Not the last stable offset: behind that may lie what is committed, before others' open transactions.
                for at in starts.keys() - ends.keys():
                    end = consumer.highwater(at)
                    if end is not None:
                        ends[at] = end
        return last

    @asynccontextmanager
    async def _reading(self) -> AsyncGenerator[AIOKafkaConsumer]:
        consumer = self._consumer()
        try:
            await consumer.start()
            yield consumer
        finally:
            await ended(consumer.stop, seconds=STOP_SECONDS)

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
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
            await ended(producer.stop, seconds=STOP_SECONDS)
            raise
        return producer


class KafkaSender:
    """The transactional producers of one holder, one transaction at a time."""

    def __init__(self, lanes: list[AIOKafkaProducer], reader: AIOKafkaConsumer) -> None:
        self.lanes = lanes
        self.reader = reader
        self._turn = 0
        self._one = asyncio.Lock()
        self._open_since: float | None = None
        self._ended = False

    async def begins(self, topic: str) -> Places | None:
        """Where the topic's partitions end now; None when Kafka says that there is no such topic."""
        async with asyncio.timeout(SEND_SECONDS):
            if topic not in await self.reader.topics():  # asked first: a producer would wait for it
                return None
            partitions = await self.lanes[0].partitions_for(topic)
        return await self._ends([(topic, number) for number in partitions])

    async def send(self, messages: Sequence[Message]) -> Sequence[tuple[Partition, int]]:
        """One transaction."""
        self._turn += 1
        async with self._transaction(self.lanes[self._turn % len(self.lanes)]) as producer:
            sent = [await _sent(producer, each) for each in messages]
            # Before the commit: that would leave out silently what could not be sent.
            outcomes = await asyncio.gather(*sent, return_exceptions=True)
            refused = [(each, error) for each, error in zip(messages, outcomes, strict=True) if _refuses(error)]
            if refused:
                raise NotTaken(type(refused[0][1]).__name__, [(each.topic, each.key) for each, _ in refused])
            taken = [future.result() for future in sent]
        return [((record.topic, record.partition), record.offset) for record in taken]

    async def end_what_hangs(self, partitions: Iterable[Partition]) -> None:
        """Commit a transaction of each id with nothing in it: its marks end whatever the id has open there.

        A broker that stops or starts just as a transaction ends may leave its mark out of a partition that has no
        leader at that moment, and takes the transaction for ended: no time-out ends it any more, and readers wait there
        for ever."""
        there = [TopicPartition(*at) for at in partitions]
        for lane in self.lanes:
            async with self._transaction(lane) as producer:
                inner: Any = producer._txn_manager  # pyright: ignore[reportPrivateUsage] - there is no public way
                for at in there:
                    inner.maybe_add_partition_to_txn(at)

    @asynccontextmanager
    async def _transaction(self, producer: AIOKafkaProducer) -> AsyncGenerator[AIOKafkaProducer]:
        async with self._one:
            self._open_since = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await producer.begin_transaction()
                    yield producer
                    await producer.commit_transaction()
            except BaseException:
                self._ended = True
                raise
            self._open_since = None

    async def stable(self, partitions: Iterable[Partition]) -> Places:
        """The last stable offsets, as long as nothing of this sender's can have been aborted. Kafka aborts what is open
        for too long; were something of the same id hanging in a partition, that would be aborted with it."""
        found = {} if self._ended else await self._ends(partitions)
        now = asyncio.get_running_loop().time()
        if self._ended or now - (self._open_since or now) > SEND_SECONDS + 1:
            raise TimeoutError
        return found

    async def _ends(self, partitions: Iterable[Partition]) -> Places:
        async with asyncio.timeout(SEND_SECONDS):
            ends = await self.reader.end_offsets([TopicPartition(*at) for at in partitions])
        return {(at.topic, at.partition): end for at, end in ends.items()}

    async def close(self) -> None:
        """What is under way may still come to its end, so long as nobody fences the holder."""
        self._ended = True
        await ended(*(part.stop for part in (*self.lanes, self.reader)))


async def _sent(producer: AIOKafkaProducer, message: Message) -> asyncio.Future[RecordMetadata]:
    try:
        return await producer.send(message.topic, message.value, key=message.key, headers=list(message.headers))
    except KafkaError as error:
        if _refuses(error):
            raise NotTaken(type(error).__name__, [(message.topic, message.key)]) from error
        raise


def _refuses(outcome: object) -> bool:
    """Whether it is about the message: that would not be taken later, nor by another producer."""
    ours = ProducerFenced, OutOfOrderSequenceNumber
    return isinstance(outcome, KafkaError) and not outcome.retriable and not isinstance(outcome, ours)


async def _partitions(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[TopicPartition]:
    """The partitions of those of the topics that there are."""
    there = sorted(set(topics) & await consumer.topics())
    if there:
        await consumer.end_offsets([TopicPartition(topic, 0) for topic in there])  # it learns of them by that
    return [TopicPartition(topic, number) for topic in there for number in consumer.partitions_for_topic(topic) or ()]


def _flat(batch: Mapping[TopicPartition, list[ConsumerRecord[bytes, bytes]]]) -> Iterator[ConsumerRecord[bytes, bytes]]:
    return (record for records in batch.values() for record in records)
