"""The embedded store finds a document by its id when the query names more than that, as all of the kit's do; and what
services look for again and again."""

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from deploy.local import mongo
from deploy.local.stack import Stack

pytestmark = pytest.mark.stack

Row = dict[str, Any]

START_SECONDS = 60
ROWS = 20_000
TIMES = 60

EPOCH, NOON = datetime.fromtimestamp(0, UTC), datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture
def rows(stack: Stack) -> Iterator[Collection[Row]]:
    part = mongo.part(stack)
    with subprocess.Popen(part.command, env={**os.environ, **part.env}, stdout=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + START_SECONDS
            while mongo.part(stack).ready():
                assert time.monotonic() < until
                time.sleep(0.1)
            with MongoClient[Row](stack.mongo_uri) as client:
                collection = client["test"]["rows"]
                for first in range(0, ROWS, 1000):
                    collection.insert_many([row(number) for number in range(first, first + 1000)])
                yield collection
        finally:
            process.kill()


def row(number: int) -> Row:
    return {"_id": str(number), "college": "vaao", "number": number, "version": 1, "about": "x" * 200}


def test_a_query_by_id_and_more_does_not_read_the_collection(rows: Collection[Row]) -> None:
    def seconds(*queries: Row) -> float:
        began = time.perf_counter()
        for query in queries:
            assert rows.find_one(query)
        return time.perf_counter() - began

    by_id = [{"_id": str(number * 7), "college": "vaao"} for number in range(TIMES)]
    seconds(*by_id)
    assert seconds(*by_id) < seconds(*[{"number": number * 7, "college": "vaao"} for number in range(TIMES)]) / 3


def test_the_rest_of_the_query_holds_all_the_same(rows: Collection[Row]) -> None:
    assert rows.find_one({"_id": "7", "college": "sasky"}) is None
    assert rows.find_one({"college": "vaao", "_id": {"$in": ["7"]}, "version": {"$lt": 2}}) is not None
    assert rows.update_one({"_id": "7", "version": 2}, {"$set": {"version": 3}}).matched_count == 0
    assert rows.update_one({"_id": "7", "version": 1}, {"$set": {"version": 2}}).matched_count == 1
    assert rows.delete_one({"_id": "7", "version": 1}).deleted_count == 0
    assert rows.count_documents({"_id": {"$gt": "7"}, "number": 70}) == 1
    rows.create_index([("number", 1), ("about", 1)], unique=True)
    assert rows.count_documents({"number": 9, "about": "x" * 200, "version": 1}) == 1


def test_what_waits_is_found_without_the_collection_and_nothing_else_is(rows: Collection[Row]) -> None:
    def query(number: int) -> Row:
        return {"outbox_since": {"$gt": EPOCH}, "number": {"$lt": number}}

    def seconds() -> float:
        began = time.perf_counter()
        for _ in range(TIMES):
            assert found(rows, query(ROWS)) == ["7", "8"]
        return time.perf_counter() - began

    for number, since in ((7, NOON), (8, NOON + timedelta(hours=1)), (9, NOON)):
        rows.update_one({"_id": str(number)}, {"$set": {"outbox_since": since}})
    rows.update_one({"_id": "9"}, {"$unset": {"outbox_since": ""}})
    unindexed = seconds()
    rows.create_index([("outbox_since", 1)])
    assert seconds() < unindexed / 3
    assert found(rows, query(8)) == ["7"]
    assert found(rows, {"outbox_since": {"$lt": NOON}}) == []
    assert found(rows, {"outbox_since": NOON}) == ["7"]
    assert rows.count_documents({"outbox_since": {"$exists": False}}) == ROWS - 2
    rows.update_one({"_id": "8"}, {"$min": {"outbox_since": NOON - timedelta(hours=1)}})
    rows.insert_one(row(-1) | {"outbox_since": NOON})
    assert found(rows, query(ROWS)) == ["8", "-1", "7"]
    rows.delete_one({"_id": "-1"})
    rows.update_many({}, {"$unset": {"outbox_since": ""}})
    assert found(rows, query(ROWS)) == []


def test_a_status_is_found_as_it_changes(rows: Collection[Row]) -> None:
    rows.create_index([("state.status", 1), ("state.due_at", 1)])
    statuses = {"1": "accepted", "2": "accepted", "3": "sent"}
    for id, status in statuses.items():
        rows.update_one({"_id": id}, {"$set": {"state": {"status": status}}})
    assert found(rows, {"state.status": "accepted", "college": "vaao"}) == ["1", "2"]
    rows.update_one({"_id": "2", "state.status": "accepted"}, {"$set": {"state.status": "sent"}})
    assert found(rows, {"state.status": "accepted"}) == ["1"]
    assert found(rows, {"state.status": {"$in": ["accepted", "sent"]}}) == ["1", "2", "3"]
    assert found(rows, {"$or": [{"state.status": "accepted"}, {"_id": "9"}]}) == ["1", "9"]
    assert rows.find_one_and_update({"state.status": "sent"}, {"$set": {"state.status": "failed"}}) is not None
    assert len(found(rows, {"state.status": "sent"})) == 1


def found(rows: Collection[Row], query: Row) -> list[str]:
    order = "outbox_since" if "outbox_since" in query else "_id"
    return [each["_id"] for each in rows.find(query).sort([(order, 1), ("_id", 1)])]
