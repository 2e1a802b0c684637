"""The proxy does to a connection what it says, and nothing when it is told nothing."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from tests.faults.proxy import HOST, Proxy
from tests.faults.standins import Echo, Line
from tests.faults.wire import KafkaTalk, Talk
from tests.tools import free_port


@pytest.fixture
async def between(echo: Echo) -> AsyncIterator[Proxy]:
    one = Proxy("a-b", free_port(), (HOST, echo.port), lambda: Talk(lambda chunk: chunk == b"write"))
    await one.start()
    yield one
    await one.close()


async def test_it_passes_on_what_comes_and_the_end_of_it(between: Proxy, echo: Echo) -> None:
    line = await Line.to(between)
    assert await line.ask(b"a" * 50_000)
    line.writer.write_eof()
    assert (await line.reader.read())[-1:] in (b"a", b"")
    assert sum(map(len, echo.heard)) == 50_000


async def test_500_clients_at_one_moment_do_not_wait_for_one_another(between: Proxy) -> None:
    began = monotonic()
    lines = await asyncio.gather(*(Line.to(between) for _ in range(500)))
    assert monotonic() - began < 0.9  # a second later whoever found the door too narrow would try again
    for line in lines:
        line.writer.close()


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
    between.target = HOST, free_port()
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
    between = Proxy("a-kafka", free_port(), (HOST, broker.port), KafkaTalk)
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
    assert (await line.reader.readexactly(10))[4:8] == (8).to_bytes(4)
    with pytest.raises(ConnectionResetError):
        await line.reader.readexactly(1)
    assert between.counts["answers of EndTxn cut"] == 1
    assert not between.cuts_left
    await between.close()
    server.close()


async def test_an_answer_that_never_came_is_not_lost_and_another_will_be(between: Proxy, echo: Echo) -> None:
    between.cut_answers({"write": 1})
    silent = await asyncio.start_server(_silence, "127.0.0.1", free_port())
    there, between.target = between.target, (HOST, silent.sockets[0].getsockname()[1])
    line = await Line.to(between)
    line.writer.write(b"write")
    while between.cuts_wanted:
        await asyncio.sleep(0.01)
    between.reset()
    between.target = there
    while not between.cuts_wanted:
        await asyncio.sleep(0.01)
    assert between.cuts_left == 1
    again = await Line.to(between)
    with pytest.raises(ConnectionResetError):
        await again.ask(b"write")
    silent.close()


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_who_gives_up_losing_answers_loses_none(between: Proxy, echo: Echo) -> None:
    between.cut_answers({"write": 1})
    between.cut_answers({})
    assert await (await Line.to(between)).ask(b"write") == b"write"
