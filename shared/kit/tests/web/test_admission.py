"""Who is let in when more come than can be worked on."""

import asyncio
import random
from collections import Counter

import httpx2
import pytest
from fastapi import FastAPI
from tyrsky import metrics
from tyrsky.admission import Places
from tyrsky.settings import Settings


def places(at_work: int, room: int, seconds: float = 5) -> Places:
    return Places(
        Settings(
            colleges=["vaao"],
            oidc_issuer="http://127.0.0.1:9",
            requests_max=at_work,
            requests_waiting_max=room,
            request_wait_seconds=seconds,
        )
    )


async def ask(of: Places, caller: bytes, served: list[bytes], seconds: float = 0) -> str | None:
    if code := await of.enter(caller):
        return code
    served.append(caller)
    try:
        await asyncio.sleep(seconds)
    finally:
        of.leave(caller)
    return None


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With time for a machine that has other work too."""
    return settings.model_copy(update={"request_wait_seconds": 0.7})


async def test_callers_take_turns():
    of, served = places(1, 100), list[bytes]()
    greedy = [asyncio.create_task(ask(of, b"greedy", served)) for _ in range(50)]
    await asyncio.sleep(0)
    await asyncio.gather(ask(of, b"one", served), ask(of, b"two", served))
    assert {b"one", b"two"} <= set(served[:6])  # before nearly all of the greedy
    assert await asyncio.gather(*greedy) == [None] * 50


async def test_a_full_room_makes_room_for_who_has_little_in_it():
    of, served = places(1, 4, 0.2), list[bytes]()
    greedy = [asyncio.create_task(ask(of, b"greedy", served, 0.01)) for _ in range(10)]
    await asyncio.sleep(0)
    assert of.refusal(b"greedy")
    assert of.refusal(b"other") is None
    assert await ask(of, b"other", served) is None
    codes = Counter(await asyncio.gather(*greedy))
    assert codes == {None: 4, "caller-busy": 6}  # one at work and four in the room, of which the last made room


async def test_nobody_waits_longer_than_that():
    of, served = places(1, 100, 0.05), list[bytes]()
    first = asyncio.create_task(ask(of, b"slow", served, 0.2))
    await asyncio.sleep(0)
    began = asyncio.get_running_loop().time()
    assert await ask(of, b"other", served) == "busy"
    assert 0.04 < asyncio.get_running_loop().time() - began < 0.15
    assert await first is None
    assert await ask(of, b"other", served) is None


async def test_who_would_wait_in_vain_goes_at_once():
    of, served = places(1, 10_000, 0.5), list[bytes]()
    greedy = [asyncio.create_task(ask(of, b"greedy", served, 0.01)) for _ in range(1_000)]
    await asyncio.sleep(0.4)  # less than a hundred a second: some fifty in half a second
    assert of.refusal(b"greedy") == "caller-busy"
    assert of.refusal(b"other") is None
    codes = Counter(await asyncio.gather(*greedy))
    assert codes[None] < 100
    assert of.refusal(b"greedy") is None


async def test_whatever_becomes_of_requests_no_place_is_lost():
    chance, of, served = random.Random(5), places(3, 8, 0.01), list[bytes]()

    async def one(number: int) -> None:
        await asyncio.sleep(chance.random() * 0.3)
        await ask(of, f"{number % 5}".encode(), served, chance.random() * 0.02)

    tasks = [asyncio.create_task(one(number)) for number in range(400)]
    for task in chance.sample(tasks, 100):
        asyncio.get_running_loop().call_later(chance.random() * 0.35, task.cancel)  # clients that go away
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [await of.enter(b"x") for _ in range(4)] == [None, None, None, "caller-busy"]
    assert metrics.REGISTRY.get_sample_value("http_requests_waiting") == 0


async def test_a_place_that_comes_as_its_caller_goes_is_given_on():
    of, served = places(1, 10), list[bytes]()
    await of.enter(b"first")
    going, staying = (asyncio.create_task(ask(of, name, served)) for name in (b"going", b"staying"))
    await asyncio.sleep(0)
    of.leave(b"first")  # to the one that goes
    going.cancel()
    assert await staying is None
    assert served == [b"staying"]
    assert await of.enter(b"last") is None


async def test_the_door_says_why_and_when_and_looks_are_let_in(app: FastAPI, client: httpx2.AsyncClient):
    go = asyncio.Event()

    @app.get("/waits")
    async def waits() -> None:
        await go.wait()

    tasks = [asyncio.create_task(client.get("/waits", headers={"Authorization": f"{n % 6}"})) for n in range(10)]
    await asyncio.sleep(0.05)
    refused = await client.get("/waits", headers={"Authorization": "0", "Accept-Language": "fi"})
    assert (refused.status_code, refused.json()["code"]) == (429, "caller-busy")
    assert 2 <= int(refused.headers["retry-after"]) <= 8
    assert refused.headers["content-type"] == "application/problem+json"
    assert "trace_id" not in refused.json()
    assert (await client.get("/livez")).status_code == 200
    go.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("caller", ["a", "b"])
async def test_who_has_one_request_is_not_to_blame(app: FastAPI, client: httpx2.AsyncClient, caller: str):
    go = asyncio.Event()

    @app.get("/waits")
    async def waits() -> None:
        await go.wait()

    tasks = [asyncio.create_task(client.get("/waits", headers={"Authorization": "greedy"})) for _ in range(3)]
    await asyncio.sleep(0.05)
    refused = await client.get("/waits", headers={"Authorization": caller})
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    go.set()
    await asyncio.gather(*tasks)
