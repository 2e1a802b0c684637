"""Idle event streams: many clients that listen, and hardly ever hear anything."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice

from tyrsky.settings import Settings

from deploy.local.stack import HOST
from tests.bench.load import request
from tests.load.client import Crowd
from tests.load.findings import Check, Findings
from tests.load.running import Running, headers, usage
from tests.load.slow import let_go, served

LISTEN, BELL = "/companies/bell", b"data: "
HEARD_SECONDS = 5.0
GROWTH_KILOBYTES_MAX = 100.0
STREAM_SECONDS: float = Settings.model_fields["stream_seconds"].default
ENDS_SECONDS = STREAM_SECONDS + 8
"""Before the gateway would cut it, after two minutes."""

OPENED_AT_ONCE = 32


@dataclass
class Listener:
    """A client with its stream."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes

    @property
    def listens(self) -> bool:
        """Whether it was let in."""
        return b" 200 " in self.head.partition(b"\r\n")[0] and b"text/event-stream" in self.head

    async def hears(self, seconds: float) -> bool:
        """Whether something comes within that time."""
        with suppress(TimeoutError, OSError, asyncio.IncompleteReadError):
            async with asyncio.timeout(seconds):
                await self.reader.readuntil(BELL)
                return True
        return False

    async def ends(self, seconds: float) -> bool:
        """Whether it comes to its end within that time, and is whole."""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(seconds):
                return bool(re.search(rb"(^|\r\n)0\r\n\r\n$", await self.reader.read()))
        return False


async def _listener(port: int, asked: bytes) -> Listener:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(asked)
    return Listener(reader, writer, await reader.readuntil(b"\r\n\r\n"))


async def _all(port: int, running: Running, count: int) -> Sequence[Listener]:
    """They come some at a time, of all callers alike."""
    some = asyncio.Semaphore(OPENED_AT_ONCE)

    async def one(caller: str) -> Listener:
        leaves = {"Connection": "close"}  # so that what is read to its end is one answer
        async with some:
            return await _listener(port, request("GET", LISTEN, headers(caller) | leaves))

    return await asyncio.gather(*(one(caller) for caller in islice(cycle(running.callers), count)))


async def idle_streams(running: Running, door: str, *, seconds: float, count: int, wait: bool) -> Findings:
    """So many listen while others work; then it rings; with ``wait`` they stay until their time is over."""
    port, pid = running.door(door)
    began = asyncio.get_running_loop().time()
    before, service_before = usage(pid), usage(running.served.pid)
    those = await _all(port, running, count)
    listening = [each for each in those if each.listens]
    others = await running.others(port, seconds=seconds)
    during, service_during = usage(pid), usage(running.served.pid)
    crowd = Crowd(running.port)
    await crowd.ask(request("POST", LISTEN, headers(running.callers[0])), 0)
    crowd.close()
    heard = await asyncio.gather(*(each.hears(HEARD_SECONDS) for each in listening))
    left = began + ENDS_SECONDS - asyncio.get_running_loop().time()
    ended = await asyncio.gather(*(each.ends(left) for each in listening)) if wait else []
    for each in those:
        each.writer.transport.abort()
    after = await let_go(pid, before.files + count / 2)
    each_has = max(during.megabytes - before.megabytes, service_during.megabytes - service_before.megabytes)
    checks = [
        Check("each is let in", f"{len(listening)} of {count}", len(listening) == count),
        Check("each hears what there is to hear", f"{sum(heard)} of {count}", sum(heard) == count),
        *served(others),
        Check(
            f"memory grows by less than {GROWTH_KILOBYTES_MAX:.0f} KB each, at the door and behind it",
            f"{each_has * 1024 / count:.0f} KB",
            each_has * 1024 / count < GROWTH_KILOBYTES_MAX,
        ),
        Check(
            "file handles come back",
            f"{before.files}, {during.files} with them, {after.files} after",
            after.files < before.files + count / 2,
        ),
    ]
    if wait:
        what = f"each comes to its end after {STREAM_SECONDS:.0f} s, and is whole"
        checks.append(Check(what, f"{sum(ended)} of {count}", sum(ended) == count, timed=True))
    about = "{count} clients have an event stream open, in which nothing happens; then something does."
    return Findings(f"Idle event streams at the {door}", about.format(count=count), checks)
