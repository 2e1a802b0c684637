"""What is loaded and saved together: each is told for itself."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from pymongo.errors import BulkWriteError, WriteConcernError, WriteError
from tyrsky.aggregate import Rejected
from tyrsky.guarded import Guarded, GuardedWrites
from tyrsky.store import Saved, Store

from .room import Room, RoomCommand
from .test_store import change, created, store

__all__ = ["store"]

pytestmark = pytest.mark.stack


class Spy:
    """What was written together, while it is written."""

    def __init__(self, bulk_write: Any) -> None:
        self._bulk_write = bulk_write
        self.sizes: list[int] = []

    async def __call__(self, writes: Any, *more: Any, **options: Any) -> Any:
        self.sizes.append(len(writes))
        return await self._bulk_write(writes, *more, **options)


async def test_of_many_saved_together_each_is_told_whether_it_was_written(store: Store[Room, RoomCommand]) -> None:
    ids = [await created(store, change(1)) for _ in range(40)]
    read = await asyncio.gather(*(store.load("vaao", id) for id in ids))
    stale = set(ids[::7])
    for id in stale:
        assert (await store.save("vaao", id, read[ids.index(id)], change(2, left=9))).written
    bulks = Spy(store.collection.bulk_write)
    store.collection.bulk_write = bulks  # pyright: ignore[reportAttributeAccessIssue]
    saves = [store.save("vaao", id, before, change(2, sequences=(1,))) for id, before in zip(ids, read, strict=True)]
    saved = await asyncio.gather(*saves)
    assert bulks.sizes == [40]
    assert {id for id, each in zip(ids, saved, strict=True) if not each.written} == stale
    after = await asyncio.gather(*(store.load("vaao", id) for id in ids))
    assert [each.waiting for each in after if each] == [0 if id in stale else 1 for id in ids]
    tokens = {each["_id"]: each["lease_token"] async for each in store.collection.find({})}
    assert all(each.claim.token == tokens[each.claim.id] for each in saved if each.claim)


async def test_what_the_store_cannot_take_fails_alone(store: Store[Room, RoomCommand]) -> None:
    ids = [await created(store, change(1)) for _ in range(6)]
    read = await asyncio.gather(*(store.load("vaao", id) for id in ids))
    await store.collection.update_one(
        {"_id": str(ids[4])}, {"$set": {"outbox": "spoilt"}}
    )  # the server refuses to push
    seats = [3, 3, 2**70, 3, 3, 3]  # and the client to encode
    saves = [
        store.save("vaao", id, before, change(2, sequences=(1,), left=left))
        for id, before, left in zip(ids, read, seats, strict=True)
    ]
    saved = await asyncio.gather(*saves, return_exceptions=True)
    assert [isinstance(each, Saved) and each.written for each in saved] == [True, True, False, True, False, True]
    refused, failed = (each for each in saved if not isinstance(each, Saved))
    assert isinstance(refused, Rejected)
    assert refused.code == "not-storable"
    assert isinstance(failed, WriteError)
    tokens = {each["_id"]: each["lease_token"] async for each in store.collection.find({})}
    assert all(each.claim and each.claim.token == tokens[each.claim.id] for each in saved if isinstance(each, Saved))


async def test_what_the_client_cannot_encode_fails_alone(store: Store[Room, RoomCommand]) -> None:
    ids = [str(await created(store, change(1))) for _ in range(3)]
    writes, texts = GuardedWrites(store.collection), ["whole", "half a letter: \ud83d", "whole too"]
    asked = [
        Guarded({"_id": id, "college": "vaao", "version": 1}, {"$set": {"text": text, "lease_token": id}}, token=id)
        for id, text in zip(ids, texts, strict=True)
    ]
    first, second, third = await asyncio.gather(*(writes.write(each) for each in asked), return_exceptions=True)
    assert (first, third) == (True, True)
    assert isinstance(second, UnicodeError)
    kept = {each["_id"]: each.get("text") async for each in store.collection.find({})}
    assert [kept[id] for id in ids] == ["whole", None, "whole too"]


async def test_who_is_too_late_costs_the_others_one_look(store: Store[Room, RoomCommand]) -> None:
    ids = [await created(store, change(1)) for _ in range(20)]
    read = await asyncio.gather(*(store.load("vaao", id) for id in ids))
    assert (await store.save("vaao", ids[3], read[3], change(2))).written
    alone = Spy(store.collection.update_one)
    store.collection.update_one = alone  # pyright: ignore[reportAttributeAccessIssue]
    saves = [store.save("vaao", id, before, change(2, sequences=(1,))) for id, before in zip(ids, read, strict=True)]
    assert [each.written for each in await asyncio.gather(*saves)] == [number != 3 for number in range(20)]
    assert alone.sizes == []


async def test_of_many_loaded_together_each_college_gets_its_own(store: Store[Room, RoomCommand]) -> None:
    mine, theirs = await created(store, change(1, left=1)), uuid4()
    assert (await store.save("sasky", theirs, None, change(1, left=2))).written
    asked = [("vaao", mine), ("sasky", mine), ("vaao", theirs), ("sasky", theirs), ("vaao", uuid4()), ("vaao", mine)]
    found = await asyncio.gather(*(store.load(college, id) for college, id in asked))
    assert [each and each.state.left for each in found] == [1, None, None, 2, None, 1]


async def test_what_others_may_not_keep_is_nobodys_success(store: Store[Room, RoomCommand]) -> None:
    """A replica set that lost its majority takes writes and says so; no server here can be brought to do it."""

    async def alone(*_: Any, **__: Any) -> None:
        lost = {"code": 64, "errmsg": "waiting for replication timed out"}
        raise BulkWriteError({"writeErrors": [], "writeConcernErrors": [lost], "nMatched": 2})

    ids = [await created(store, change(1)) for _ in range(2)]
    read = await asyncio.gather(*(store.load("vaao", id) for id in ids))
    store.collection.bulk_write = alone  # pyright: ignore[reportAttributeAccessIssue]
    saves = [store.save("vaao", id, before, change(2, sequences=(1,))) for id, before in zip(ids, read, strict=True)]
    saved = await asyncio.gather(*saves, return_exceptions=True)
    assert [type(each) for each in saved] == [WriteConcernError] * 2
