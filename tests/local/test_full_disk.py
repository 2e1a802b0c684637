"""The embedded store on a disk without room: it tells nobody that anything is kept, and comes back by itself."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure

from deploy.local import mongo
from deploy.local.mongo_server import FULL
from deploy.local.stack import Stack

pytestmark = pytest.mark.stack

START_SECONDS = 60


@pytest.fixture
def start(stack: Stack) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    part = mongo.part(stack)
    started: list[subprocess.Popen[bytes]] = []

    def once() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(part.command, env={**os.environ, **part.env}, stdout=subprocess.PIPE)
        started.append(process)
        return process

    yield once
    for process in started:
        process.kill()
        process.wait()


def fill(process: subprocess.Popen[bytes]) -> None:
    """From now on no file can be written by this process."""
    _, most = psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE)
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (0, most))


def make_room(process: subprocess.Popen[bytes]) -> None:
    """Files may be written again."""
    _, most = psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE)
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (most, most))


def until_ready(stack: Stack) -> None:
    until = time.monotonic() + START_SECONDS
    while mongo.part(stack).ready():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_store_that_cannot_write_ends_and_waits_for_room(
    stack: Stack, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    process = start()
    until_ready(stack)
    with MongoClient[dict[str, int | str]](stack.mongo_uri, serverSelectionTimeoutMS=500) as client:
        rows = client["test"]["rows"]
        rows.insert_many([{"_id": number} for number in range(50)])
        fill(process)
        for late in ("late", "later"):  # no answer at all, and never a refusal that one would take for a verdict
            with pytest.raises(ConnectionFailure):
                rows.insert_one({"_id": late})
        assert process.wait(timeout=10) == FULL

        resource_before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource_before[1]))  # the disk is still full when it starts
        try:
            again = start()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, resource_before)
        assert again.stdout is not None
        assert b"waits for room" in again.stdout.readline()
        assert again.poll() is None
        make_room(again)
        until_ready(stack)
        assert sorted(int(row["_id"]) for row in rows.find()) == list(range(50))
        rows.insert_one({"_id": "now"})
    assert not list(Path(stack.folder / "mongo").glob("*.room"))
