"""What the system holds, looked up past its own doors: topics, the store, the mailboxes, consumer groups."""

import asyncio
import imaplib
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.store import Document

from deploy.local import mailbox
from deploy.local.stack import HOST, Stack

READ_SECONDS = 120
QUIET_MS = 500
LEFT_SECONDS = 5
OURS = "faults"
"""A header of messages that the rig itself wrote: those that are no events, and those that it wrote again."""

Message = ConsumerRecord[bytes, bytes]

MESSAGE_ID = re.compile(rb"Message-ID:\s*(<[^>]+>)", re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """A message on a topic, as a reader meets it."""

    topic: str
    partition: int
    offset: int
    key: str
    sequence: int
    id: str


@dataclass(frozen=True)
class Room:
    """A room of the example service as the store has it, and how many seats the read model says are left."""

    seats: int
    held: int
    reservations: Mapping[str, str]
    left_shown: int | None = None


@dataclass(frozen=True)
class Call:
    """A call of the webhook that came in, and whether its signature is right."""

    id: str
    body: str
    genuine: bool = True


@dataclass(frozen=True)
class Kept:
    """An aggregate in the store: how many events it has published or has waiting, and its version."""

    place: str
    version: int
    sequence: int
    waiting: int


async def kept(databases: Mapping[str, AsyncDatabase[Document]]) -> dict[str, Kept]:
    """Every aggregate of every service, by its id."""
    found: dict[str, Kept] = {}
    for service, database in databases.items():
        for name in await database.list_collection_names():
            fields = {"version": 1, "sequence": 1, "outbox.sequence": 1, "lease_token": 1}
            async for document in database[name].find({"lease_token": {"$exists": True}}, fields):
                waiting = len(document.get("outbox", ()))
                place = f"{service}.{name}"
                found[document["_id"]] = Kept(place, document["version"], document["sequence"], waiting)
    return found


async def parked(database: AsyncDatabase[Document]) -> list[str]:
    """Dead letters that lie with a service, and what they are about."""
    return [f"{box['_id']}" async for box in database["dead_letters"].find({}, {"_id": 1})]


async def edition(database: AsyncDatabase[Document], model: str) -> str:
    """The collection that a read model is in at the moment."""
    pointer = await database["projections"].find_one({"_id": model})
    return pointer["collection"] if pointer else model


async def sequences(database: AsyncDatabase[Document], collection: str) -> dict[tuple[str, str], int]:
    """How far each row of a read model has heard of each subject."""
    found: dict[tuple[str, str], int] = {}
    async for row in database[collection].find({}, {"sequences": 1}):
        found |= {(row["_id"], subject): sequence for subject, sequence in row.get("sequences", {}).items()}
    return found


async def rooms(database: AsyncDatabase[Document]) -> dict[str, Room]:
    """Every room of the example service ``seats``, and what its read model says."""
    shelf = database[await edition(database, "occupancy")]
    left = {row["_id"]: row["row"]["left"] async for row in shelf.find({}, {"row.left": 1})}
    found: dict[str, Room] = {}
    async for each in database["rooms"].find({}, {"state": 1}):
        state = each["state"]
        reservations = {id: one["status"] for id, one in state["reservations"].items()}
        found[each["_id"]] = Room(state["seats"], state["held"], reservations, left.get(each["_id"]))
    return found


async def messages(bootstrap: str, topics: Iterable[str]) -> AsyncGenerator[Message]:
    """All that a reader of committed messages finds on these topics but what the rig wrote, in order within each
    partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with asyncio.timeout(READ_SECONDS):
        await consumer.start()
        try:
            partitions = await partitions_of(bootstrap, topics)
            if not partitions:
                return
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(partitions)
            while any([await consumer.position(at) < ends[at] for at in partitions]):
                for batch in (await consumer.getmany(timeout_ms=QUIET_MS)).values():
                    for each in batch:
                        if OURS not in dict(each.headers):
                            yield each
        finally:
            await consumer.stop()


async def records(bootstrap: str, topics: Iterable[str]) -> list[Record]:
    """The same as events."""
    found: list[Record] = []
    async for each in messages(bootstrap, topics):
        headers = dict(each.headers)
        sequence, id = int(headers.get("ce_sequence", b"0")), headers.get("ce_id", b"").decode()
        found.append(Record(each.topic, each.partition, each.offset, (each.key or b"").decode(), sequence, id))
    return found


async def ends(bootstrap: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """The next offset of each partition of these topics on which there was ever a message."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        partitions = await partitions_of(bootstrap, topics)
        found = await consumer.end_offsets(partitions) if partitions else {}
        return {(at.topic, at.partition): end for at, end in found.items() if end}
    finally:
        await consumer.stop()


async def partitions_of(bootstrap: str, topics: Iterable[str]) -> list[TopicPartition]:
    """All partitions of these topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        described = await admin.describe_topics(list(topics))
    finally:
        await admin.close()
    return _partitions(described)


def _partitions(described: Iterable[Mapping[str, Any]]) -> list[TopicPartition]:
    return [TopicPartition(each["topic"], part["partition"]) for each in described for part in each["partitions"]]


async def lag(bootstrap: str, groups: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Messages that each group has not yet handled, of the topics that it reads; those without any are left out."""
    admin, behind = AIOKafkaAdminClient(bootstrap_servers=bootstrap), dict[str, int]()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False)
    try:
        await admin.start()
        await consumer.start()
        described = await admin.describe_topics(list({topic for topics in groups.values() for topic in topics}))
        partitions = _partitions(described)
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        for group, topics in groups.items():
            committed = await admin.list_consumer_group_offsets(group)
            for at in partitions:
                if at.topic not in topics:
                    continue
                read = committed[at].offset if at in committed and committed[at].offset >= 0 else begins[at]
                if read < ends[at] and (left := await left_over(consumer, at, read, ends[at])):
                    behind[group] = behind.get(group, 0) + left
    finally:
        await consumer.stop()
        await admin.close()
    return behind


async def left_over(consumer: AIOKafkaConsumer, at: TopicPartition, read: int, end: int) -> int:
    """Messages from an offset on: the marks at the end of transactions have offsets too, and are none.

    Who cannot be read to the end is taken to have one: silence is not emptiness.
    """
    consumer.assign([at])
    consumer.seek(at, read)
    count, until = 0, time.monotonic() + LEFT_SECONDS
    while await consumer.position(at) < end:
        count += sum(len(batch) for batch in (await consumer.getmany(timeout_ms=QUIET_MS)).values())
        if time.monotonic() > until:
            return max(count, 1)
    return count


def mails(stack: Stack, addresses: Iterable[str]) -> Counter[str]:
    """How often each Message-ID is in the boxes of these addresses."""
    found: Counter[str] = Counter()
    for address in addresses:
        with imaplib.IMAP4(HOST, stack.ports["imap"], timeout=60) as box:
            box.login(address, mailbox.PASSWORD)
            _, [count] = box.select("INBOX", readonly=True)
            if not int(count or b"0"):
                continue
            _, lines = box.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
            for line in lines:
                if isinstance(line, tuple) and (named := MESSAGE_ID.search(line[1])):
                    found[named[1].decode()] += 1
    return found
