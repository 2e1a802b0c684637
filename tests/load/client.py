"""Clients that do not wait for one another: so many requests a second, whatever became of those before (an open loop).

A client that waits for its answer before it asks again slows down with the service, and so hides what is asked here.
"""

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from tests.tools import percentile

ASK_SECONDS = 60
HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 when nothing did. ``at`` is when it was asked, ``sent`` when it was written to a
    connection, both from the beginning."""

    at: float
    seconds: float
    status: int
    head: bytes = b""
    body: bytes = b""
    sent: float = math.inf

    @property
    def taken(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300

    @property
    def well_refused(self) -> bool:
        """A refusal as every client may count on: it says when to come back, and why, as a problem."""
        return (
            self.status in {429, 503}
            and b"\r\nretry-after: " in self.head
            and b"\r\ncontent-type: application/problem+json" in self.head
            and json.loads(self.body).get("status") == self.status
        )


@dataclass(frozen=True)
class Answers:
    """What became of many requests."""

    all: Sequence[Answer] = field(repr=False)

    @property
    def taken(self) -> "Answers":
        """Those that were carried out."""
        return Answers([each for each in self.all if each.taken])

    @property
    def wrong(self) -> list[Answer]:
        """Those that were neither carried out nor refused as they should be."""
        return [each for each in self.all if not (each.taken or each.well_refused)]

    def milliseconds(self, share: float) -> float:
        """Latency at a percentile: 0.5 or 0.99."""
        return percentile([each.seconds for each in self.all], share) * 1000 if self.all else 0.0

    def statuses(self) -> dict[int, int]:
        """How many answers had which status."""
        counted: dict[int, int] = {}
        for each in self.all:
            counted[each.status] = counted.get(each.status, 0) + 1
        return dict(sorted(counted.items()))


class Wire(asyncio.Protocol):
    """One kept connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._answer: asyncio.Future[tuple[bytes, bytes]] | None = None
        self.open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods alone

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(HEAD_END)
        if end < 0:
            return
        head = bytes(self._received[: end + 2]).lower()
        _, said, rest = head.partition(b"\r\ncontent-length: ")
        whole = end + len(HEAD_END) + (int(rest.partition(b"\r\n")[0]) if said else 0)
        if len(self._received) < whole:
            return
        body = bytes(self._received[end + len(HEAD_END) : whole])
        del self._received[:whole]
        if b"\r\nconnection: close" in head:
            self.open = False
        if self._answer and not self._answer.done():
            self._answer.set_result((head, body))

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Go away."""
        self.open = False
        self._transport.abort()


class Crowd:
    """As many connections as it takes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: deque[Wire] = deque()

    async def _wire(self) -> Wire:
        while self._free:
            wire = self._free.pop()
            if wire.open:
                return wire
        _, wire = await asyncio.get_running_loop().create_connection(Wire, "127.0.0.1", self._port)
        return wire

    async def ask(self, request: bytes, began: float) -> Answer:
        """One request; never raises."""
        at, sent = time.perf_counter(), math.inf
        wire: Wire | None = None
        try:
            async with asyncio.timeout(ASK_SECONDS):
                wire = await self._wire()
                sent = time.perf_counter()
                head, body = await wire.ask(request)
        except (OSError, TimeoutError) as error:
            if wire:
                wire.close()
            nothing = type(error).__name__.encode()
            return Answer(at - began, time.perf_counter() - at, 0, body=nothing, sent=sent - began)
        if wire.open:
            self._free.append(wire)
        return Answer(at - began, time.perf_counter() - at, int(head[9:12]), head, body, sent - began)

    def close(self) -> None:
        """Everybody goes away."""
        for wire in self._free:
            wire.close()


async def open_loop(port: int, request: Callable[[], bytes], *, rate: float, seconds: float) -> Answers:
    """So many requests a second, whether the ones before are answered or not."""
    crowd, began, asked = Crowd(port), time.perf_counter(), list[asyncio.Task[Answer]]()
    try:
        while (passed := time.perf_counter() - began) < seconds:
            for _ in range(int(passed * rate) - len(asked)):
                asked.append(asyncio.create_task(crowd.ask(request(), began)))
            await asyncio.sleep(0.005)
        return Answers(await asyncio.gather(*asked))
    finally:
        crowd.close()


async def closed_loop(port: int, request: Callable[[], bytes], *, clients: int, seconds: float) -> Answers:
    """So many clients, each asking again as soon as it has its answer."""
    crowd, began, answers = Crowd(port), time.perf_counter(), list[Answer]()

    async def client() -> None:
        while time.perf_counter() - began < seconds:
            answers.append(await crowd.ask(request(), began))

    try:
        await asyncio.gather(*(client() for _ in range(clients)))
        return Answers(answers)
    finally:
        crowd.close()


async def looks(port: int, path: str, *, seconds: float, every: float = 0.25) -> Answers:
    """Somebody who looks now and then, such as whoever watches over the service."""
    request = f"GET {path} HTTP/1.1\r\nHost: load\r\n\r\n".encode()
    crowd, began, answers = Crowd(port), time.perf_counter(), list[Answer]()
    with suppress(asyncio.CancelledError):
        while time.perf_counter() - began < seconds:
            answers.append(await crowd.ask(request, began))
            await asyncio.sleep(every)
    crowd.close()
    return Answers(answers)


def json_of(answer: Answer) -> Any:
    """The answer's body."""
    return json.loads(answer.body)
