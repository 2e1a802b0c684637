"""A producer in memory, with aiokafka's face as far as the kit uses it: idempotent, transactional when it has an id.

One batch a partition is under way at a time, and is tried until the broker answers; what was sent may arrive after the
producer was given up, or its process died.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalOperation,
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerClosed,
    ProducerFenced,
)
from aiokafka.structs import RecordMetadata

from tests.simulation.asking import RETRY_SECONDS, Asking
from tests.simulation.broker import Broker, Stored
from tests.simulation.network import Transport


@dataclass
class _Line:
    """What waits for one partition."""

    waiting: deque[tuple[Stored, "asyncio.Future[RecordMetadata]"]] = field(
        default_factory=deque[tuple[Stored, "asyncio.Future[RecordMetadata]"]]
    )
    next: int = 0
    sender: "asyncio.Task[None] | None" = None


class MemoryProducer:
    """A client that writes."""

    def __init__(
        self,
        broker: Broker,
        transport: Transport,
        *,
        transactional_id: str | None = None,
        transaction_timeout_ms: int = 60_000,
        enable_idempotence: bool = False,
        max_batch_size: int = 16_384,
        max_request_size: int = 2**20,
        **_: Any,
    ) -> None:
        assert enable_idempotence or transactional_id, "without idempotence events are lost and twice"
        self._broker = broker
        self._ask = Asking(transport)
        self._transactional_id = transactional_id
        self._transaction_seconds = transaction_timeout_ms / 1000
        self._batch_bytes, self._message_bytes = max_batch_size, max_request_size
        self._producer = (-1, -1)
        self._lines: dict[TopicPartition, _Line] = {}
        self._fatal: Exception | None = None
        self._in_transaction = False
        self._failed: Exception | None = None
        self._closed = False
        self._sender = self  # aiokafka's inner parts: the relay closes one so that nothing is flushed,
        self._txn_manager = self  # and ends with the other what hangs
        self._to_add: set[TopicPartition] = set()

    async def start(self) -> None:
        """Get an id; with a transactional id, fence whoever has it."""
        self._producer = await self._ask.until_answered("begin", lambda: self._broker.begin(self._transactional_id))

    async def close(self) -> None:
        """Send nothing any more (as ``_sender.close`` of aiokafka)."""
        self._closed = True
        for line in self._lines.values():
            if line.sender:
                line.sender.cancel()

    async def stop(self) -> None:
        """Send what waits, and end."""
        if not self._closed:
            await self.flush()
        await self.close()

    async def flush(self) -> None:
        """Wait until nothing is under way."""
        while senders := [line.sender for line in self._lines.values() if line.sender]:
            await asyncio.wait(senders)

    async def partitions_for(self, topic: str) -> set[int]:
        """The partitions of a topic; as aiokafka does, wait for one that is not there."""
        while True:
            found = await self._ask.until_answered(
                "metadata", lambda: [at for at in self._broker.partitions if at.topic == topic]
            )
            if found:
                return {at.partition for at in found}
            await asyncio.sleep(RETRY_SECONDS)

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Iterable[tuple[str, bytes]] | None = None,
    ) -> "asyncio.Future[RecordMetadata]":
        """Send soon; the future is done when the broker has it."""
        if self._closed:
            raise ProducerClosed
        if self._fatal:
            raise self._fatal
        if self._transactional_id and not self._in_transaction:
            raise IllegalOperation("Can't send messages while not in transaction")
        stored = Stored(key, value, tuple(headers or ()))
        if stored.size > self._message_bytes:
            raise MessageSizeTooLargeError
        partitions = self._broker.of(topic)
        number = crc32(key or b"") % len(partitions) if partition is None else partition
        at = TopicPartition(topic, number)
        line = self._lines.setdefault(at, _Line())
        future = asyncio.get_running_loop().create_future()
        line.waiting.append((stored, future))
        if line.sender is None or line.sender.done():
            line.sender = asyncio.create_task(self._drain(at, line))
        return future

    async def send_and_wait(self, topic: str, value: bytes | None = None, **more: Any) -> RecordMetadata:
        """Send, and wait until the broker has it."""
        return await (await self.send(topic, value, **more))

    async def _drain(self, at: TopicPartition, line: _Line) -> None:
        await asyncio.sleep(0)  # what is sent together goes together
        while line.waiting and not self._fatal:
            batch = [line.waiting.popleft()]
            size = batch[0][0].size
            while line.waiting and (size := size + line.waiting[0][0].size) <= self._batch_bytes:
                batch.append(line.waiting.popleft())
            records, number = [stored for stored, _ in batch], line.next
            line.next += 1
            try:
                first = await self._ask.until_answered("produce", lambda n=number, r=records: self._append(at, n, r))  # pyright: ignore
            except KafkaError as error:
                self._fail(error, [future for _, future in batch])
                continue
            for offset, (_, future) in enumerate(batch, first):
                if not future.done():
                    future.set_result(RecordMetadata(at.topic, at.partition, at, offset, 0, 0, 0))
        line.sender = None

    def _append(self, at: TopicPartition, number: int, records: list[Stored]) -> int:
        """On the broker."""
        tid = self._transactional_id
        new = tid is not None and self._broker.open(tid, self._producer) is None
        first = self._broker.append(at, records, producer=self._producer, number=number, transactional_id=tid)
        if tid and new:
            opened = self._broker.open(tid, self._producer)
            loop = asyncio.get_running_loop()
            loop.call_later(self._transaction_seconds, self._too_long, tid, opened, context=Context())
        return first

    def _too_long(self, transactional_id: str, opened: object) -> None:
        if self._broker.open(transactional_id, self._producer) is opened:
            self._broker.timed_out(transactional_id, self._producer)

    def _fail(self, error: KafkaError, futures: list["asyncio.Future[RecordMetadata]"]) -> None:
        if isinstance(error, InvalidProducerEpoch):
            error = self._fatal = ProducerFenced()
            for line in self._lines.values():
                futures += [future for _, future in line.waiting]
                line.waiting.clear()
        self._failed = error
        for future in futures:
            if not future.done():
                future.set_exception(error)
                future.exception()  # nobody need ask

    # -- transactions -------------------------------------------------------------------------------------------------

    async def begin_transaction(self) -> None:
        """What is sent from now on is seen together, or not at all."""
        self._may("begin", not self._in_transaction)
        self._in_transaction, self._failed = True, None

    def maybe_add_partition_to_txn(self, at: TopicPartition) -> None:
        """The transaction ends in this partition too (as ``_txn_manager`` of aiokafka has it)."""
        self._to_add.add(at)

    async def commit_transaction(self) -> None:
        """Let it be seen. Goes on by itself when nobody waits for it any more.

        :raises KafkaError: when not all of it could be sent.
        """
        self._may("commit", self._in_transaction)
        self._in_transaction = False
        await asyncio.shield(asyncio.create_task(self._end(commit=True)))

    async def abort_transaction(self) -> None:
        """Let it never have been."""
        self._may("abort", self._in_transaction)
        self._in_transaction = False
        await asyncio.shield(asyncio.create_task(self._end(commit=False)))

    def _may(self, what: str, right: bool) -> None:
        if self._fatal:
            raise self._fatal
        if not self._transactional_id or not right:
            raise IllegalOperation(f"not the moment to {what}")

    async def _end(self, *, commit: bool) -> None:
        await self.flush()
        if self._failed and commit:
            raise self._failed
        tid = self._transactional_id or ""
        added, self._to_add = sorted(self._to_add), set()
        try:
            if added:
                await self._ask.until_answered("add", lambda: self._broker.add(tid, self._producer, added))
            await self._ask.until_answered("end", lambda: self._broker.end(tid, self._producer, commit=commit))
        except InvalidProducerEpoch as error:
            self._fail(error, [])
            raise ProducerFenced from None

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[None]:
        """Commit at the end, or abort when something went wrong."""
        await self.begin_transaction()
        try:
            yield
        except BaseException:
            if not self._fatal:
                await self.abort_transaction()
            raise
        await self.commit_transaction()
