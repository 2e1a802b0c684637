"""The embedded store finds a document by its id when the query names more than that, as all of the kit's do."""

import os
import subprocess
import time
from collections.abc import Iterator
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
