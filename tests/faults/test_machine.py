"""What people do in any order, through the gateway: the API agrees with the machine at every step."""

import asyncio
import itertools
import json
import os
import secrets
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pymongo import MongoClient
from tyrsky.testing.receiver import SECRET

from deploy.local import caddy
from deploy.local.part import program
from deploy.local.stack import HOST, PORTS, ROOT, Stack
from tests.e2e import world
from tests.faults.asking import Api
from tests.faults.machine import USERS
from tests.faults.stateful import drive
from tests.faults.working import import_register
from tests.tools import free_port

pytestmark = pytest.mark.stack

START_SECONDS = 60
EXAMPLES, STEPS = 20, 12
COMPANIES = 1_000  # few are used, unless a failure is made smaller and smaller


@contextmanager
def process(command: list[str], environment: dict[str, str], ready: str, log: Path) -> Generator[None]:
    """A program that answers, until the block ends."""
    with log.open("wb") as out:
        running = subprocess.Popen(command, env={**os.environ, **environment}, cwd=ROOT, stdout=out, stderr=out)
        try:
            until = time.monotonic() + START_SECONDS
            while True:
                try:
                    if httpx2.get(ready, timeout=5).is_success:
                        break
                except httpx2.HTTPError:
                    pass
                assert running.poll() is None, log.read_text()[-3000:]
                assert time.monotonic() < until, log.read_text()[-3000:]
                time.sleep(0.1)
            yield
        finally:
            running.terminate()
            running.wait(60)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[str]:
    """The project's gateway, before the companies of `make test` and a process of the example."""
    seats, port, database = free_port(), free_port(), f"seats-{uuid4().hex[:12]}"
    environment = {
        "MONGO_DATABASE": database,
        "COLLEGES": json.dumps(["vaao", "sasky"]),
        "HTTP_HOST": HOST,
        "HTTP_PORT": str(seats),
        "WEBHOOK_URL": f"http://{HOST}:9/",  # nobody there: confirmations are tested elsewhere
        "WEBHOOK_SECRET": SECRET,
        "OWN_SERVICES": '["seats"]',
        "TRACES_EXPORTER": "none",
    }
    subprocess.run([program("tyrsky"), "topics", "apply"], env={**os.environ, **environment}, check=True, timeout=60)
    stack = Stack("test", tmp_path, dict.fromkeys(PORTS, port))
    upstreams = {
        "COMPANIES": world.setting("COMPANIES_URL").removeprefix("http://"),
        "SEATS": f"{HOST}:{seats}",
        "GATEWAY_OWN": str(ROOT / "docs" / "examples" / "seats"),
    }
    part = caddy.part(stack, upstreams)
    with ExitStack() as started:
        serving = [program("tyrsky"), "serve", "seats"]
        started.enter_context(process(serving, environment, f"http://{HOST}:{seats}/readyz", tmp_path / "seats.log"))
        started.enter_context(
            process([*part.command], dict(part.env), stack.url("gateway", "/"), tmp_path / "caddy.log")
        )
        yield stack.url("gateway")
    with MongoClient[dict[str, Any]](world.setting("MONGO_URI")) as client:
        client.drop_database(database)


@pytest.mark.timeout(900)  # it takes seconds; but Hypothesis may take five minutes to find the smallest failure
def test_what_people_do_in_any_order_agrees_with_what_the_api_promises(gateway: str, loop: asyncio.AbstractEventLoop):
    seed = int(os.environ.get("TYRSKY_MACHINE_SEED", time.time()))
    first = 300_000 + secrets.randbelow(100_000)
    import_register({**os.environ, "MONGO_DATABASE": "companies"}, range(first, first + COMPANIES))
    people = {
        user: httpx2.AsyncClient(base_url=gateway, headers={"Authorization": f"Bearer {world.token(user)}"}, timeout=30)
        for user in USERS
    }
    told = drive(Api(people.__getitem__, loop, itertools.count(first)), seed, EXAMPLES, STEPS, shrink=True)
    assert not told.wrong, f"{told.wrong}\nTYRSKY_MACHINE_SEED={seed} repeats it"
    assert told.examples >= EXAMPLES
    print(told)
