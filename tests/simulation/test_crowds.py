"""Much that waits at once: it hides nothing, holds nothing up for ever, and costs calls by what is new in it."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from tyrsky import finding, metrics
from tyrsky import relay as relaying
from tyrsky.aggregate import Rejected
from tyrsky.aside import Aside
from tyrsky.clearing import Clearer
from tyrsky.finding import CLAIMS_MAX, Finder
from tyrsky.holding import Holders
from tyrsky.producing import Message, Partition, Places
from tyrsky.relay import EVENTS_BYTES_MAX, Relay
from tyrsky.store import Change, Claim, Document, Outgoing, Store

from shared.kit.tests.core.room import Room, room
from tests.simulation.clock import simulated
from tests.simulation.loop import Loop
from tests.simulation.network import Direct, Work
from tests.simulation.store import Server

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def waiting(id: str, topic: str, *, since: datetime = LONG_AGO, by: str = "", body: str = "{}") -> Document:
    entry = {"topic": topic, "sequence": 1, "headers": {"ce_id": id, "ce_type": "t"}, "body": body}
    document = {"_id": id, "version": 1, "outbox_since": since, "lease_token": by, "outbox": [entry]}
    return document | ({"lease_by": by} if by else {})


class Publishing:
    """A relay that knows of no claim."""

    def __init__(self) -> None:
        self.gave_up = False
        self.published: list[str] = []

    def publish(self, claim: Claim) -> None:
        self.published.append(claim.id)

    def room(self) -> int:
        return 10_000

    def holds(self, collection: str, id: str) -> bool:
        return False

    def give_up(self) -> None:
        self.gave_up = True

    def cleared(self, claims: Sequence[Claim], places: Places, *, well: bool) -> None:
        assert well


async def test_what_waits_for_a_topic_does_not_hide_what_dead_relays_left(monkeypatch: Any) -> None:
    monkeypatch.setattr(finding, "ORPHAN_SECONDS", 0)
    database: Any = Server().client()["x"]
    relay = Publishing()
    aside = Aside()
    finder = Finder(database, cast(Any, None), Holders(database), aside, relay)
    finder.go_on_as("me")
    aside.topic_is_absent("absent")
    await database["rooms"].insert_many([waiting(str(number), "absent") for number in range(CLAIMS_MAX + 1)])
    later = LONG_AGO + timedelta(days=1)
    await database["rooms"].insert_many([waiting(f"of {by}", "there", since=later, by=by) for by in ("nobody", "me")])
    for _ in range(2):
        await finder._poll(database["rooms"])
        await asyncio.sleep(0.01)
    assert finder._given_up == {"nobody"}
    assert relay.gave_up


class Slow:
    """A Kafka that takes so much in time, and no more."""

    def __init__(self, takes: Callable[[Sequence[Message]], bool]) -> None:
        self._takes = takes
        self.tried: list[int] = []

    async def open(self, holder: str) -> "Slow":
        return self

    async def fence(self, lanes: Sequence[str], topics: Iterable[str]) -> None:
        pass

    async def stable(self, partitions: Iterable[Partition]) -> Places:
        return dict.fromkeys(partitions, 1)

    async def end_what_hangs(self, partitions: Iterable[Partition]) -> None:
        pass

    async def seen(self, since: Places) -> dict[tuple[str, str], int]:
        return {}

    async def begins(self, topic: str) -> Places:
        return {(topic, 0): 0}

    async def send(self, messages: Sequence[Message]) -> list[tuple[Partition, int]]:
        self.tried.append(len(messages))
        if not self._takes(messages):
            raise TimeoutError
        return [((each.topic, 0), 0) for each in messages]

    async def close(self) -> None:
        pass


def sent(count: int, body: str, takes: Callable[[Sequence[Message]], bool]) -> list[int]:
    """How many messages each transaction had that was tried, of so many that waited."""
    loop, slow = Loop("slow"), Slow(takes)

    async def publish() -> None:
        database: Any = Server().client()["x"]
        await database["rooms"].insert_many([waiting(str(number), "t", body=body) for number in range(count)])
        relay = Relay(database, slow, "x")
        relay.watch("rooms")
        await relay.start()
        async with asyncio.timeout(600):
            while await database["rooms"].count_documents({"outbox_since": {"$exists": True}}):
                await asyncio.sleep(1)
        await relay.stop(1)

    with simulated(loop, "slow"):
        loop.run(publish())
    return slow.tried


def test_what_does_not_get_through_in_time_is_sent_in_smaller_parts() -> None:
    first, *later = sent(300, "{}", lambda messages: len(messages) <= 100)
    assert (first, later[0]) == (300, 75)


def test_a_transaction_has_a_size() -> None:
    large = "x" * 2**20
    tried = sent(20, large, lambda messages: True)
    assert (sum(tried), max(tried)) == (20, EVENTS_BYTES_MAX // 2**20)


async def test_the_oldest_event_is_as_old_as_it_is_and_not_as_its_outbox() -> None:
    """An outbox to which something is always added is never empty, though no event waits for long."""
    database: Any = Server().client()["x"]
    finder = Finder(database, cast(Any, None), Holders(database), Aside(), Publishing())
    age = metrics.outbox_oldest_age_seconds.labels("rooms")
    mark = waiting("only private events since", "t") | {"outbox": []}
    busy = waiting("busy", "t")
    busy["outbox"][0]["headers"]["ce_time"] = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    for document, least, most in ((mark, 0, 0), (busy, 5, 60), (waiting("without", "t"), 3600, 1e9)):
        await database["rooms"].insert_one(document)
        await finder._poll(database["rooms"])
        assert least <= age._value.get() <= most


async def test_what_was_being_saved_when_the_queue_was_full_is_published_all_the_same(monkeypatch: Any) -> None:
    """One claim too many gave the whole holder up, and with it all that it had claimed."""
    monkeypatch.setattr(relaying, "QUEUE_MAX", 2)
    relay = Relay(cast(Any, Server().client()["x"]), cast(Any, None), "a-relay")
    relay._holder = "h"
    saved = [relay.claimant() for _ in range(3)]
    for number, by in enumerate(saved):
        relay.publish(Claim("rooms", str(number), 1, str(by), "t", []))
    assert saved == ["h"] * 3
    assert (relay.claimant(), relay.room()) == (None, -1)  # nobody claims more until there is room again
    claims = await relay._next()
    relay._done_with(claims)
    assert ([claim.id for claim in claims], relay.claimant()) == (["0", "1", "2"], "h")


class Counting(Direct):
    """Notes how many things each call asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    async def call(self, name: str, works: Sequence[Work], lost: Callable[[], Exception]) -> list[Any]:
        self.calls.append((name, len(works)))
        return await super().call(name, works, lost)


