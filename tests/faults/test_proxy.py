"""The proxy does to a connection what it says, and nothing when it is told nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from tests.faults import proxy
from tests.faults.proxy import Proxy


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Echo:
    """A server that answers with what it was asked, and remembers it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.heard: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            self.heard.append(chunk)
            writer.write(chunk)
        writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    one = Echo()
    server = await asyncio.start_server(one.serve, "127.0.0.1", one.port)
    yield one
    server.close()


@pytest.fixture
async def between(echo: Echo) -> AsyncIterator[Proxy]:
    one = Proxy("a-b", free_port(), echo.port)
    await one.start()
    yield one
    await one.close()


class Line:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, between: Proxy) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", between.port))

    async def ask(self, text: bytes) -> bytes:
        self.writer.write(text)
        return await self.reader.read(65_536)


async def test_it_passes_on_what_comes_and_the_end_of_it(between: Proxy, echo: Echo) -> None:
    line = await Line.to(between)
    assert await line.ask(b"a" * 50_000)
    line.writer.write_eof()
    assert (await line.reader.read())[-1:] in (b"a", b"")
    assert sum(map(len, echo.heard)) == 50_000


async def test_a_reset_is_a_reset(between: Proxy) -> None:
    line = await Line.to(between)
    await line.ask(b"hello")
    assert between.reset() == 1
    with pytest.raises(ConnectionResetError):
        await line.ask(b"are you there?")
    assert await (await Line.to(between)).ask(b"hello") == b"hello"


async def test_a_hole_swallows_and_then_resets(between: Proxy, echo: Echo) -> None:
    line = await Line.to(between)
    async with between.hole():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await line.ask(b"hello")
        newcomer = await Line.to(between)  # it is accepted all the same
        assert not echo.heard
    with pytest.raises(ConnectionResetError):
        await line.reader.read(1)
    with pytest.raises(ConnectionResetError):
        await newcomer.ask(b"hello")
    assert between.counts["swallowed"]
    assert not echo.heard


async def test_a_hole_may_pass_on_late(between: Proxy, echo: Echo) -> None:
    line = await Line.to(between)
    async with between.hole(then="late"):
        asked = asyncio.create_task(line.ask(b"hello"))
        await asyncio.sleep(0.1)
        assert not echo.heard
    assert await asked == b"hello"


async def test_it_delays(between: Proxy) -> None:
    line = await Line.to(between)
    async with between.delayed(0.1):
        began = monotonic()
        await line.ask(b"hello")
        assert monotonic() - began >= 0.2  # there, and back


async def test_it_cuts_when_the_answer_came_so_that_the_request_is_done(between: Proxy, echo: Echo) -> None:
    between.cut_answers(1, lambda chunk: chunk == b"write")
    line = await Line.to(between)
    assert await line.ask(b"read") == b"read"
    with pytest.raises(ConnectionResetError):
        await line.ask(b"write")
    assert echo.heard == [b"read", b"write"]
    assert between.counts["answers cut"] == 1
    assert not between.cuts_left
    assert await (await Line.to(between)).ask(b"write") == b"write"


async def test_it_refuses_and_is_there_again(between: Proxy) -> None:
    line = await Line.to(between)
    await line.ask(b"hello")
    async with between.refusing():
        with pytest.raises(ConnectionResetError):
            await line.reader.read(1)
        with pytest.raises(ConnectionRefusedError):
            await Line.to(between)
    assert await (await Line.to(between)).ask(b"hello") == b"hello"


async def test_nobody_behind_it_is_an_end_of_the_connection(between: Proxy) -> None:
    between.target = free_port()
    line = await Line.to(between)
    with pytest.raises(ConnectionResetError):
        await line.ask(b"hello")


def test_it_knows_writes_when_it_sees_them() -> None:
    update = b"\x00" * 16 + b"\x00\x00\x00\x00\x00" + b"\x50\x00\x00\x00\x02update\x00\x07\x00\x00\x00visits\x00"
    assert proxy.wanted_of("companies-mongo")(update)
    assert not proxy.wanted_of("companies-mongo")(update.replace(b"update", b"find"))
    produce, fetch = b"\x00\x00\x01\x00\x00\x00\x00\x09", b"\x00\x00\x01\x00\x00\x01\x00\x09"
    assert proxy.wanted_of("seats-kafka")(produce)
    assert not proxy.wanted_of("seats-kafka")(fetch)
    assert proxy.wanted_of("notifications-smtp")(b"Moi!\r\n.\r\n")
    assert proxy.wanted_of("gateway-seats")(b"POST /rooms HTTP/1.1\r\n")
    assert proxy.wanted_of("seats-webhook")(b"POST /hook HTTP/1.1\r\n")
    assert not proxy.wanted_of("gateway-seats")(b"GET /rooms HTTP/1.1\r\n")
