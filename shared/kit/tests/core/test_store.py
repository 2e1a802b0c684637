"""The store's contract, held to by whatever ``MONGO_URI`` names, through PyMongo's async client and through Motor."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from bson import encode
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from tyrsky.aggregate import Aggregate, Command, Happening, Rejected, State
from tyrsky.receipts import AGE_MAX, BYTES_MAX, KEPT, Receipt
from tyrsky.store import STATE_BYTES_MAX, Change, Outgoing, Store, bson

from .room import Room, RoomCommand, room

pytestmark = pytest.mark.stack

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(params=["pymongo", "motor"])
async def store(request: pytest.FixtureRequest, mongo_uri: str) -> AsyncIterator[Store[Room, RoomCommand]]:
    name = f"store_{uuid4().hex[:12]}"
    if request.param == "pymongo":
        async with AsyncMongoClient[dict[str, Any]](mongo_uri) as client:
            yield Store(client[name], room, lambda: "a-relay")
            await client.drop_database(name)
    else:
        motor: Any = AsyncIOMotorClient(mongo_uri)
        yield Store(motor[name], room, lambda: "a-relay")
        await motor.drop_database(name)
        motor.close()


def change(version: int, *, sequences: tuple[int, ...] = (), receipts: int = 0, left: int = 3) -> Change[Room]:
    return Change(
        Room(left=left, opened_at=NOON),
        version,
        sequences[-1] if sequences else 0,
        [Outgoing("rooms", sequence, {"ce_id": str(uuid4())}, "{}") for sequence in sequences],
        [Receipt(f"{version}-{number}", "print", version, {"left": left}, NOON) for number in range(receipts)],
        NOON,
    )


async def created(store: Store[Room, RoomCommand], first: Change[Room]) -> UUID:
    id = uuid4()
    assert (await store.save("vaao", id, None, first)).written
    return id


async def test_what_is_saved_is_loaded(store: Store[Room, RoomCommand]) -> None:
    await store.prepare()
    id = await created(store, change(1, sequences=(1,), receipts=1))
    loaded = await store.load("vaao", id)
    assert loaded is not None
    assert (loaded.id, loaded.version, loaded.sequence, loaded.college) == (id, 1, 1, "vaao")
    assert loaded.state == Room(left=3, opened_at=NOON)
    assert loaded.receipts["1-0"].answer == {"left": 3}


async def test_another_colleges_aggregate_is_not_there(store: Store[Room, RoomCommand]) -> None:
    id = await created(store, change(1))
    assert await store.load("sasky", id) is None
    mine = await store.load("vaao", id)
    assert not (await store.save("sasky", id, mine, change(2))).written


async def test_an_id_is_taken_once(store: Store[Room, RoomCommand]) -> None:
    id = await created(store, change(1))
    assert not (await store.save("vaao", id, None, change(1))).written


async def test_an_id_that_another_college_has_is_refused_and_not_tried_again(
    store: Store[Room, RoomCommand],
) -> None:
    id = await created(store, change(1))
    with pytest.raises(Rejected, match="id-taken"):
        await store.save("sasky", id, None, change(1))


async def test_of_two_who_read_the_same_one_writes(store: Store[Room, RoomCommand]) -> None:
    id = await created(store, change(1))
    both = await store.load("vaao", id)
    assert (await store.save("vaao", id, both, change(2, left=2))).written
    assert not (await store.save("vaao", id, both, change(2, left=1))).written
    now = await store.load("vaao", id)
    assert now is not None
    assert now.state.left == 2


async def test_a_state_has_a_size(store: Store[Room, RoomCommand]) -> None:
    id = await created(store, change(1))
    before = await store.load("vaao", id)
    large = replace(change(2), state=Room(left=3, guests=("x" * STATE_BYTES_MAX,)))
    with pytest.raises(Rejected, match="aggregate-full"):
        await store.save("vaao", id, before, large)
    assert (await store.save("vaao", id, before, change(2))).written


async def test_a_receipt_of_another_version_is_read(store: Store[Room, RoomCommand]) -> None:
    id = await created(store, change(1, receipts=1))
    other = {"key": "1-0", "fingerprint": "print", "version": 1, "answer": {"left": 3}, "at": NOON, "more": "to tell"}
    await store.collection.update_one({"_id": str(id)}, {"$set": {"receipts": [other]}})
    loaded = await store.load("vaao", id)
    assert loaded
    [receipt] = loaded.receipts.values()
    assert (receipt.answer, receipt.bytes) == ({"left": 3}, len(encode({"left": 3})))


async def test_events_and_receipts_come_with_the_state_or_not_at_all(store: Store[Room, RoomCommand]) -> None:
    id = await created(store, change(1, sequences=(1,)))
    stale = await store.load("vaao", id)
    assert (await store.save("vaao", id, stale, change(2, sequences=(2, 3), receipts=1))).written
    await store.save("vaao", id, stale, change(2, sequences=(2,), receipts=5))
    document = await store.collection.find_one({"_id": str(id)})
    assert document is not None
    assert [entry["sequence"] for entry in document["outbox"]] == [1, 2, 3]
    assert len(document["receipts"]) == 1


async def test_a_write_claims_what_it_publishes_when_nothing_was_waiting(store: Store[Room, RoomCommand]) -> None:
    id = uuid4()
    first = (await store.save("vaao", id, None, change(1, sequences=(1,)))).claim
    assert first is not None
    assert (first.by, first.version) == ("a-relay", 1)
    waiting = await store.load("vaao", id)
    assert (await store.save("vaao", id, waiting, change(2, sequences=(2,)))).claim is None
    await store.collection.update_one({"_id": str(id)}, {"$set": {"outbox": []}})
    empty = await store.load("vaao", id)
    again = (await store.save("vaao", id, empty, change(3, sequences=(3,)))).claim
    assert again is not None
    assert again.token != first.token
    document = await store.collection.find_one({"_id": str(id)})
    assert document is not None
    assert (document["lease_by"], document["lease_token"]) == ("a-relay", again.token)


async def test_without_a_relay_nothing_is_claimed(store: Store[Room, RoomCommand]) -> None:
    alone = Store(store.collection.database, room)
    id = uuid4()
    assert (await alone.save("vaao", id, None, change(1, sequences=(1,)))).claim is None
    document = await store.collection.find_one({"_id": str(id)})
    assert document is not None
    assert "outbox_since" in document
    assert "lease_by" not in document


async def test_what_waits_is_marked_even_when_it_was_cleared_meanwhile(store: Store[Room, RoomCommand]) -> None:
    id = await created(store, change(1, sequences=(1,)))
    before = await store.load("vaao", id)
    await store.collection.update_one({"_id": str(id)}, {"$set": {"outbox": []}, "$unset": {"outbox_since": ""}})
    assert (await store.save("vaao", id, before, change(2, sequences=(2,)))).written
    document = await store.collection.find_one({"_id": str(id)})
    assert document is not None
    assert document["outbox_since"] == NOON


async def test_receipts_are_bounded(store: Store[Room, RoomCommand]) -> None:
    id = await created(store, change(1, receipts=KEPT + 10))
    before = await store.load("vaao", id)
    assert before is not None
    assert len(before.receipts) == KEPT
    await store.save("vaao", id, before, change(2, receipts=3))
    after = await store.load("vaao", id)
    assert after is not None
    assert len(after.receipts) == KEPT
    assert list(after.receipts)[-1] == "2-2"


async def test_large_answers_leave_room_in_the_document(store: Store[Room, RoomCommand]) -> None:
    id = await created(store, change(1))
    for version in range(2, 32):
        large = Receipt(f"wish {version}", "print", version, {"text": "t" * 2**19}, NOON)
        before = await store.load("vaao", id)
        assert (await store.save("vaao", id, before, replace(change(version), receipts=[large]))).written
    after = await store.load("vaao", id)
    assert after is not None
    assert list(after.receipts) == [f"wish {version}" for version in range(25, 32)]  # 7 of half a megabyte, and some
    assert sum(each.bytes for each in after.receipts.values()) <= BYTES_MAX


async def test_old_receipts_go_with_the_next_write(store: Store[Room, RoomCommand]) -> None:
    id = await created(store, change(1, receipts=2))
    before = await store.load("vaao", id)
    next_day = replace(change(2), now=NOON + AGE_MAX + timedelta(seconds=1))
    assert (await store.save("vaao", id, before, next_day)).written
    after = await store.load("vaao", id)
    assert after is not None
    assert after.receipts == {}


def test_a_state_is_written_in_types_that_bson_has() -> None:
    id = uuid4()
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC) + timedelta(milliseconds=5)
    given = {"id": id, "day": date(2026, 1, 2), "at": moment, "sum": Decimal("1.10"), "set": ({1}, "x"), "none": None}
    assert bson(given) == {
        "id": str(id),
        "day": "2026-01-02",
        "at": moment,
        "sum": "1.10",
        "set": [[1], "x"],
        "none": None,
    }


def test_commands_without_the_aggregates_id_are_refused() -> None:
    class Lost(Command):
        pass

    def decide(state: State | None, command: Lost) -> list[Happening]:
        return []

    def evolve(state: State | None, event: Happening) -> State:
        return State()

    with pytest.raises(TypeError, match="Lost has no field room_id"):
        Aggregate("room", State, Lost, decide, evolve)
