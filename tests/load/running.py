"""What is put under load: the example service as a real process, the gateway before it, and callers with log-ins."""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from uuid import uuid4

import psutil
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.testing.tokens import Authority

from deploy.local import caddy
from deploy.local.stack import HOST, Stack
from tests.bench.bench import Bench, Document
from tests.bench.load import request
from tests.bench.serving import Served, free_port, megabytes, serving
from tests.load.client import Answers, open_loop

READY_SECONDS = 20
TOKEN_SECONDS = 6 * 3600
ASKED_AT_ONCE = 500


@dataclass(frozen=True)
class Usage:
    """What a process has at a moment."""

    megabytes: float
    files: int
    threads: int


@dataclass(frozen=True)
class Running:
    """A service, a gateway, and people."""

    bench: Bench
    database: AsyncDatabase[Document]
    topic: str
    served: Served
    gateway_port: int
    gateway_pid: int
    callers: Sequence[str]

    @property
    def port(self) -> int:
        return self.served.port

    def door(self, name: str) -> tuple[int, int]:
        """Port and process of ``service`` or ``gateway``."""
        return (self.port, self.served.pid) if name == "service" else (self.gateway_port, self.gateway_pid)

    def open_room(self, caller: str) -> bytes:
        """A command upon a new aggregate."""
        return request("POST", "/companies/rooms", headers(caller), {"seats": 50})

    def look(self, caller: str) -> bytes:
        """A read of something that is not there: the whole way to the store and back."""
        return request("GET", f"/companies/rooms/{uuid4()}", headers(caller))

    async def stored(self, rooms: Sequence[str]) -> dict[str, Document]:
        """Those of the rooms that are in the store, by their ids."""
        found: dict[str, Document] = {}
        for first in range(0, len(rooms), ASKED_AT_ONCE):
            asked = {"_id": {"$in": list(rooms[first : first + ASKED_AT_ONCE])}}
            found |= {each["_id"]: each async for each in self.database["rooms"].find(asked)}
        return found

    async def warm(self, seconds: float = 2) -> None:
        """So that nothing is measured that happens once."""
        turns = cycle(self.callers)
        for port in (self.port, self.gateway_port):
            await open_loop(port, lambda: self.open_room(next(turns)), rate=30, seconds=seconds)

    async def others(self, port: int, *, seconds: float, rate: float = 10) -> Answers:
        """Everybody else, who asks now and then."""
        turns = cycle(self.callers[1:])
        return await open_loop(port, lambda: self.open_room(next(turns)), rate=rate, seconds=seconds)


def headers(caller: str) -> dict[str, str]:
    """What a request of theirs says."""
    return {"Authorization": f"Bearer {caller}", "Idempotency-Key": str(uuid4())}


def token(authority: Authority, number: int) -> str:
    """The log-in of one of many."""
    end = authority.claims()["iat"] + TOKEN_SECONDS
    return authority.token(roles=["outreach"], sub=f"caller-{number}", exp=end)


def usage(pid: int) -> Usage:
    """What a process has now; of its memory what is its alone."""
    process = psutil.Process(pid)
    return Usage(megabytes(pid), process.num_fds(), process.num_threads())


@asynccontextmanager
async def running(bench: Bench, *, callers: int = 8, **settings: str) -> AsyncGenerator[Running]:
    """The service with its consumers, behind the gateway, until the block ends."""
    async with bench.database() as database, bench.topic(partitions=3) as topic:
        package = "tests.load.served"
        async with serving(bench, package, database=database.name, topic=topic, **settings) as served:
            with tempfile.TemporaryDirectory() as folder:
                ports = {**Stack.of("test").ports, "gateway": free_port(), "companies": served.port}
                part = caddy.part(Stack("test", Path(folder), ports))
                gateway = subprocess.Popen(part.command, env=dict(part.env), stderr=subprocess.DEVNULL)
                try:
                    await _until_ready(ports["gateway"])
                    people = [token(served.authority, number) for number in range(callers)]
                    yield Running(bench, database, topic, served, ports["gateway"], gateway.pid, people)
                finally:
                    gateway.terminate()
                    await asyncio.to_thread(gateway.wait)


async def _until_ready(port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def told(answers: Answers) -> str:
    """The statuses, in words."""
    return json.dumps(answers.statuses()).strip("{}").replace('"', "") or "nothing"
