"""From the outbox to a real Kafka: at once, in order, at least once, and never by one whose lease is over."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky import relay as relaying
from tyrsky.deciding import Ask, Decider
from tyrsky.relay import Relay
from tyrsky.store import Claim, Document, Store

from .room import OpenRoom, Room, RoomCommand, SeatTaken, TakeSeat, codec, room

pytestmark = pytest.mark.stack

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Rig:
    """A service's write side, with as many relays as a test wants."""

    def __init__(self, database: AsyncDatabase[Document], bootstrap: str, topic: str) -> None:
        self.database, self.bootstrap, self.topic = database, bootstrap, topic
        self.store: Store[Room, RoomCommand] = Store(database, room)

    def decider(self, publish: Callable[[Claim], None]) -> Decider[Room, RoomCommand]:
        return Decider(self.store, codec(self.topic), publish)

    def relay(self, bootstrap: str | None = None) -> Relay:
        relay = Relay(self.database, bootstrap or self.bootstrap, "kit-test")
        relay.watch("rooms")
        return relay

    async def fill(self, publish: Callable[[Claim], None], seats: int, *, id: UUID | None = None) -> UUID:
        """A room that fills up, one seat a write."""
        id = id or uuid4()
        now = datetime.now(UTC)
        decider = self.decider(publish)
        await decider.carry_out(Ask(OpenRoom(room_id=id, seats=seats, now=now), uuid4(), "vaao"))
        for number in range(seats):
            await decider.carry_out(Ask(TakeSeat(room_id=id, guest=f"g{number}", now=now), uuid4(), "vaao"))
        return id

    async def read(self, count: int) -> list[tuple[str, int]]:
        """The first messages of the topic: subject and sequence."""
        return [(m.key.decode(), int(dict(m.headers)["ce_sequence"])) for m in await self.messages(count)]

    async def messages(self, count: int) -> list[Any]:
        consumer = AIOKafkaConsumer(self.topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            async with asyncio.timeout(30):
                return [await consumer.getone() for _ in range(count)]
        finally:
            await consumer.stop()

    async def quiet(self) -> None:
        """Wait until no outbox holds anything."""
        async with asyncio.timeout(30):
            while await self.store.collection.count_documents({"outbox_since": {"$exists": True}}):
                await asyncio.sleep(0.02)


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
    assert not any("lease_until" in document for document in documents)


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
    await rig.store.collection.update_one({"_id": str(id)}, {"$set": {"lease_until": NOW}})
    async with running(rig.relay()):
        await rig.quiet()
    assert await rig.read(4) == [(str(id), sequence) for sequence in (1, 2, 3, 4)]


async def test_while_a_lease_lasts_nobody_else_publishes(rig: Rig) -> None:
    id = await rig.fill(nobody, 1)
    async with running(rig.relay()):
        await asyncio.sleep(3)  # a poll and more
        document = await rig.store.collection.find_one({"_id": str(id)})
        assert document is not None
        assert len(document["outbox"]) == 2
        assert document["lease_token"] == 1


async def test_a_lease_that_was_taken_over_clears_nothing(rig: Rig) -> None:
    claims: list[Claim] = []
    id = await rig.fill(claims.append, 0)
    await rig.store.collection.update_one({"_id": str(id)}, {"$inc": {"lease_token": 1}})
    async with running(rig.relay()) as relay:
        relay.publish(claims[0])
        assert await rig.read(1) == [(str(id), 1)]
        await asyncio.sleep(0.3)
        document = await rig.store.collection.find_one({"_id": str(id)})
    assert document is not None
    assert len(document["outbox"]) == 1


async def test_nothing_is_sent_late_in_a_lease(rig: Rig) -> None:
    claims: list[Claim] = []
    await rig.fill(claims.append, 0)
    late = replace(claims[0], until=datetime.now(UTC) + timedelta(seconds=1))
    other: list[Claim] = []
    timely = await rig.fill(other.append, 0)
    async with running(rig.relay()) as relay:
        relay.publish(late)
        relay.publish(other[0])
        assert await rig.read(1) == [(str(timely), 1)]


async def test_what_was_added_while_publishing_is_published_too_and_once(rig: Rig) -> None:
    claims: list[Claim] = []
    id = await rig.fill(claims.append, 3)  # the first write claimed; the others only added
    assert len(claims) == 1
    async with running(rig.relay()) as relay:
        relay.publish(claims[0])
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
    await rig.store.collection.update_one({"_id": str(id)}, {"$set": {"lease_until": NOW}})
    async with running(rig.relay()):
        await rig.quiet()
    assert [sequence for _, sequence in await rig.read(3)] == [1, 2, 3]


async def test_what_cannot_be_published_is_in_nobodys_way(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "BATCH_MAX", 5)
    stuck = Rig(rig.database, rig.bootstrap, f"{rig.topic}-that-was-never-made")
    for _ in range(6):
        await stuck.fill(nobody, 0)
    good = await rig.fill(nobody, 1)
    await rig.store.collection.update_many({}, {"$set": {"lease_until": NOW}})
    async with running(rig.relay()):
        assert await rig.read(2) == [(str(good), 1), (str(good), 2)]


async def test_an_outbox_that_cannot_be_read_stops_no_other(rig: Rig) -> None:
    odd, good = await rig.fill(nobody, 0), await rig.fill(nobody, 0)
    await rig.store.collection.update_many({}, {"$set": {"lease_until": NOW}})
    await rig.store.collection.update_one({"_id": str(odd)}, {"$set": {"outbox": [{"of": "another version"}]}})
    async with running(rig.relay()):
        assert await rig.read(1) == [(str(good), 1)]
        later = await rig.fill(nobody, 0)
        await rig.store.collection.update_one({"_id": str(later)}, {"$set": {"lease_until": NOW}})
        assert [subject for subject, _ in await rig.read(2)] == [str(good), str(later)]


async def test_what_a_given_up_producer_holds_never_leaves(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = rig.relay()
    producer = await relay._running_producer()
    answers, away = producer.client.ready, True

    async def ready(*about: Any, **more: Any) -> bool:
        return False if away else await answers(*about, **more)

    monkeypatch.setattr(producer.client, "ready", ready)
    await producer.send(rig.topic, b"late", key=b"late")
    await relay._drop_producer()
    away = False
    async with running(rig.relay()) as successor:
        ids = [await rig.fill(successor.publish, 0) for _ in range(3)]
        assert [subject for subject, _ in await rig.read(3)] == [str(id) for id in ids]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4):
                await rig.read(4)


async def test_a_claim_without_events_stops_no_other(rig: Rig) -> None:
    claims: list[Claim] = []
    nothing, something = await rig.fill(claims.append, 0), await rig.fill(claims.append, 0)
    await rig.store.collection.update_one({"_id": str(nothing)}, {"$set": {"outbox": []}, "$inc": {"version": 1}})
    await rig.store.collection.update_one({"_id": str(something)}, {"$inc": {"version": 1}})
    relay = rig.relay()
    await relay._clear(relay._collection("rooms"), [replace(claims[0], outgoing=[]), claims[1]])
    document = await rig.store.collection.find_one({"_id": str(something)})
    assert document is not None
    assert document["outbox"] == []


async def test_stopping_publishes_what_is_in_hand(rig: Rig) -> None:
    relay = rig.relay()
    await relay.start()
    await asyncio.gather(*(rig.fill(relay.publish, 0) for _ in range(20)))
    await relay.stop(5)

    async def empty() -> bool:
        return await rig.store.collection.count_documents({"outbox_since": {"$exists": True}}) == 0

    await eventually(empty)
    assert len(await rig.read(20)) == 20
