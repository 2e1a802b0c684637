"""What is read off a connection, at a real socket: many requests at once, and requests that two could read two ways."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from tyrsky import heads
from tyrsky.connections import Connection
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

GET = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

made: list[Connection] = []
queued: list[int] = []
asked: list[str] = []


class Counted(Connection):
    """Says how many requests ever waited on a connection."""

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)
        made.append(self)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        queued.append(len(self.pipeline))


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    asked.append(scope["path"])
    if scope["path"] != "/unread":
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
    await asyncio.sleep(0.01)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"xx"})


@asynccontextmanager
async def opened() -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(
        app, port=0, http=Counted, ws="none", timeout_graceful_shutdown=1, log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        server.should_exit = True
        await task


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    for each in (made, queued, asked):
        each.clear()
    yield
    made.clear()


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side closes."""
    answer = b""
    async with asyncio.timeout(5):
        with suppress(ConnectionError):
            while part := await reader.read(65_536):
                answer += part
    return answer


async def test_many_requests_at_once_are_not_taken_in():
    async with opened() as (reader, writer):
        writer.write(b"".join(GET % number for number in range(10_000)))
        answer = await all_of(reader)
    assert max(queued) <= heads.PIPELINED_MAX
    assert asked == [f"/{number}" for number in range(len(asked))]
    assert answer.count(b"HTTP/1.1 200") == len(asked) == heads.PIPELINED_MAX + 1
    assert answer.count(b"HTTP/1.1") == len(asked)  # nothing else that could be taken for the answer to one of them


async def test_nothing_is_read_while_requests_wait():
    async with opened() as (_, writer):
        writer.write(b"".join(GET % number for number in range(4)))
        while not made or not made[0].pipeline:
            await asyncio.sleep(0)
        connection = made[0]
        while connection.pipeline:
            assert connection.flow.read_paused
            await asyncio.sleep(0.001)
        assert not connection.flow.read_paused


async def test_a_few_requests_at_once_are_answered_in_turn():
    async with opened() as (reader, writer):
        for _ in range(5):
            writer.write(b"".join(GET % number for number in range(3)))
            await asyncio.sleep(0.02)
        writer.write(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + LAST)
        answer = await all_of(reader)
    assert asked == ["/0", "/1", "/2"] * 5 + ["/body", "/last"]
    assert answer.count(b"HTTP/1.1 200") == 17


async def test_a_large_body_behind_another_request_is_read():
    async with opened() as (reader, writer):
        writer.write(GET % 0 + b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        writer.write(LAST)
        answer = await all_of(reader)
    assert asked == ["/0", "/body", "/last"]
    assert answer.count(b"HTTP/1.1 200") == 3


async def test_who_is_being_answered_hears_that_the_client_left():
    async with opened() as (_, writer):
        writer.write(GET % 0 + GET % 1)
        while not asked:
            await asyncio.sleep(0)
        at_work = made[0].at_work
        assert isinstance(at_work, RequestResponseCycle)
        made[0].transport.abort()
        await asyncio.sleep(0.05)
        assert at_work.disconnected
        assert asked == ["/0"]


async def test_more_headers_than_anybody_has():
    async with opened() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a:\r\n" * heads.HEADERS_MAX + b"\r\n")
        assert (await all_of(reader)).startswith(b"HTTP/1.1 400")
    assert not asked


@pytest.mark.parametrize(
    "head",
    [
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"Content-Length: 3, 3\r\n\r\nabc",
        b"Content-Length: +3\r\n\r\nabc",
        b"Content-Length: 0x3\r\n\r\nabc",
        b"Content-Length: \r\n\r\n",
        b"Content-Length : 3\r\n\r\nabc",
        b" Content-Length: 3\r\n\r\nabc",
        b"X-Folded: 1\r\n 2\r\n\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        b"X-Bare: 1\nX-Feed: 2\r\n\r\n",
        b"X-Bare: 1\r\n\n",
        b"X-Bare: 1\rX-Return: 2\r\n\r\n",
        b"X-Nul: \0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n",
        b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
        b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_could_be_read_two_ways_is_refused(head: bytes):
    async with opened() as (reader, writer):
        writer.write(b"POST /body HTTP/1.1\r\nHost: x\r\n" + head + b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await all_of(reader)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1
    assert "/hidden" not in asked


async def test_the_body_of_a_change_of_protocol_is_no_request():
    hidden = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n\r\n"
    async with opened() as (reader, writer):
        writer.write(head % len(hidden))
        await asyncio.sleep(0.05)  # so that the body comes by itself
        writer.write(hidden)
        assert (await all_of(reader)).count(b"HTTP/1.1 200") == 0
    assert not asked


async def test_a_change_of_protocol_is_not_made_and_what_follows_is_no_request():
    async with opened() as (reader, writer):
        writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        await asyncio.sleep(0.005)
        writer.write(GET % 2)
        answer = await all_of(reader)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in answer
    assert asked == ["/a"]


@pytest.mark.parametrize(("path", "closes"), [("unread", True), ("body", False)])
async def test_who_was_not_told_to_go_on_with_the_body_finds_the_connection_closed(path: str, closes: bool):
    head = b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\nExpect: 100-continue\r\n\r\n" % path.encode()
    async with opened() as (reader, writer):
        writer.write(head)
        if not closes:
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"x" * 60 + LAST)
        answer = await all_of(reader)
    assert (b"connection: close" in answer.partition(b"xx")[0]) == closes
    assert asked == ([f"/{path}"] if closes else [f"/{path}", "/last"])
