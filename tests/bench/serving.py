"""The service under test: a real process, started as an operator starts it, with a log-in and a collector beside it."""

import asyncio
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import psutil
from tyrsky.testing.tokens import Authority, Key

from deploy.local.part import program
from deploy.local.stack import HOST, ROOT
from tests.bench.bench import Bench
from tests.bench.collector import Collector
from tests.tools import free_port

READY_SECONDS = 60
STOP_SECONDS = 30
TOKEN_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Served:
    """A service that runs. ``headers`` are of somebody who may call it."""

    port: int
    process: "subprocess.Popen[bytes]"
    headers: Mapping[str, str]
    collector: Collector
    authority: Authority
    environment: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])
    start_seconds: float = 0.0
    """From the process's making to its first answer that it is ready."""

    @property
    def pid(self) -> int:
        return self.process.pid


@asynccontextmanager
async def serving(
    bench: Bench,
    package: str,
    *,
    database: str,
    topic: str = "",
    bare: str = "",
    prefix: Sequence[str] = (),
    **settings: str,
) -> AsyncGenerator[Served]:
    """``tyrsky serve <package>`` until the block ends. ``topic`` is told to it as ``BENCH_TOPIC``; ``bare`` is
    an application to be served instead of the platform; ``prefix`` is a command to start it with."""
    port = free_port()
    # RS256, as Keycloak signs.
    with Authority(Key("RS256")) as authority, tempfile.TemporaryFile() as log:
        async with Collector() as collector:
            environment = {
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "MONGO_URI": bench.mongo_uri,
                "MONGO_DATABASE": database,
                "KAFKA_BOOTSTRAP": bench.bootstrap,
                "COLLEGES": json.dumps(["vaao", "sasky"]),
                "ADDRESS_PEPPERS": json.dumps(["the-benchmark-has-a-pepper-of-its-own"]),
                "OIDC_ISSUER": authority.issuer,
                "TRACES_EXPORTER": "zipkin",
                "TRACES_ENDPOINT": collector.endpoint,
                "TRACES_RATIO": "1.0",  # as it is shipped
                "HTTP_HOST": HOST,
                "HTTP_PORT": str(port),
                "BENCH_TOPIC": topic,
                **settings,
            }
            command = [*prefix, program("tyrsky"), "serve", package]
            if bare:
                command = [*prefix, program("uvicorn"), bare, "--port", str(port), "--no-access-log"]
            began = time.perf_counter()
            process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
            try:
                await _ready(process, port, log.fileno())
                started = time.perf_counter() - began
                token = authority.token(
                    roles=["outreach", "coordinator"], exp=authority.claims()["iat"] + TOKEN_SECONDS
                )
                headers = {"Authorization": f"Bearer {token}"}
                yield Served(port, process, headers, collector, authority, environment, started)
            finally:
                await _stop(process)


async def _ready(process: "subprocess.Popen[bytes]", port: int, log: int) -> None:
    async with asyncio.timeout(READY_SECONDS), httpx2.AsyncClient() as client:
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"the service ended at once:\n{os.pread(log, 4000, 0).decode(errors='replace')}")
            try:
                if (await client.get(f"http://{HOST}:{port}/readyz")).is_success:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.02)


async def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.to_thread(process.wait, STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.wait)


def megabytes(pid: int) -> float:
    """The memory that a process has for itself: what would be free if it ended. Where that is not told, its RSS."""
    memory = psutil.Process(pid).memory_full_info()
    return getattr(memory, "uss", memory.rss) / 2**20
