"""The proxy does to a connection what it says, and nothing when it is told nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.faults.ledger import Ledger, noted
from tests.faults.proxy import Proxy
from tests.faults.wire import KafkaTalk, Talk, talk_of


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
    one = Proxy("a-b", free_port(), echo.port, lambda: Talk(lambda chunk: chunk == b"write"))
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
    between.cut_answers({"write": 1})
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


def kafka(key: int, number: int) -> bytes:
    """A request of Kafka's with an empty body; the echo's answer, whose number is what is the interface here."""
    return b"\x00\x00\x00\x08" + key.to_bytes(2) + b"\x00\x09" + number.to_bytes(4)


class Broker:
    """Answers requests when it is told to, in the order in which they came, with their numbers."""

    def __init__(self) -> None:
        self.port = free_port()
        self.waiting: list[int] = []
        self.writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        while True:
            request = await reader.readexactly(12)
            self.waiting.append(int.from_bytes(request[8:]))

    async def answer(self, count: int) -> None:
        assert self.writer is not None
        answers = b"".join(b"\x00\x00\x00\x06" + number.to_bytes(4) + b"ok" for number in self.waiting[:count])
        del self.waiting[:count]
        self.writer.write(answers)
        await self.writer.drain()


async def test_of_kafka_s_answers_it_loses_the_one_that_is_meant_and_not_an_earlier_one() -> None:
    broker = Broker()
    server = await asyncio.start_server(broker.serve, "127.0.0.1", broker.port)
    between = Proxy("a-kafka", free_port(), broker.port, KafkaTalk)
    await between.start()
    between.cut_answers({"EndTxn": 1})
    line = await Line.to(between)
    line.writer.write(kafka(1, 7) + kafka(0, 8) + kafka(26, 9))  # asked on before the first was answered
    while len(broker.waiting) < 3:
        await asyncio.sleep(0.01)
    await broker.answer(1)
    assert (await line.reader.readexactly(10))[4:8] == (7).to_bytes(4)
    assert between.cuts_left == 1
    await broker.answer(2)
    with pytest.raises(ConnectionResetError):
        await line.reader.readexactly(20)  # the one before may be read or not
    assert between.counts["answers of EndTxn cut"] == 1
    assert not between.cuts_left
    await between.close()
    server.close()


async def test_an_answer_that_never_came_is_not_lost_and_another_will_be(between: Proxy, echo: Echo) -> None:
    between.cut_answers({"write": 1})
    line = await Line.to(between)
    async with between.hole():
        line.writer.write(b"write")
        await asyncio.sleep(0.05)
    assert between.cuts_left == 1
    between.cut_answers({})
    assert await (await Line.to(between)).ask(b"write") == b"write"


# -- what the ledger is told -------------------------------------------------------------------------------------------

ID = "6c1d0b0e-0000-4000-8000-000000000001"
CALL = f"POST / HTTP/1.1\r\nHost: x\r\nwebhook-id: {ID}\r\n\r\n{{}}".encode()


@pytest.fixture
async def out(echo: Echo, tmp_path: Path) -> AsyncIterator[Proxy]:
    one = Proxy("seats-webhook", free_port(), echo.port, lambda: talk_of("seats-webhook"))
    one.ledger = Ledger(tmp_path / "ledger.jsonl")
    await one.start()
    yield one
    await one.close()


async def carried(between: Proxy, count: int) -> list[tuple[str, list[str], bool]]:
    """What is written of effects, when it is so many."""
    assert between.ledger is not None
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            await asyncio.sleep(0.01)
            found = noted(between.ledger.file, "carried")
    assert all(each["pair"] == between.name and each["since"] <= each["at"] for each in found)
    return [(each["id"], each["harm"], each["answered"]) for each in found]


async def test_an_effect_that_went_out_is_written_down(out: Proxy) -> None:
    line = await Line.to(out)
    await line.ask(CALL[:40])  # an answer of something else, and half of the id
    assert await line.ask(CALL[40:])
    assert await carried(out, 1) == [(ID, [], True)]


async def test_an_effect_that_was_harmed_is_written_down_with_how(out: Proxy, echo: Echo) -> None:
    held, reset = await Line.to(out), await Line.to(out)
    async with out.hole(then="late"):
        asked = asyncio.create_task(held.ask(CALL))
        await asyncio.sleep(0.1)
    await asked
    assert await carried(out, 1) == [(ID, ["swallowed"], True)]
    async with out.delayed(0.3):
        reset.writer.write(CALL)
        while not out.counts["delayed"]:
            await asyncio.sleep(0.01)
        out.reset()
    assert (ID, ["delayed", "reset"], False) in await carried(out, 3)


async def test_a_connection_that_was_harmed_before_anything_went_out_is_written_down(out: Proxy, echo: Echo) -> None:
    first = await Line.to(out)
    await first.ask(b"hello")
    out.cut_answers({"write": 1})
    with pytest.raises(ConnectionResetError):
        await first.ask(b"POST / HTTP/1.1\r\n")
    assert await carried(out, 1) == [("", ["answer cut"], False)]
    assert out.ledger is not None
    assert [each["how"] for each in noted(out.ledger.file, "broke")] == ["answer cut"]
