"""A projection rebuilt from the first event into a new edition, while the service goes on with the old one.

The service's consumers learn of the new edition with their next batch, and begin where the rebuild ended: see
``tyrsky.rows`` and ``Consumer``. So nothing falls between the two, and readers see the one or the other.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky_contracts.codec import Undecodable

from tyrsky.background import STOP_SECONDS, ended
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.dead_letters import DeadLetters
from tyrsky.deliveries import Codec, Delivery, Edition, Message, cause_of, key_text
from tyrsky.inbox import Inbox
from tyrsky.projecting import Projection, R
from tyrsky.rows import ProjectionReaction, Shelf, Shelves
from tyrsky.store import Document
from tyrsky.watching import partitions_of

POLL_MS = 1000
SILENCE_SECONDS = 60
"""How long Kafka may deliver nothing before its end is reached, until the rebuild gives up."""

Progress = Callable[[int, int], None]


class RebuildFailed(Exception):  # noqa: N818 - reads as the sentence that it prints
    """Nothing was changed. The message says why."""


async def rebuild(
    projection: Projection[R],
    database: AsyncDatabase[Document],
    *,
    service: str,
    bootstrap: str,
    codec: Codec,
    leave_out_failing: bool = False,
    progress: Progress,
) -> Shelf[R]:
    """Fold a projection anew from all that its topics hold, and make that the current edition.

    :param leave_out_failing: a key whose event fails is folded up to that event only; otherwise nothing is changed.
    :raises RebuildFailed: when an event cannot be folded, Kafka falls silent, or somebody else rebuilt it meanwhile.
    """
    shelves = Shelves(database, projection)
    before = await shelves.current()
    number = before.number + 1
    edition = Edition(number, f"{projection.name}_edition_{number}_{uuid4().hex[:8]}")
    shelf = shelves.shelf(edition)
    reaction = ProjectionReaction(projection, database, service=service)
    inbox = Inbox(reaction, DeadLetters(database), codec, ConsumerSettings())
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed")
    await consumer.start()
    try:
        failed: dict[str, str] = {}
        complete = await _read_all(consumer, await _partitions(bootstrap, inbox), inbox, shelf, failed, progress)
        if failed and not leave_out_failing:
            raise RebuildFailed(_these_failed(failed))
        if not await shelves.publish(replace(edition, complete=complete)):
            raise RebuildFailed(f"somebody else rebuilt {projection.name} meanwhile")
    except BaseException:
        await shelf.collection.drop()
        raise
    finally:
        await ended(consumer.stop, seconds=STOP_SECONDS)
    await shelves.sweep({edition.collection, before.collection})
    return shelf


async def _read_all(
    consumer: AIOKafkaConsumer,
    partitions: list[TopicPartition],
    inbox: Inbox,
    shelf: Shelf[R],
    failed: dict[str, str],
    progress: Progress,
) -> dict[tuple[str, int], int]:
    """Fold every message there is into a shelf, and return the offsets behind the last of them."""
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    total = sum(end.values()) - sum(first.values())
    reached = dict(first)
    silent_since = asyncio.get_running_loop().time()
    while any(reached[at] < end[at] for at in partitions):
        batch = await consumer.getmany(timeout_ms=POLL_MS, max_records=2_000)
        # The position, not the last record: a transaction's marks are offsets without a record.
        for at in partitions:
            position = await consumer.position(at)
            if position > reached[at]:
                reached[at], silent_since = position, asyncio.get_running_loop().time()
        queues: dict[str, list[Delivery]] = {}
        for record in (record for records in batch.values() for record in records):
            message = Message(
                record.topic, record.partition, record.offset, key_text(record.key), tuple(record.headers), record.value
            )
            _sort_in(message, inbox, queues, failed)
        taken = await shelf.fold(queues, inbox.reaction.group)
        failed |= {key: cause_of(failure.error) for key, failure in taken.failures.items()}
        progress(sum(reached.values()) - sum(first.values()), total)
        if asyncio.get_running_loop().time() - silent_since > SILENCE_SECONDS:
            raise RebuildFailed(f"Kafka delivered nothing for {SILENCE_SECONDS} s before the end")
    return {(at.topic, at.partition): offset for at, offset in reached.items()}


async def _partitions(bootstrap: str, inbox: Inbox) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        partitions = await partitions_of(admin, inbox.topics)
    finally:
        await admin.close()
    if not partitions:
        raise RebuildFailed(f"there is no topic {', '.join(inbox.topics)}")
    return partitions


def _sort_in(message: Message, inbox: Inbox, queues: dict[str, list[Delivery]], failed: dict[str, str]) -> None:
    key = f"{message.topic}/{message.key or f'#{message.id}'}"
    if key in failed or not inbox.wants(message):
        return
    try:
        queues.setdefault(key, []).append(inbox.understand(message))
    except Undecodable as error:
        if message.key is not None and error.cause != "envelope-malformed":  # else it has no place in any order
            failed[key] = cause_of(error)


def _these_failed(failed: dict[str, str]) -> str:
    some = "\n".join(f"  {key}: {cause}" for key, cause in list(failed.items())[:10])
    return f"{len(failed)} keys have an event that cannot be folded:\n{some}"
