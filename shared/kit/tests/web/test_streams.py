"""Event streams, at a real socket: they last longer than a request, keep no place from others, and come to an end."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI, Response
from fastapi.sse import EventSourceResponse
from tyrsky import metrics
from tyrsky.connections import Connection
from tyrsky.settings import Settings
from tyrsky.testing.tokens import Authority

REQUEST_SECONDS = 0.3


@pytest.fixture
def stream_seconds() -> float:
    return 1.0


@pytest.fixture
def settings(settings: Settings, stream_seconds: float) -> Settings:
    """Room for eight streams, two of each caller; and for two requests."""
    short = {"request_seconds": REQUEST_SECONDS, "stream_seconds": stream_seconds, "streams_max": 8}
    return settings.model_copy(update=short)


class Place:
    """A server of streams, and a client."""

    def __init__(self, app: FastAPI, authority: Authority) -> None:
        self._authority = authority
        config = uvicorn.Config(
            app, port=0, http=Connection, timeout_graceful_shutdown=20, log_config=None, lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.client = httpx2.AsyncClient()
        self.under_way = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def shown(self, caller: str) -> dict[str, str]:
        return self._authority.headers("vaao", ["outreach"], sub=caller) if caller else {}

    @asynccontextmanager
    async def follow(self, caller: str = "") -> AsyncGenerator[httpx2.Response]:
        async with self.client.stream("GET", f"{self.base}/ticks", headers=self.shown(caller)) as answer:
            yield answer


@pytest.fixture
async def place(app: FastAPI, authority: Authority) -> AsyncIterator[Place]:
    found = Place(app, authority)

    @app.get("/ticks", response_class=EventSourceResponse)
    async def ticks() -> AsyncIterator[int]:
        found.under_way += 1
        try:
            for number in range(1_000):
                yield number
                await asyncio.sleep(0.05)
        finally:
            found.under_way -= 1

    task = asyncio.create_task(found.server.serve())
    while not found.server.started:
        await asyncio.sleep(0.01)
    async with found.client:
        # The door tells callers apart by the issuer's keys, which are fetched with the first of them.
        assert (await found.client.get(f"{found.base}/me", headers=authority.headers())).status_code == 200
        yield found
    found.server.should_exit = True
    await task


def open_now() -> float:
    return metrics.REGISTRY.get_sample_value("http_streams") or 0


async def until_all_are_gone(place: Place) -> None:
    async with asyncio.timeout(2):
        while place.under_way or open_now():
            await asyncio.sleep(0.01)


async def test_a_stream_outlives_a_request_and_ends_whole(place: Place, stream_seconds: float):
    began = time.monotonic()
    async with place.follow() as answer:
        told = [line async for line in answer.aiter_lines() if line.startswith("data:")]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert REQUEST_SECONDS < stream_seconds * 0.9 < time.monotonic() - began
    assert told[:3] == ["data: 0", "data: 1", "data: 2"]
    await until_all_are_gone(place)


async def test_whose_client_leaves_is_over(place: Place):
    async with place.follow() as answer:
        await anext(answer.aiter_lines())
        assert (place.under_way, open_now()) == (1, 1)
    await until_all_are_gone(place)


async def test_it_keeps_no_place_from_requests(place: Place, settings: Settings):
    async with AsyncExitStack() as stack:
        for number in range(settings.requests_max + 1):
            await stack.enter_async_context(place.follow(f"caller {number}"))
        assert (await place.client.post(f"{place.base}/echo", json=[1])).status_code == 200
    await until_all_are_gone(place)


async def test_a_caller_has_a_share_of_them_and_all_have_so_many(place: Place):
    async with AsyncExitStack() as stack:

        async def follow(caller: str) -> httpx2.Response:
            answer = await stack.enter_async_context(place.follow(caller))
            if answer.status_code != 200:
                await answer.aread()
            return answer

        for number in range(8):
            assert (await follow(f"caller {number // 2}")).status_code == 200
        mine = await follow("caller 0")
        assert (mine.status_code, mine.json()["code"]) == (429, "caller-busy")
        late = await follow("somebody else")
        assert (late.status_code, late.json()["code"]) == (503, "busy")
        assert late.headers["retry-after"]
    await until_all_are_gone(place)
    async with place.follow("somebody else") as answer:
        assert answer.status_code == 200


@pytest.mark.parametrize("stream_seconds", [600.0])
async def test_a_stop_waits_for_no_stream(place: Place):
    async with place.follow() as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        place.server.should_exit = True
        async with asyncio.timeout(10):
            _ = [line async for line in lines]
    await until_all_are_gone(place)


@pytest.mark.parametrize("stream_seconds", [0.2])
async def test_a_stop_comes_to_its_end_while_a_stream_is_at_its_own(place: Place, app: FastAPI):
    """To end it once more was an error, and the server broke its stop off there: the service was not told to stop."""
    ending = asyncio.Event()

    @app.get("/long-ends", response_class=EventSourceResponse)
    async def long_ends() -> AsyncIterator[int]:
        try:
            yield 0
            await asyncio.sleep(60)
        finally:
            ending.set()
            await asyncio.sleep(0.5)

    asking = asyncio.create_task(place.client.get(f"{place.base}/long-ends"))
    await ending.wait()
    await place.server.shutdown()
    assert (await asking).status_code == 200


async def test_one_that_is_whole_at_once_is_refused_as_any_other(place: Place, app: FastAPI):
    """It had come to its end before the refusal could cut it off, and nobody answered: 500."""

    @app.get("/short")
    async def short() -> Response:
        return Response("data: 1\n\n", media_type="text/event-stream")

    headers = place.shown("caller")
    assert (await place.client.get(f"{place.base}/short", headers=headers)).text == "data: 1\n\n"
    async with place.follow("caller"), place.follow("caller"):
        refused = await place.client.get(f"{place.base}/short", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "caller-busy")
    await until_all_are_gone(place)
