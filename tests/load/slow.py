"""Clients that are slow or silent: they keep connections, and nothing that others need."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import cycle, islice

import psutil
from tyrsky import metrics

from deploy.local.stack import HOST
from tests.bench.load import request
from tests.load.client import Answers, looks
from tests.load.findings import Check, Findings
from tests.load.running import Running, Usage, headers, told, usage

SERVED_SECONDS = 2.0
GROWTH_MEGABYTES_MAX = 30.0
EACH_KILOBYTES_MAX = {"service": 30.0, "gateway": 100.0}
"""What one that keeps a connection may cost: the gateway has one of its own behind it, and buffers of both."""

DRIP_SECONDS = 1.0
ASKED_AT_ONCE = 12
"""More than all buffers between the two hold; with more than 16 a connection ends for that alone."""

HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: load\r\nX-Long: "

RECEIVES_BYTES = 4_096
SEGMENT_BYTES = 536
"""As over a bad line: with the large ones of this machine the kernel would take megabytes before anybody waits."""

BODY_CUT_SECONDS = {"service": 40.0, "gateway": 60.0}
"""A service gives a body 30 s, and ends the connection with its 408. The gateway passes that on, takes what still comes
for the beginning of another request, and ends that some 15 s later."""

READ_CUT_SECONDS = {"service": 75.0, "gateway": 135.0}
"""A service gives an answer 60 s to be read, and looks every 5; the gateway gives it two minutes."""

SILENT_SECONDS = {"service": 85.0, "gateway": 15.0}
"""A service keeps a connection that says nothing for KEEP_ALIVE_SECONDS (75), and looks every 5; the gateway waits 10 s
for a first head."""

VANISHED_SECONDS = {"service": 85.0, "gateway": 195.0}
"""The longest of what each gives to one that rests, sends a head or a body, or reads: 75 s; and three minutes, of
which an unfinished body has one, and the connection then two more, as one that rests."""


@dataclass
class Client:
    """One that does what it should not."""

    socket: socket.socket
    port: int


def kept(pid: int, those: list[Client]) -> int:
    """How many of them the process still has a connection with. It is asked at its side: what a client has not read
    yet hides from it that the other side is gone."""
    ports = {each.port for each in those}
    return sum(bool(each.raddr) and each.raddr.port in ports for each in psutil.Process(pid).net_connections("tcp"))


async def clients(port: int, count: int, sent: Sequence[bytes], *, receives: int = 0) -> list[Client]:
    """So many, who have sent one of these, in turn, and say no more. ``receives`` is how little their side takes in."""
    made: list[Client] = []
    for said in islice(cycle(sent), count):
        each = socket.socket()
        if receives:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
        each.setblocking(False)
        await asyncio.get_running_loop().sock_connect(each, (HOST, port))
        await asyncio.get_running_loop().sock_sendall(each, said)
        made.append(Client(each, each.getsockname()[1]))
    return made


async def drip(those: list[Client], text: bytes) -> None:
    """A byte a second from each, for as long as somebody takes it."""
    while True:
        for each in those:
            with suppress(OSError):
                each.socket.send(text)
        await asyncio.sleep(DRIP_SECONDS)


async def sip(those: list[Client]) -> None:
    """Each reads a byte a second."""
    while True:
        for each in those:
            with suppress(OSError):
                each.socket.recv(1, socket.MSG_DONTWAIT)
        await asyncio.sleep(DRIP_SECONDS)


async def closed_unread(running: Running) -> float:
    """How many connections the service says it has closed since their answers were not read."""
    told = await looks(running.port, metrics.PATH, seconds=0.1)
    [answer] = told.all
    found = re.search(rb'http_connections_closed_total\{[^}]*"unread"\} ([0-9.e+]+)', answer.body)
    return float(found[1]) if found else 0.0


def half_a_body(running: Running) -> bytes:
    """A request that says it is much longer than it is."""
    head = request("POST", "/companies/rooms", headers(running.callers[0]), {"seats": 50})
    sent = head.replace(b"Content-Length: 12", b"Content-Length: 500000")
    assert sent != head
    return sent


def large_answers(door: str) -> bytes:
    """Requests with more to read than all buffers hold."""
    return request("GET", "/openapi/companies.json" if door == "gateway" else "/openapi.json", {}) * ASKED_AT_ONCE


Misbehaving = Callable[[list[Client]], Awaitable[None]] | None


async def suffered(
    running: Running, door: str, name: str, about: str, *, sent: Sequence[bytes], seconds: float, count: int,
    doing: Misbehaving = None, receives: int = 0, until: float | None = None, stay: bool = False,
) -> Findings:  # fmt: skip
    """Others' requests while so many clients misbehave; and, within ``until`` seconds, what became of those. Those who
    may ``stay`` do nothing wrong."""
    port, pid = running.door(door)
    calm = await running.others(port, seconds=seconds / 2)
    before, service_before = usage(pid), usage(running.served.pid)
    those = await clients(port, count, sent, receives=receives)
    task = asyncio.ensure_future(doing(those)) if doing else None
    others = await running.others(port, seconds=seconds)
    during, service_during = usage(pid), usage(running.served.pid)
    staying = kept(pid, those)
    cut = -1
    if until is not None:
        await asyncio.sleep(max(0.0, until - seconds))
        cut = count - kept(pid, those)
    if task:
        task.cancel()
    for each in those:
        each.socket.close()
    after = await let_go(pid, before.files + count / 2)
    grown = during.megabytes - before.megabytes
    may_grow = max(GROWTH_MEGABYTES_MAX, count * EACH_KILOBYTES_MAX[door] / 1024)
    checks = [
        *served(others, f" (before: {calm.milliseconds(0.5):.0f} and {calm.milliseconds(0.99):.0f} ms)"),
        Check(
            f"memory grows by less than {may_grow:.0f} MB",
            f"{grown:+.1f} MB, {grown * 1024 / count:.0f} KB each",
            grown < may_grow,
        ),
        Check(
            "file handles come back (the gateway keeps some connections to the service for a minute)",
            f"{before.files}, {during.files} with them, {after.files} after",
            after.files < before.files + count / 2,
        ),
    ]
    if door == "gateway":
        behind = service_during.megabytes - service_before.megabytes
        checks.append(
            Check(
                f"the service's behind it by less than {GROWTH_MEGABYTES_MAX:.0f} MB",
                f"{behind:+.1f} MB",
                behind < GROWTH_MEGABYTES_MAX,
            )
        )
    if until is not None:
        checks.append(Check(f"they are cut off within {until:.0f} s", f"{cut} of {count}", cut == count, timed=True))
    if stay:
        checks.append(Check("their connections are kept", f"{staying} of {count}", staying == count))
    return Findings(f"{name} at the {door}", about.format(count=count), checks)


def served(others: Answers, beside: str = "") -> list[Check]:
    """Everybody else is served, and soon."""
    return [
        Check("others are all served", told(others), len(others.taken.all) == len(others.all) > 0),
        Check(
            f"in less than {SERVED_SECONDS:.0f} s",
            f"p50 {others.milliseconds(0.5):.0f} ms, p99 {others.milliseconds(0.99):.0f} ms{beside}",
            others.milliseconds(0.99) < SERVED_SECONDS * 1000,
            timed=True,
        ),
    ]


async def let_go(pid: int, files: float) -> Usage:
    """What the process has when the handles are back, or after some seconds without that."""
    for _ in range(50):
        if usage(pid).files < files:
            break
        await asyncio.sleep(0.2)
    return usage(pid)


async def slow_heads(running: Running, door: str, *, seconds: float, count: int, wait: bool) -> Findings:
    """A request's head, a byte a second."""

    async def dripping(those: list[Client]) -> None:
        await drip(those, b"x")

    return await suffered(
        running, door, "Slow senders (head)", "{count} clients send the head of a request a byte a second.",
        sent=[HALF_A_HEAD], seconds=seconds, count=count, doing=dripping,
        until=24 if wait else None,
    )  # fmt: skip


