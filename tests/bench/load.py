"""A load generator that costs next to nothing: prepared requests over kept connections, one at a time on each.

A client library would take as much of these two cores as the service itself, and so be the bottleneck.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from tests.tools import percentile

HEAD_END = b"\r\n\r\n"
ANSWER_SECONDS = 120


def request(method: str, path: str, headers: Mapping[str, str], body: Any = None) -> bytes:
    """A request as it goes over the wire; ``body`` is sent as JSON."""
    sent = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(sent)}"]
    return "\r\n".join([*lines, "", ""]).encode() + sent


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    head: bytes
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Driven:
    """What became of some requests, in their order."""

    seconds: float
    answers: Sequence[Answer] = field(repr=False)

    @property
    def rate(self) -> float:
        return len(self.answers) / self.seconds

    def statuses(self) -> dict[int, int]:
        """How many answers had which status."""
        counted: dict[int, int] = {}
        for answer in self.answers:
            counted[answer.status] = counted.get(answer.status, 0) + 1
        return counted


def milliseconds(rounds: Sequence[Driven], share: float) -> float:
    """Latency at a percentile, of the requests of all these rounds together."""
    return percentile([answer.seconds for driven in rounds for answer in driven.answers], share) * 1000


async def drive(port: int, requests: Sequence[bytes], *, connections: int) -> Driven:
    """Send the requests over so many connections, each as soon as its connection has had its last answer."""
    answers: list[Answer | None] = [None] * len(requests)
    loop = asyncio.get_running_loop()
    opened = await asyncio.gather(
        *(loop.create_connection(_Connection, "127.0.0.1", port) for _ in range(min(connections, len(requests))))
    )
    waiting = iter(enumerate(requests))
    began = time.perf_counter()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.gather(*(connection.work(waiting, answers) for _, connection in opened))
        seconds = time.perf_counter() - began
    finally:
        for transport, _ in opened:
            transport.close()
    return Driven(seconds, [answer for answer in answers if answer is not None])


class _Connection(asyncio.Protocol):
    """One kept connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting: Iterator[tuple[int, bytes]]
        self._answers: list[Answer | None]
        self._number = 0
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods alone

    def work(self, waiting: Iterator[tuple[int, bytes]], answers: list[Answer | None]) -> "asyncio.Future[None]":
        """Send what waits, one after the other; done when nothing does."""
        self._waiting, self._answers = waiting, answers
        self._send()
        return self._done

    def _send(self) -> None:
        following = next(self._waiting, None)
        if following is None:
            self._done.set_result(None)
            return
        self._number, sent = following
        self._sent_at = time.perf_counter()
        self._transport.write(sent)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(HEAD_END)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        length = _length(head)
        body_at = end + len(HEAD_END)
        if len(self._received) < body_at + length:
            return
        seconds = time.perf_counter() - self._sent_at
        self._answers[self._number] = Answer(
            int(head[9:12]), head, bytes(self._received[body_at : body_at + length]), seconds
        )
        del self._received[: body_at + length]
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError("the service closed a connection"))


def _length(head: bytes) -> int:
    _, found, rest = head.partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0