@pytest.mark.parametrize("added", [1, 50])
async def test_clearing_many_looks_again_at_those_alone_that_were_saved_meanwhile_and_at_all_of_them_at_once(
    added: int,
) -> None:
    """With a call for each, a store that took a second for a call had more to be looked at every time."""
    server, counting = Server(), Counting()
    database: Any = server.client()["x"]
    documents = [waiting(str(number), "t", by="me") for number in range(50)]
    await database["rooms"].insert_many(documents)
    claims = [
        Claim("rooms", each["_id"], 1, "me", "me", [Outgoing(**entry) for entry in each["outbox"]])
        for each in documents
    ]
    more = {"topic": "t", "sequence": 2, "headers": {"ce_id": "x", "ce_type": "t"}, "body": "{}"}
    ids = [str(number) for number in range(50 - added, 50)]
    await database["rooms"].update_many({"_id": {"$in": ids}}, {"$set": {"version": 2}, "$push": {"outbox": more}})
    relay: Any = Publishing()
    counted: Any = server.client(counting)["x"]
    await Clearer(counted, Holders(counted), relay).clear("rooms", claims)
    assert counting.calls == [("rooms.bulk_write", 50), ("rooms.find", 1), ("rooms.bulk_write", added)]
    assert sorted(relay.published) == sorted(ids)
    left = [each async for each in database["rooms"].find({"outbox_since": {"$exists": True}})]
    assert [(each["_id"], each["outbox"]) for each in left] == [(id, [more]) for id in ids]


async def test_what_the_server_finds_too_large_is_refused() -> None:
    """As MongoDB does it. The embedded server takes it, up to what fits into a message."""
    database: Any = Server().client()["x"]
    store, id = Store(database, room), uuid4()

    def change(version: int) -> Change[Room]:
        state = Room(left=1, guests=("x" * 4 * 2**20,) if version > 1 else ())
        return Change(state, version, 0, [], [], datetime.now(UTC))

    await store.save("vaao", id, None, change(1))
    await database["rooms"].update_one({"_id": str(id)}, {"$set": {"of another version": "x" * 13 * 2**20}})
    before = await store.load("vaao", id)
    with pytest.raises(Rejected, match="aggregate-full"):
        await store.save("vaao", id, before, change(2))
