"""Connections that cost and bring nothing, at a real socket."""

import asyncio
import resource
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from tyrsky import connections, metrics
from tyrsky.connections import Connection

LARGE = 30_000_000  # more than the system takes in between
GET = b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n"


class Short(Connection):
    most = 4
    sweep_seconds, head_seconds, read_seconds = 0.05, 0.2, 0.2


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    size = LARGE if scope["path"] == "/large" else 2
    if scope["path"] == "/slow":
        await asyncio.sleep(0.6)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
    await send({"type": "http.response.body", "body": b"x" * size})


@asynccontextmanager
async def served(keep_alive: int = 30) -> AsyncGenerator[int]:
    config = uvicorn.Config(
        app,
        port=0,
        http=Short,
        timeout_keep_alive=keep_alive,
        timeout_graceful_shutdown=1,
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def opened(port: int, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    return reader, writer


async def closed(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Whether the other side closes within that time."""
    try:
        async with asyncio.timeout(seconds):
            await reader.read()
            return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def test_a_head_without_an_end_is_cut_off():
    async with served() as port:
        for before in (b"", GET):  # at first, and after a request
            reader, writer = await opened(port, before)
            if before:
                await reader.readuntil(b"xx")

            async def drip(writer: asyncio.StreamWriter) -> None:
                for byte in b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 100:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.02)

            dripping = asyncio.create_task(drip(writer))
            assert await closed(reader, 1.5)
            dripping.cancel()


async def test_who_says_nothing_at_all_is_sent_away():
    async with served(keep_alive=1) as port:
        reader, _ = await opened(port)
        assert not await closed(reader, 0.5)
        assert await closed(reader, 3)


async def test_who_does_not_read_the_answer_is_sent_away():
    async with served() as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.sleep(0.15)
            assert now_open() == 1
            async with asyncio.timeout(3):
                while now_open():
                    await asyncio.sleep(0.02)


def now_open() -> float:
    return metrics.REGISTRY.get_sample_value("http_connections") or 0


@pytest.mark.parametrize("times", [2, 8])
async def test_who_asks_again_and_does_not_read_is_sent_away(times: int):
    # The second answer finds no room, and its request is at work for as long as nobody reads.
    async with served() as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * times)
            await asyncio.sleep(0.15)
            assert now_open() == 1
            async with asyncio.timeout(3):
                while now_open():
                    await asyncio.sleep(0.02)


async def test_who_does_not_read_a_last_answer_is_sent_away():
    async with served() as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            await asyncio.sleep(0.15)
            assert now_open() == 1
            async with asyncio.timeout(3):
                while now_open():
                    await asyncio.sleep(0.02)


async def test_who_reads_each_answer_stays():
    async with served() as port:
        reader, writer = await opened(port)
        for _ in range(15):  # half a second, longer than an answer may take to be read
            writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            assert len(await reader.readuntil(b"\r\n\r\n")) < 100
            await reader.readexactly(LARGE)


async def test_a_body_that_comes_after_its_refusal_is_no_head_without_an_end():
    async with served(keep_alive=1) as port:
        reader, writer = await opened(port, b"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
        await reader.readuntil(b"xx")
        writer.write(b"ab")
        assert not await closed(reader, 0.5)  # rests, and that longer than a head may take
        assert await closed(reader, 3)  # and not for ever


async def test_a_slow_answer_is_no_reason():
    async with served() as port:
        reader, _ = await opened(port, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")


async def test_the_one_that_rested_longest_makes_room():
    async with served() as port:
        resting = [await opened(port, GET) for _ in range(4)]
        for reader, _ in resting:
            await reader.readuntil(b"xx")
        new, _ = await opened(port, GET)
        assert (await new.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        assert await closed(resting[0][0], 1)
        assert not await closed(resting[1][0], 0.1)


async def test_those_that_never_asked_make_room_before_those_that_did():
    async with served() as port:
        asked = [await opened(port, GET) for _ in range(2)]
        for reader, _ in asked:
            await reader.readuntil(b"xx")
        silent = [await opened(port) for _ in range(10)]
        assert [await closed(reader, 0.1) for reader, _ in silent] == [True] * 8 + [False] * 2
        for reader, writer in asked:
            writer.write(GET)
            assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")


async def test_one_that_asks_again_has_not_rested_longest():
    async with served() as port:
        resting = [await opened(port, GET) for _ in range(4)]
        for reader, _ in resting:
            await reader.readuntil(b"xx")
        resting[0][1].write(GET)
        await resting[0][0].readuntil(b"xx")
        await opened(port)
        assert await closed(resting[1][0], 1)
        assert not await closed(resting[0][0], 0.1)


async def test_where_all_are_at_work_there_is_no_room():
    async with served() as port:
        busy = [await opened(port, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(4)]
        await asyncio.sleep(0.1)
        new, _ = await opened(port)
        assert await closed(new, 0.3)
        for reader, _ in busy:
            assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    """What the system allows, and what was asked of it."""
    limits = {"now": (1_024, 1_024)}

    def allowed(_: int) -> tuple[int, int]:
        return limits["now"]

    def change(_: int, to: tuple[int, int]) -> None:
        limits["now"] = to

    monkeypatch.setattr(resource, "getrlimit", allowed)
    monkeypatch.setattr(resource, "setrlimit", change)
    return limits


def test_as_many_connections_as_there_may_be_files(files: dict[str, tuple[int, int]], caplog: pytest.LogCaptureFixture):
    assert connections.allowed(4_096) == 768
    assert "may open 1024 files: it takes 768 connections and not 4096" in caplog.text
    files["now"] = (1_024, 524_288)
    caplog.clear()
    assert connections.allowed(4_096) == 4_096
    assert files["now"][0] == 65_536
    assert not caplog.text
    files["now"] = (256, 256)
    with pytest.raises(OSError, match="raise the limit"):
        connections.allowed(4_096)
