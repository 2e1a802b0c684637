"""What weighs too much is refused, before anything parses it."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st
from tyrsky import bodies
from tyrsky.limits import deeper
from tyrsky.settings import Settings
from tyrsky.testing.tokens import Authority

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With little patience."""
    return settings.model_copy(update={"request_seconds": 0.3})


async def test_a_body_that_says_that_it_is_large(client: httpx2.AsyncClient):
    answer = await client.post("/echo", content=b"[" + b" " * 10_000 + b"]", headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert answer.headers["connection"] == "close"


async def test_a_body_that_turns_out_to_be_large(client: httpx2.AsyncClient):
    async def without_end() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_000

    answer = await client.post("/echo", content=without_end(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_a_body_in_pieces_arrives_whole(client: httpx2.AsyncClient):
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"a"', b": [1", b", 2]}"):
            yield piece

    assert (await client.post("/echo", content=pieces(), headers=JSON)).json() == {"a": [1, 2]}


async def test_half_a_body_is_not_carried_out(app: FastAPI):
    carried_out: list[object] = []

    @app.post("/ring")
    async def ring(request: Request) -> None:
        carried_out.append(await request.body())

    sent: list[int] = []
    parts: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": b'{"a": ', "more_body": True},
        {"type": "http.disconnect"},
    ]
    coming = iter(parts)

    async def receive() -> MutableMapping[str, Any]:
        return next(coming)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message.get("status", 0))

    headers = [(b"host", b"test"), (b"transfer-encoding", b"chunked"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/ring", "raw_path": b"/ring", "query_string": b""}
    await app({**scope, "headers": headers, "http_version": "1.1"}, receive, send)
    assert (carried_out, sent[0]) == ([], 408)


async def test_json_that_is_nested_too_deeply(client: httpx2.AsyncClient):
    answer = await client.post("/echo", content=b"[" * 33 + b"]" * 33, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "json-too-deep")
    assert (await client.post("/echo", content=b"[" * 32 + b"]" * 32, headers=JSON)).status_code == 200


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "latin-1"])
async def test_json_is_in_utf_8(client: httpx2.AsyncClient, encoding: str):
    text = (
        '"é"' if encoding == "latin-1" else '["\u2200", ' + "[" * 200 + "]" * 201
    )  # its bytes: a quotation mark, a space
    answer = await client.post("/echo", content=text.encode(encoding), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "json-broken")
    assert (await client.post("/echo", content='"\u2200é"'.encode(), headers=JSON)).json() == "\u2200é"


async def test_headers_that_are_too_large(client: httpx2.AsyncClient):
    answer = await client.get("/me", headers={"X-Long": "x" * 2_000})
    assert (answer.status_code, answer.json()["code"]) == (431, "headers-too-large")


async def test_an_address_that_is_too_long(client: httpx2.AsyncClient):
    answer = await client.get("/me?" + "x" * 500)
    assert (answer.status_code, answer.json()["code"]) == (414, "target-too-long")


async def test_an_answer_that_takes_too_long(app: FastAPI, client: httpx2.AsyncClient):
    @app.get("/sleeps")
    async def sleeps() -> None:
        await asyncio.sleep(30)

    answer = await client.get("/sleeps")
    assert (answer.status_code, answer.json()["code"]) == (503, "answer-slow")


async def test_a_body_that_never_ends(client: httpx2.AsyncClient):
    async def drips() -> AsyncIterator[bytes]:
        while True:
            yield b"["
            await asyncio.sleep(0.05)

    answer = await client.post("/echo", content=drips(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (408, "request-slow")


async def test_a_time_out_of_the_routes_own_is_not_ours(app: FastAPI, client: httpx2.AsyncClient):
    @app.get("/gives-up")
    async def gives_up() -> None:
        raise TimeoutError

    assert (await client.get("/gives-up")).json()["code"] == "unexpected"


async def test_more_requests_than_it_can_take(app: FastAPI, client: httpx2.AsyncClient, authority: Authority):
    client.headers |= authority.headers()
    assert (await client.get("/me")).status_code == 200  # the keys are here
    go = asyncio.Event()

    @app.get("/waits")
    async def waits() -> None:
        await go.wait()

    first = [asyncio.create_task(client.get("/waits")) for _ in range(2)]
    await asyncio.sleep(0.05)
    turned_away = await client.get("/waits")
    assert (turned_away.status_code, turned_away.json()["code"]) == (429, "caller-busy")
    assert turned_away.headers["retry-after"]
    assert (await client.get("/livez")).status_code == 200
    go.set()
    assert [(await task).status_code for task in first] == [200, 200]
    assert (await client.get("/waits")).status_code == 200


async def test_who_sends_slowly_keeps_no_place(app: FastAPI, client: httpx2.AsyncClient):
    async def drips() -> AsyncIterator[bytes]:
        while True:
            yield b"["
            await asyncio.sleep(0.05)

    slow = [asyncio.create_task(client.post("/echo", content=drips(), headers=JSON)) for _ in range(5)]
    await asyncio.sleep(0.1)
    assert (await client.post("/echo", content=b"[1]", headers=JSON)).status_code == 200
    assert {(await each).status_code for each in slow} == {408}


async def unfinished(size: int) -> AsyncIterator[bytes]:
    yield b" " * size
    await asyncio.sleep(60)


async def test_who_leaves_bodies_unfinished_keeps_none_from_others(
    client: httpx2.AsyncClient, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bodies, "ALL_BYTES_MAX", 40_000)
    monkeypatch.setattr(bodies, "SMALL_BYTES", 100)
    one, other = authority.headers(sub="one"), authority.headers(sub="other")
    assert (await client.get("/me", headers=one)).status_code == 200  # the keys are here
    large = b"[" + b" " * 2_000 + b"]"
    for headers, code in ((one, "caller-busy"), ({}, "busy")):
        slow = [
            asyncio.create_task(client.post("/echo", content=unfinished(3_000), headers=JSON | headers))
            for _ in range(6)
        ]
        await asyncio.sleep(0.1)
        refused = await client.post("/echo", content=large, headers=JSON | headers)
        assert (refused.json()["code"], refused.headers["connection"]) == (code, "close")
        assert refused.headers["retry-after"]
        assert (await client.post("/echo", content=b"[]", headers=JSON | headers)).status_code == 200
        assert (await client.post("/echo", content=large, headers=JSON | other)).status_code == 200
        assert Counter([(await each).json()["code"] for each in slow]) == {"request-slow": 3, code: 3}
        assert (await client.post("/echo", content=large, headers=JSON | headers)).status_code == 200


async def test_bodies_count_until_their_requests_are_answered(
    app: FastAPI, client: httpx2.AsyncClient, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bodies, "ALL_BYTES_MAX", 10_000)
    monkeypatch.setattr(bodies, "SMALL_BYTES", 100)
    monkeypatch.setattr(bodies, "CALLER_SHARE", 1)
    app.state.places._patience = 0.2
    go = asyncio.Event()

    @app.post("/waits")
    async def waits() -> None:
        await go.wait()

    client.headers |= authority.headers()
    assert (await client.get("/me")).status_code == 200  # the keys are here
    held = [asyncio.create_task(client.post("/waits", content=b" " * 3_000)) for _ in range(3)]  # two at work
    await asyncio.sleep(0.1)
    refused = await client.post("/waits", content=b" " * 3_000)
    assert (refused.json()["code"], refused.headers["connection"]) == ("caller-busy", "close")
    go.set()
    assert [(await each).status_code for each in held] == [200] * 3
    assert (await client.post("/waits", content=b" " * 9_000)).status_code == 200


async def test_who_reads_slowly_keeps_no_place(app: FastAPI, client: httpx2.AsyncClient):
    read = asyncio.Event()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None:
        await read.wait()

    me = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/nowhere", "headers": []}
    scope = {**me, "raw_path": b"/nowhere", "query_string": b"", "asgi": {"version": "3.0"}, "server": ("x", 80)}
    slow = [asyncio.create_task(app({**scope}, receive, send)) for _ in range(5)]  # pyright: ignore[reportArgumentType]
    await asyncio.sleep(0.05)
    assert (await client.get("/nowhere")).status_code == 404
    read.set()
    await asyncio.gather(*slow, return_exceptions=True)


@pytest.mark.parametrize(
    "body", [b'{"a": "[[[[[["}', b'"\\"[[[[[["', b'["]", "]", "["]', b'"[[[[', b'"\\\\", [], "[[["']
)
def test_brackets_in_strings_are_no_depth(body: bytes):
    assert not deeper(body, 3)


@trying(max_examples=20, deadline=None)
@given(st.recursive(st.text('[]{}"\\,ab'), lambda part: st.lists(part) | st.dictionaries(st.text('[]{}"\\'), part)))
def test_depth_is_what_a_parser_would_find(value: object):
    body = json.dumps(value).encode()
    depth = depth_of(value)
    assert not deeper(body, depth)
    assert depth == 0 or deeper(body, depth - 1)


def depth_of(value: object) -> int:
    match value:
        case list():
            return 1 + max(map(depth_of, value), default=0)
        case dict():
            return 1 + max(map(depth_of, value.values()), default=0)
        case _:
            return 0


@pytest.mark.parametrize("piece", [b'"\\"', b"[]", b'"', b"\\", b"]", b'["', b"[" * 30 + b"]" * 30])
def test_no_body_keeps_it_busy(piece: bytes):
    body = (piece * 1_000_000)[:1_000_000]
    began = time.perf_counter()
    deeper(body, 32)
    assert time.perf_counter() - began < 0.5
