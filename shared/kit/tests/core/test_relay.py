"""From the outbox to a real Kafka: at once, in order, at least once, and never by one whose lease is over."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky import finding
from tyrsky.clearing import TakenAway
from tyrsky.deciding import Decider
from tyrsky.drafting import Ask
from tyrsky.holding import Holders
from tyrsky.kafka_log import KafkaLog
from tyrsky.relay import Relay
from tyrsky.store import Claim, Document, Store

from .room import OpenRoom, Room, RoomCommand, SeatTaken, TakeSeat, codec, room

pytestmark = pytest.mark.stack

GONE = "kit-test-that-is-gone"


class Rig:
    """A service's write side, with as many relays as a test wants."""

    def __init__(self, database: AsyncDatabase[Document], bootstrap: str, topic: str) -> None:
        self.database, self.bootstrap, self.topic = database, bootstrap, topic
        self.store: Store[Room, RoomCommand] = Store(database, room)
        self._relays: list[Relay] = []

    def decider(self, publish: Callable[[Claim], None]) -> Decider[Room, RoomCommand]:
        """What a relay of this rig is to publish, it claims; anything else was claimed by a process that is gone."""
        relay = next((relay for relay in self._relays if relay.publish == publish), None)
        store = Store(self.database, room, relay.claimant if relay else lambda: GONE)
        return Decider(store, codec(self.topic), publish)

    def relay(self, bootstrap: str | None = None) -> Relay:
        relay = Relay(self.database, KafkaLog(bootstrap or self.bootstrap, "kit-test"), "kit-test")
        relay.watch("rooms")
        self._relays.append(relay)
        return relay

    async def fill(self, publish: Callable[[Claim], None], seats: int, *, id: UUID | None = None) -> UUID:
        """A room that fills up, one seat a write."""
        id = id or uuid4()
        await self.open(publish, id, seats=seats)
        await self.take_seats(publish, id, *(f"g{number}" for number in range(seats)))
        return id

    async def open(self, publish: Callable[[Claim], None], id: UUID, *, seats: int) -> None:
        """A room's first event."""
        command = OpenRoom(room_id=id, seats=seats)
        await self.decider(publish).carry_out(Ask(command, uuid4(), "vaao"))

    async def take_seats(self, publish: Callable[[Claim], None], id: UUID, *guests: str) -> None:
        """More events of a room that is there."""
        for guest in guests:
            command = TakeSeat(room_id=id, guest=guest)
            await self.decider(publish).carry_out(Ask(command, uuid4(), "vaao"))

    async def read_all(self) -> list[tuple[str, int]]:
        """Every message that readers can see now: subject and sequence."""
        at = TopicPartition(self.topic, 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
        )
        await consumer.start()
        found: list[Any] = []
        try:
            consumer.assign([at])
            end = (await consumer.end_offsets([at]))[at]
            async with asyncio.timeout(30):
                while await consumer.position(at) < end:
                    found += (await consumer.getmany(timeout_ms=200)).get(at, [])
        finally:
            await consumer.stop()
        return [(m.key.decode(), int(dict(m.headers)["ce_sequence"])) for m in found]

    async def read(self, count: int) -> list[tuple[str, int]]:
        """The first messages of the topic: subject and sequence."""
        return [(m.key.decode(), int(dict(m.headers)["ce_sequence"])) for m in await self.messages(count)]

    async def messages(self, count: int) -> list[Any]:
        consumer = AIOKafkaConsumer(
            self.topic,
            bootstrap_servers=self.bootstrap,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        await consumer.start()
        try:
            async with asyncio.timeout(30):
                return [await consumer.getone() for _ in range(count)]
        finally:
            await consumer.stop()

    async def document(self, id: UUID) -> Document:
        document = await self.store.collection.find_one({"_id": str(id)})
        assert document is not None
        return document

    async def quiet(self) -> None:
        """Wait until no outbox holds anything."""
        async with asyncio.timeout(30):
            while await self.waiting():
                await asyncio.sleep(0.02)

    async def waiting(self) -> int:
        """How many outboxes hold something."""
        return await self.store.collection.count_documents({"outbox_since": {"$exists": True}})


@pytest.fixture
def rig(database: AsyncDatabase[Document], bootstrap: str, topic: str) -> Rig:
    return Rig(database, bootstrap, topic)


@asynccontextmanager
async def running(relay: Relay) -> AsyncGenerator[Relay]:
    await relay.start()
    try:
        yield relay
    finally:
        await relay.stop(5)


async def holder_of(relay: Relay) -> str:
    """The id that a relay publishes under."""
    async with asyncio.timeout(10):
        while not (holder := relay.claimant()):
            await asyncio.sleep(0.02)
    return holder


def nobody(claim: Claim) -> None:
    """A process that died before it published."""


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_what_is_saved_is_published_in_order_and_the_outbox_emptied(rig: Rig) -> None:
    async with running(rig.relay()) as relay:
        ids = await asyncio.gather(*(rig.fill(relay.publish, 5) for _ in range(6)))
        await rig.quiet()
    read = await rig.read(36)
    for id in ids:
        assert [sequence for subject, sequence in read if subject == str(id)] == [1, 2, 3, 4, 5, 6]
    documents = await rig.store.collection.find().to_list()
    assert [document["outbox"] for document in documents] == [[]] * 6
    assert not any("lease_by" in document for document in documents)


async def test_a_message_is_the_event_in_its_envelope(rig: Rig) -> None:
    async with running(rig.relay()) as relay:
        id = await rig.fill(relay.publish, 1)
        message = (await rig.messages(2))[1]
    event, envelope = codec(rig.topic).decode(message.headers, message.value)
    assert event == SeatTaken(room_id=id, left=0)
    assert (envelope.subject, envelope.sequence, envelope.college) == (str(id), 2, "vaao")
    assert envelope.source == "/colleges/vaao/rooms"
    assert b"g0" not in message.value  # who sits there stays at home


async def test_what_a_dead_process_left_is_found_and_published(rig: Rig) -> None:
    id = await rig.fill(nobody, 3)
    async with running(rig.relay()):
        await rig.quiet()
    assert await rig.read(4) == [(str(id), sequence) for sequence in (1, 2, 3, 4)]


async def test_what_a_living_relay_has_claimed_nobody_else_publishes(rig: Rig) -> None:
    holders = Holders(rig.database)
    await holders.register(GONE, [])
    id = await rig.fill(nobody, 1)
    async with running(rig.relay()):
        for _ in range(8):
            assert await holders.beat(GONE, {})
            await asyncio.sleep(1)
        document = await rig.document(id)
        assert len(document["outbox"]) == 2
        assert document["lease_by"] == GONE
        await rig.quiet()  # its heart stops
    assert await rig.read_all() == [(str(id), 1), (str(id), 2)]


async def test_a_claim_that_was_taken_over_clears_nothing(rig: Rig) -> None:
    relay = rig.relay()
    claims: list[Claim] = []
    id = await rig.fill(claims.append, 0)
    await rig.store.collection.update_one({"_id": str(id)}, {"$set": {"lease_token": "another"}})
    with pytest.raises(TakenAway):  # it is not to move on the place from which its successor reads
        await relay._clearer.clear("rooms", claims)
    assert len((await rig.document(id))["outbox"]) == 1


async def test_a_claim_of_a_holder_that_was_given_up_is_published_by_its_successor(rig: Rig) -> None:
    async with running(rig.relay()) as relay:
        first = await rig.fill(relay.publish, 0)
        await rig.quiet()
        relay.give_up()
        second = await rig.fill(relay.publish, 0)
        await rig.quiet()
    assert [subject for subject, _ in await rig.read_all()] == [str(first), str(second)]


async def test_what_was_added_while_publishing_is_published_too_and_once(rig: Rig) -> None:
    async with running(rig.relay()) as relay:
        id = await rig.fill(relay.publish, 3)  # the first write claims; the others may only add
        await rig.quiet()
        await rig.fill(relay.publish, 0)
    assert [sequence for subject, sequence in await rig.read(5) if subject == str(id)] == [1, 2, 3, 4]


async def test_without_kafka_saving_goes_on_and_publishing_follows(rig: Rig) -> None:
    async with running(rig.relay("127.0.0.1:9")) as cut_off:
        id = await rig.fill(cut_off.publish, 2)
        await asyncio.sleep(0.5)
        document = await rig.store.collection.find_one({"_id": str(id)})
        assert document is not None
        assert len(document["outbox"]) == 3
    async with running(rig.relay()):
        await rig.quiet()
    assert [sequence for _, sequence in await rig.read(3)] == [1, 2, 3]


async def test_what_cannot_be_published_is_in_nobodys_way(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "CLAIMS_MAX", 5)
    stuck = Rig(rig.database, rig.bootstrap, f"{rig.topic}-that-was-never-made")
    for _ in range(6):
        await stuck.fill(nobody, 0)
    good = await rig.fill(nobody, 1)
    async with running(rig.relay()):
        assert await rig.read(2) == [(str(good), 1), (str(good), 2)]


async def test_an_outbox_that_cannot_be_read_stops_no_other(rig: Rig) -> None:
    odd, good = await rig.fill(nobody, 0), await rig.fill(nobody, 0)
    await rig.store.collection.update_one({"_id": str(odd)}, {"$set": {"outbox": [{"of": "another version"}]}})
    async with running(rig.relay()):
        assert await rig.read(1) == [(str(good), 1)]
        later = await rig.fill(nobody, 0)
        assert [subject for subject, _ in await rig.read(2)] == [str(good), str(later)]


async def test_a_claim_without_events_stops_no_other(rig: Rig) -> None:
    claims: list[Claim] = []
    nothing, something = await rig.fill(claims.append, 0), await rig.fill(claims.append, 0)
    await rig.store.collection.update_one({"_id": str(nothing)}, {"$set": {"outbox": []}, "$inc": {"version": 1}})
    await rig.store.collection.update_one({"_id": str(something)}, {"$inc": {"version": 1}})
    relay = rig.relay()
    await relay._clearer.clear("rooms", [replace(claims[0], outgoing=[]), claims[1]])
    assert (await rig.document(something))["outbox"] == []


async def test_stopping_publishes_what_is_in_hand(rig: Rig) -> None:
    relay = rig.relay()
    await relay.start()
    await holder_of(relay)
    await asyncio.gather(*(rig.fill(relay.publish, 0) for _ in range(20)))
    await relay.stop(5)

    async def empty() -> bool:
        return await rig.store.collection.count_documents({"outbox_since": {"$exists": True}}) == 0

    await eventually(empty)
    assert len(await rig.read(20)) == 20
