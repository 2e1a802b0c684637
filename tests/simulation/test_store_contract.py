"""What the store in memory promises, it promises as the real one does: the same tests run on both.

What the kit asks of it, statement by statement; ``test_kit_on_memory`` adds what the kit makes of it.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, InsertOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, WriteError

from tests.simulation.dialect import Unsupported
from tests.simulation.store import Server

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AFTER = ReturnDocument.AFTER


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.stack)])
async def rooms(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A collection of the test's own."""
    codec = CodecOptions[dict[str, Any]](tz_aware=True, tzinfo=UTC)
    name = f"contract_{uuid4().hex[:12]}"
    if request.param == "memory":
        yield Server().client()[name].get_collection("rooms", codec_options=codec)
        return
    async with AsyncMongoClient[dict[str, Any]](os.environ["MONGO_URI"]) as client:
        yield client[name].get_collection("rooms", codec_options=codec)
        await client.drop_database(name)


async def ids(rooms: Any, filter: dict[str, Any]) -> list[str]:
    return [each["_id"] for each in await rooms.find(filter).sort("_id", 1).to_list()]


async def test_what_comes_back_is_what_bson_makes_of_it(rooms: Any) -> None:
    given = {"_id": "a", "at": NOON + timedelta(microseconds=1999), "tuple": ({"x": 1}, "y"), "none": None, "raw": b"1"}
    assert (await rooms.insert_one(given)).inserted_id == "a"
    found = await rooms.find_one({"_id": "a"})
    assert found["at"] == NOON + timedelta(milliseconds=1)
    assert found["at"].utcoffset() == timedelta()
    assert (found["tuple"], found["none"], found["raw"]) == ([{"x": 1}, "y"], None, b"1")
    found["tuple"].append("mine")
    assert (await rooms.find_one({"_id": "a"}))["tuple"] == [{"x": 1}, "y"]


async def test_an_id_is_taken_once(rooms: Any) -> None:
    await rooms.insert_one({"_id": "a", "n": 1})
    with pytest.raises(DuplicateKeyError) as refused:
        await rooms.insert_one({"_id": "a", "n": 2})
    assert refused.value.code == 11000
    assert (await rooms.find_one({"_id": "a"}))["n"] == 1


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["a", "b", "c"]),
    ({"n": 1}, ["a"]),
    ({"_id": "a", "n": 2}, []),
    ({"n": {"$ne": 1}}, ["b", "c"]),
    ({"n": None}, ["c"]),
    ({"n": {"$exists": True}}, ["a", "b"]),
    ({"n": {"$exists": False}}, ["c"]),
    ({"n": {"$gt": 1}}, ["b"]),
    ({"n": {"$gte": 1, "$lt": 2}}, ["a"]),
    ({"at": {"$lte": NOON}}, ["a"]),
    ({"at": {"$lt": NOON}}, []),
    ({"_id": {"$in": ["a", "c", "z"]}}, ["a", "c"]),
    ({"_id": {"$nin": ["a"]}}, ["b", "c"]),
    ({"_id": {"$nin": []}}, ["a", "b", "c"]),
    ({"$or": [{"n": 1}, {"at": {"$exists": False}}]}, ["a", "c"]),
    ({"$and": [{"n": {"$gt": 0}}, {"n": {"$gt": 1}}]}, ["b"]),
    ({"in.ner": "x"}, ["a"]),
    ({"in": {"ner": "x"}}, ["a"]),
    ({"list": "p"}, ["a"]),
    ({"list": {"$size": 0}}, ["b"]),
    ({"list": []}, ["b"]),
    ({"list": {"$ne": "p"}}, ["b", "c"]),
    ({"things.id": "1"}, ["a"]),
    ({"things.id": {"$ne": "1"}}, ["b", "c"]),
    ({"things.id": {"$nin": ["1", "9"]}}, ["b", "c"]),
    ({"things.id": {"$in": ["2"]}}, ["a", "b"]),
    ({"things": {"$elemMatch": {"id": "2", "k": "v"}}}, ["b"]),
    ({"flag": True}, ["a"]),
    ({"flag": 1}, []),
]


@pytest.mark.parametrize(("filter", "wanted"), FILTERS, ids=[str(filter) for filter, _ in FILTERS])
async def test_a_filter_finds(rooms: Any, filter: dict[str, Any], wanted: list[str]) -> None:
    await rooms.insert_many(
        [
            {
                "_id": "a", "n": 1, "at": NOON, "in": {"ner": "x"}, "list": ["p", "q"], "flag": True,
                "things": [{"id": "1", "k": "v"}, {"id": "2"}],
            },
            {"_id": "b", "n": 2, "at": NOON + timedelta(1), "list": [], "things": [{"id": "2", "k": "v"}]},
            {"_id": "c"},
        ]
    )  # fmt: skip
    assert await ids(rooms, filter) == wanted
    assert await rooms.count_documents(filter) == len(wanted)


PROJECTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"n": 1}, {"_id": "a", "n": 1}),
    ({"_id": 1}, {"_id": "a"}),
    ({"n": 1, "_id": 0}, {"n": 1}),
    ({"things.id": 1}, {"_id": "a", "things": [{"id": "1"}, {"id": "2"}]}),
    ({"things.k": 0, "in": 0}, {"_id": "a", "n": 1, "things": [{"id": "1"}, {"id": "2"}]}),
    ({"at": 0}, {"_id": "a", "n": 1, "in": {"x": 1, "y": 2}, "things": [{"id": "1", "k": "v"}, {"id": "2"}]}),
    ({"in.y": 1, "lacks": 1}, {"_id": "a", "in": {"y": 2}}),
]


@pytest.mark.parametrize(("fields", "wanted"), PROJECTIONS, ids=[str(fields) for fields, _ in PROJECTIONS])
async def test_a_projection_shows(rooms: Any, fields: dict[str, Any], wanted: dict[str, Any]) -> None:
    await rooms.insert_one({"_id": "a", "n": 1, "in": {"x": 1, "y": 2}, "things": [{"id": "1", "k": "v"}, {"id": "2"}]})
    assert await rooms.find_one({"_id": "a"}, fields) == wanted
    assert await rooms.find({}, fields).to_list() == [wanted]


UPDATES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"$set": {"n": 5, "in.new.er": 1}}, {"n": 5, "in": {"x": 1, "new": {"er": 1}}}),
    ({"$unset": {"in": "", "lacks": ""}}, {"in": None}),
    ({"$inc": {"n": 2, "made": 1}}, {"n": 3, "made": 1}),
    ({"$min": {"n": 0, "made": 7}}, {"n": 0, "made": 7}),
    ({"$min": {"n": 9}}, {"n": 1}),
    ({"$max": {"n": 9}}, {"n": 9}),
    ({"$push": {"list": 3}}, {"list": [1, 2, 3]}),
    ({"$push": {"list": {"$each": [3, 4]}}}, {"list": [1, 2, 3, 4]}),
    ({"$push": {"list": {"$each": [3, 4], "$slice": -3}}}, {"list": [2, 3, 4]}),
    ({"$push": {"made": {"$each": [{"a": 1}]}}}, {"made": [{"a": 1}]}),
    ({"$addToSet": {"list": 2}}, {"list": [1, 2]}),
    ({"$pull": {"list": 2}}, {"list": [1]}),
    ({"$pull": {"list": {"$gte": 1}}}, {"list": []}),
    ({"$pull": {"things": {"id": "1"}}}, {"things": [{"id": "2", "n": 2}]}),
    ({"$pull": {"things": {"n": {"$lte": 2}}}}, {"things": []}),
    ({"$setOnInsert": {"n": 7}, "$set": {"m": 1}}, {"n": 1, "m": 1}),
]


@pytest.mark.parametrize(("update", "wanted"), UPDATES, ids=[str(update) for update, _ in UPDATES])
async def test_an_update_changes(rooms: Any, update: dict[str, Any], wanted: dict[str, Any]) -> None:
    await rooms.insert_one(
        {"_id": "a", "n": 1, "in": {"x": 1}, "list": [1, 2], "things": [{"id": "1", "n": 1}, {"id": "2", "n": 2}]}
    )
    before = await rooms.find_one({"_id": "a"})
    result = await rooms.update_one({"_id": "a"}, update)
    after = await rooms.find_one({"_id": "a"})
    assert {name: after.get(name) for name in wanted} == wanted
    assert {name: value for name, value in after.items() if name not in wanted} == {
        name: value for name, value in before.items() if name not in wanted
    }
    assert result.matched_count == 1
    assert (await rooms.update_one({"_id": "z"}, update)).matched_count == 0


async def test_the_element_that_was_found_is_changed(rooms: Any) -> None:
    await rooms.insert_one({"_id": "a", "token": "t", "letters": [{"id": "1", "n": 0}, {"id": "2", "n": 0}]})
    await rooms.update_one(
        {"_id": "a", "token": "t", "letters.id": "2"},
        {"$set": {"letters.$.cause": "x"}, "$inc": {"letters.$.n": 1, "tries": 1}},
    )
    found = await rooms.find_one({"_id": "a"})
    assert found["letters"] == [{"id": "1", "n": 0}, {"id": "2", "n": 1, "cause": "x"}]
    assert found["tries"] == 1


async def test_an_upsert_makes_what_is_not_there_and_a_second_one_of_the_same_id_is_refused(rooms: Any) -> None:
    async def put(letter: str) -> Any:
        return await rooms.update_one(
            {"_id": "a", "letters.id": {"$ne": letter}},
            {"$push": {"letters": {"id": letter}}, "$inc": {"count": 1}, "$setOnInsert": {"opened": NOON}},
            upsert=True,
        )

    made = await put("1")
    assert (made.upserted_id, made.matched_count) == ("a", 0)
    assert (await put("2")).matched_count == 1
    with pytest.raises(DuplicateKeyError):
        await put("2")
    found = await rooms.find_one({"_id": "a"})
    assert (found["letters"], found["count"], found["opened"]) == ([{"id": "1"}, {"id": "2"}], 2, NOON)


