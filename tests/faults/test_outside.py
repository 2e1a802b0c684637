"""The rig against a store and a Kafka that it did not start, as an operator runs it to prove a cluster.

It starts a whole platform beside them, which takes minutes: by hand, ``make faults-outside``.
"""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from deploy.local import kafka, mongo
from deploy.local.part import Part
from deploy.local.stack import PORTS, ROOT, Stack
from tests.tools import free_port

pytestmark = [pytest.mark.by_hand, pytest.mark.timeout(1_800)]

START_SECONDS = 120
STOP_SECONDS = 30


@contextmanager
def running(part: Part) -> Generator[None]:
    """A server of somebody else's."""
    part.prepare(lambda _: None)
    silent = subprocess.DEVNULL
    with subprocess.Popen(part.command, env={**os.environ, **part.env}, stdout=silent, stderr=silent) as process:
        try:
            until = time.monotonic() + START_SECONDS
            while waits_for := part.ready():
                assert time.monotonic() < until, waits_for
                time.sleep(0.25)
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Stack]:
    """A store and a Kafka of their own, with nothing in them."""
    stack = Stack("test", tmp_path, {name: free_port() for name in PORTS})
    with ExitStack() as started:
        for part in (mongo.part(stack), kafka.part(stack)):
            started.enter_context(running(part))
        yield stack


def faults(servers: Stack, only: str, minutes: str) -> subprocess.CompletedProcess[str]:
    where = [
        "--mongo-uri",
        f"{servers.mongo_uri}/?directConnection=true",
        "--kafka-bootstrap",
        servers.address("kafka"),
    ]
    command = [sys.executable, "-m", "tests.faults", "--seed", "5", "--minutes", minutes, "--only", only, *where]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_a_run_against_servers_of_somebody_else_comes_to_a_green_end_and_so_does_one_after_it(servers: Stack):
    first = faults(servers, "F1,F5,F7", "3.2")
    print(first.stdout)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "servers from outside: kafka, mongo" in first.stdout
    second = faults(servers, "F1", "0.6")
    print(second.stdout)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "a past in kafka" in second.stdout
