"""The embedded store's file after a kill: a write is in it whole or not at all, and what was seen is in it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local import jars, mongo
from deploy.local.stack import ROOT, Stack

pytestmark = pytest.mark.stack

Row = dict[str, Any]

START_SECONDS = 60
WRITERS = 4
AT_ONCE = 50
WRITE_SECONDS = 1.5
TIMES = 2
NAMES_TIMES = 100
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)

LOOK = """
import json, sys
from pathlib import Path
from deploy.local import mongo_server
mongo_server.start_java(sys.argv[2])
store = mongo_server.open_store(Path(sys.argv[1]))
{change}
print(json.dumps({{str(name): int(store.openMap(name).sizeAsLong()) for name in store.getMapNames()}}))
store.close()
"""


@contextmanager
def running(stack: Stack) -> Generator[MongoClient[Row]]:
    """The store as the stack starts it, which is killed at the end."""
    part = mongo.part(stack)
    with subprocess.Popen(part.command, env={**os.environ, **part.env}, stdout=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + START_SECONDS
            while mongo.part(stack).ready():
                assert time.monotonic() < until
                time.sleep(0.1)
            with MongoClient[Row](stack.mongo_uri, serverSelectionTimeoutMS=2000) as client:
                yield client
        finally:
            process.kill()


def look(stack: Stack, change: str = "") -> dict[str, int]:
    """How much is in each map of the file, as it is, after ``change``."""
    command = [sys.executable, "-c", LOOK.format(change=change)]
    command += [str(stack.folder / "mongo" / "data.h2"), jars.class_path("mongo")]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_a_write_is_in_the_file_whole_or_not_at_all_and_so_is_what_was_seen(stack: Stack) -> None:
    told: dict[str, int] = dict.fromkeys([f"rows{number}" for number in range(WRITERS)], 0)
    seen = dict(told)
    for turn in range(TIMES):
        with running(stack) as client:

            def write(name: str, turn: int = turn, client: MongoClient[Row] = client) -> None:
                with suppress(PyMongoError):
                    for first in range(0, 10**6, AT_ONCE):
                        ids = range(first, first + AT_ONCE)
                        client["test"][name].insert_many([{"_id": f"{turn}-{each}", "x": "x" * 900} for each in ids])
                        told[name] += AT_ONCE

            def read(name: str, client: MongoClient[Row] = client) -> None:
                with suppress(PyMongoError):
                    while True:
                        seen[name] = client["test"][name].estimated_document_count()

            tasks = [threading.Thread(target=task, args=(name,)) for name in told for task in (write, read)]
            for task in tasks:
                task.start()
            time.sleep(WRITE_SECONDS)
        for task in tasks:
            task.join()
        sizes = look(stack)
        for name in told:
            kept = sizes.get(f"databases.test.{name}", 0)
            assert kept == sizes.get(f"test.{name}._index__id_", 0)
            assert kept % AT_ONCE == 0
            assert kept >= told[name]
            assert kept >= seen[name]


def test_an_index_that_lacks_a_document_is_made_anew(stack: Stack) -> None:
    with running(stack) as client:
        rows = client["test"]["rows"]
        rows.insert_many([{"_id": str(number), "number": number} for number in range(20)])
        rows.create_index("number", unique=True)
    broken = """
for name in ("test.rows._index__id_", "test.rows._index_number_1"):
    index = store.openMap(name)
    index.remove(index.firstKey())
store.commit()
"""
    assert look(stack, broken)["test.rows._index__id_"] == 19
    with running(stack) as client:
        rows = client["test"]["rows"]
        assert all(rows.find_one({"_id": str(number), "number": number}) for number in range(20))
        assert all(rows.find_one({"number": number}) for number in range(20))


def test_what_is_dropped_and_made_is_in_the_file_and_other_databases_stay(stack: Stack) -> None:
    with running(stack) as client:
        for name in ("x", "x-seats", "x12"):
            client[name]["rows"].insert_one({"_id": 1, "number": 1})
            client[name]["rows"].create_index("number", unique=True)
        client["x"]["made"].create_index("number", unique=True)
        client["x12"]["rows"].drop_index("number_1")
        client["x12"].create_collection("empty")
        client.drop_database("x")
        assert client["x"]["rows"].find_one() is None
        client["x"]["rows"].insert_one({"_id": 2})
    with running(stack) as client:
        assert client["x"]["rows"].find_one({"_id": 2}) == {"_id": 2}
        assert client["x"].list_collection_names() == ["rows"]
        assert client["x-seats"]["rows"].find_one({"_id": 1})
        assert client["x-seats"]["rows"].find_one({"number": 1})
        assert set(client["x12"].list_collection_names()) == {"rows", "empty"}
        assert client["x12"]["rows"].find_one({"_id": 1, "number": 1})
        assert list(client["x12"]["rows"].index_information()) == ["_id_"]


def test_what_the_library_would_lose_is_refused(stack: Stack) -> None:
    with running(stack) as client:
        client["x"]["rows"].insert_one({"_id": 1})
        with pytest.raises(OperationFailure):
            client["x"]["rows"].rename("others")
        with pytest.raises(OperationFailure):
            client["x"]["rows"].aggregate([{"$out": "others"}])
        assert client["x"].list_collection_names() == ["rows"]


def test_to_tell_the_databases_names_changes_nothing_while_others_write(stack: Stack) -> None:
    over, written = threading.Event(), list[str]()
    with running(stack) as client:

        def write(name: str) -> None:
            for number in range(10**6):
                if over.is_set():
                    return
                client["test"]["rows"].insert_one({"_id": f"{name}-{number}", "x": "x" * 200})
                written.append(f"{name}-{number}")

        writers = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
        for writer in writers:
            writer.start()
        try:
            for _ in range(NAMES_TIMES):
                assert set(client.list_database_names()) <= {"test"}
        finally:
            over.set()
            for writer in writers:
                writer.join()
        assert [id for id in written if client["test"]["rows"].find_one({"_id": id}) is None] == []
        assert len(written) > NAMES_TIMES


def test_what_waits_is_found_after_a_start_too(stack: Stack) -> None:
    with running(stack) as client:
        rows = client["test"]["rows"]
        rows.create_index([("outbox_since", 1)])
        rows.insert_many([{"_id": str(number), "outbox_since": NOON} for number in range(3)])
    with running(stack) as client:
        rows = client["test"]["rows"]
        rows.update_one({"_id": "1"}, {"$unset": {"outbox_since": ""}})
        rows.create_index([("outbox_since", 1)])
        assert [each["_id"] for each in rows.find({"outbox_since": {"$gte": NOON}}).sort("_id", 1)] == ["0", "2"]
        client.drop_database("test")
        rows.insert_one({"_id": "4", "outbox_since": NOON})
        assert rows.count_documents({"outbox_since": {"$gte": NOON}}) == 1