async def test_an_upsert_of_what_is_there_changes_nothing(rooms: Any) -> None:
    made = await rooms.update_one({"_id": "a"}, {"$setOnInsert": {"n": 1}}, upsert=True)
    assert made.upserted_id == "a"
    again = await rooms.update_one({"_id": "a"}, {"$setOnInsert": {"n": 2}}, upsert=True)
    assert again.upserted_id is None
    assert (await rooms.find_one({"_id": "a"}))["n"] == 1


async def test_find_and_update_takes_the_first_in_order_and_answers_with_it(rooms: Any) -> None:
    await rooms.insert_many([{"_id": "a", "due": 2}, {"_id": "b", "due": 1}, {"_id": "c", "due": 3}])
    taken = await rooms.find_one_and_update(
        {"due": {"$lte": 2}}, {"$set": {"token": "t"}}, sort=[("due", 1)], return_document=AFTER
    )
    assert taken == {"_id": "b", "due": 1, "token": "t"}
    assert await rooms.find_one_and_update({"_id": "a"}, {"$inc": {"due": 5}}) == {"_id": "a", "due": 2}
    assert await rooms.find_one_and_update({"_id": "z"}, {"$inc": {"due": 5}}, return_document=AFTER) is None


async def test_lists_are_sorted_and_limited(rooms: Any) -> None:
    await rooms.insert_many([{"_id": "a", "n": 2}, {"_id": "b"}, {"_id": "c", "n": 1}, {"_id": "d", "n": 3}])
    assert [each["_id"] for each in await rooms.find({}).sort("n", 1).to_list()] == ["b", "c", "a", "d"]
    assert [each["_id"] for each in await rooms.find({}).sort("n", -1).limit(2).to_list(10)] == ["d", "a"]
    assert (await rooms.find_one({"n": {"$exists": True}}, {"n": 1}, sort=[("n", 1)]))["_id"] == "c"
    assert [each["_id"] async for each in rooms.find().sort("_id", -1)] == ["d", "c", "b", "a"]


async def test_several_writes_are_each_by_itself(rooms: Any) -> None:
    await rooms.insert_one({"_id": "a", "version": 1})
    writes = [
        UpdateOne({"_id": "a", "version": 1}, {"$set": {"version": 2}}),
        UpdateOne({"_id": "a", "version": 1}, {"$set": {"version": 3}}),
        InsertOne({"_id": "b"}),
    ]
    result = await rooms.bulk_write(writes, ordered=False)
    assert (result.matched_count, result.inserted_count) == (1, 1)
    with pytest.raises(BulkWriteError) as refused:
        await rooms.bulk_write([InsertOne({"_id": "b"}), InsertOne({"_id": "c"})], ordered=False)
    assert [(each["index"], each["code"]) for each in refused.value.details["writeErrors"]] == [(0, 11000)]
    assert await ids(rooms, {}) == ["a", "b", "c"]
    with pytest.raises(BulkWriteError):
        await rooms.insert_many([{"_id": "b"}, {"_id": "d"}])  # in order: nothing behind the first that fails
    assert await ids(rooms, {}) == ["a", "b", "c"]


async def test_many_are_updated_and_deleted(rooms: Any) -> None:
    await rooms.insert_many([{"_id": "a", "by": "x"}, {"_id": "b", "by": "x"}, {"_id": "c", "by": "y"}])
    assert (await rooms.update_many({"by": "x"}, {"$unset": {"by": ""}})).matched_count == 2
    assert await ids(rooms, {"by": {"$exists": True}}) == ["c"]
    assert (await rooms.delete_one({"_id": "c", "by": "z"})).deleted_count == 0
    assert (await rooms.delete_one({"_id": "c"})).deleted_count == 1
    assert (await rooms.delete_many({})).deleted_count == 2


async def test_an_update_that_contradicts_itself_is_refused(rooms: Any) -> None:
    await rooms.insert_one({"_id": "a", "list": []})
    with pytest.raises((WriteError, OperationFailure)):
        await rooms.update_one({"_id": "a"}, {"$push": {"list": 1}, "$set": {"list": []}})
    with pytest.raises((WriteError, OperationFailure)):
        await rooms.update_one({"_id": "a"}, {"$set": {"_id": "b"}})
    assert await rooms.find_one({}) == {"_id": "a", "list": []}


async def test_the_store_in_memory_knows_what_it_does_not_know() -> None:
    rooms = Server().client()["x"]["rooms"]
    await rooms.insert_one({"_id": "a", "list": [1]})
    for filter in ({"list": {"$all": [1]}}, {"$expr": {}}, {"list.0": 1}, {"n": {"$regex": "x"}, "_id": "a"}):
        with pytest.raises(Unsupported):
            await rooms.find_one(filter)
    for update in ({"$rename": {"a": "b"}}, {"$push": {"list": {"$each": [1], "$sort": 1}}}, {"$set": {"list.0": 1}}):
        with pytest.raises(Unsupported):
            await rooms.update_one({"_id": "a"}, update)