async def slow_bodies(running: Running, door: str, *, seconds: float, count: int, wait: bool) -> Findings:
    """A request's body, a byte a second."""

    async def dripping(those: list[Client]) -> None:
        await drip(those, b" ")

    return await suffered(
        running, door, "Slow senders (body)", "{count} clients, all with one log-in, send a body a byte a second.",
        sent=[half_a_body(running)], seconds=seconds, count=count, doing=dripping,
        until=BODY_CUT_SECONDS[door] if wait else None,
    )  # fmt: skip


async def slow_readers(running: Running, door: str, *, seconds: float, count: int, wait: bool) -> Findings:
    """Many questions at once, of which the answers are read a byte a second."""
    until = READ_CUT_SECONDS[door] if wait else None
    before = await closed_unread(running)
    found = await suffered(
        running, door, "Slow readers",
        f"{{count}} clients ask for {ASKED_AT_ONCE} large answers each, all at once, and read a byte a second.",
        sent=[large_answers(door)], seconds=seconds, count=count, doing=sip, receives=RECEIVES_BYTES, until=until,
    )  # fmt: skip
    if until is None or door == "gateway":  # it reads whole answers for its clients
        return found
    unread = await closed_unread(running) - before
    said = Check("and since they do not read, by the service's own count", f"{unread:.0f}", unread == count, timed=True)
    return replace(found, checks=[*found.checks, said])


async def silent(running: Running, door: str, *, seconds: float, count: int, until: float) -> Findings:
    """Connections on which nothing was ever said."""
    return await suffered(
        running, door, "Silent connections", "{count} clients connect and say nothing at all.",
        sent=[b""], seconds=seconds, count=count, until=until,
    )  # fmt: skip


async def vanished(running: Running, door: str, *, seconds: float, count: int, wait: bool) -> Findings:
    """Half-open connections: the client is gone, and nobody has told the other side."""
    return await suffered(
        running, door, "Half-open connections",
        "{count} clients vanish without a word: some at rest after they have asked, others in the middle of a head or "
        "a body, or before they have read their answers. They send and read nothing more, and close nothing. What is "
        "missing of a machine that lost its power: here the client's kernel still acknowledges what has room in its "
        "buffers. To keep it from that needs rights which a test has not.",
        sent=[running.look(running.callers[0]), HALF_A_HEAD, half_a_body(running), large_answers(door)],
        seconds=seconds, count=count, receives=RECEIVES_BYTES, until=VANISHED_SECONDS[door] if wait else None,
    )  # fmt: skip


async def idle(running: Running, door: str, *, seconds: float, count: int) -> Findings:
    """Kept connections between two requests."""
    return await suffered(
        running, door, "Idle connections", "{count} clients have asked once, and keep their connection open.",
        sent=[running.look(running.callers[0])], seconds=seconds, count=count, stay=True,
    )  # fmt: skip
