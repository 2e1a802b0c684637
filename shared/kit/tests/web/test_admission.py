"""Who is let in when more come than can be worked on."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Hashable

import httpx2
import pytest
from fastapi import FastAPI
from tyrsky import metrics
from tyrsky.admission import UNKNOWN, Places
from tyrsky.settings import Settings
from tyrsky.testing.tokens import Authority, Key


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


async def ask(of: Places, caller: Hashable, served: list[Hashable], seconds: float = 0) -> str | None:
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
    of, served = places(1, 100), list[Hashable]()
    greedy = [asyncio.create_task(ask(of, b"greedy", served)) for _ in range(50)]
    await asyncio.sleep(0)
    await asyncio.gather(ask(of, b"one", served), ask(of, b"two", served))
    assert {b"one", b"two"} <= set(served[:6])  # before nearly all of the greedy
    assert await asyncio.gather(*greedy) == [None] * 50


async def test_a_full_room_makes_room_for_who_has_little_in_it():
    of, served = places(1, 4, 0.2), list[Hashable]()
    greedy = [asyncio.create_task(ask(of, b"greedy", served, 0.01)) for _ in range(10)]
    await asyncio.sleep(0)
    assert of.refusal(b"greedy")
    assert of.refusal(b"other") is None
    assert await ask(of, b"other", served) is None
    codes = Counter(await asyncio.gather(*greedy))
    assert codes == {None: 4, "caller-busy": 6}  # one at work and four in the room, of which the last made room


async def test_nobody_waits_longer_than_that():
    of, served = places(1, 100, 0.05), list[Hashable]()
    first = asyncio.create_task(ask(of, b"slow", served, 0.2))
    await asyncio.sleep(0)
    began = asyncio.get_running_loop().time()
    assert await ask(of, b"other", served) == "busy"
    assert 0.04 < asyncio.get_running_loop().time() - began < 0.15
    assert await first is None
    assert await ask(of, b"other", served) is None


async def test_who_would_wait_in_vain_goes_at_once():
    of, served = places(1, 10_000, 2), list[Hashable]()
    greedy = [asyncio.create_task(ask(of, b"greedy", served, 0.01)) for _ in range(1_000)]
    async with asyncio.timeout(1.5):  # less than a hundred a second, which has to be measured first
        while of.refusal(b"greedy") is None:
            await asyncio.sleep(0.05)
    assert of.refusal(b"greedy") == "caller-busy"
    assert of.refusal(b"other") is None
    codes = Counter(await asyncio.gather(*greedy))
    assert codes[None] < 300
    assert of.refusal(b"greedy") is None


async def test_whatever_becomes_of_requests_no_place_is_lost():
    chance, of, served = random.Random(5), places(3, 8, 0.01), list[Hashable]()

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
    of, served = places(1, 10), list[Hashable]()
    await of.enter(b"first")
    going, staying = (asyncio.create_task(ask(of, name, served)) for name in (b"going", b"staying"))
    await asyncio.sleep(0)
    of.leave(b"first")  # to the one that goes
    going.cancel()
    assert await staying is None
    assert served == [b"staying"]
    assert await of.enter(b"last") is None


async def test_of_equals_it_is_the_last_who_finds_no_room():
    of, served = places(1, 3), list[Hashable]()
    first = [asyncio.create_task(ask(of, name, served)) for name in (b"at work", b"one", b"two", b"three")]
    await asyncio.sleep(0)
    assert of.refusal(b"four") == "busy"
    assert await ask(of, b"four", served) == "busy"
    assert await asyncio.gather(*first) == [None] * 4


async def test_those_whom_nobody_knows_never_have_all_of_the_places():
    of, served = places(4, 100), list[Hashable]()
    unknown = [asyncio.create_task(ask(of, UNKNOWN, served, 0.2)) for _ in range(20)]
    await asyncio.sleep(0.05)
    assert served == [UNKNOWN] * 2
    assert await asyncio.gather(*(ask(of, b"one", served) for _ in range(50))) == [None] * 50
    assert not any(each.done() for each in unknown[4:])
    assert await asyncio.gather(*unknown) == [None] * 20


async def test_a_flood_of_made_up_tokens_is_one_callers_doing():
    of, served, refused = places(4, 64, 0.5), list[Hashable](), Counter[str | None]()
    over = time.monotonic() + 1.5

    async def flood() -> None:
        while time.monotonic() < over:
            tasks.extend(asyncio.create_task(ask(of, UNKNOWN, served, 0.01)) for _ in range(60))
            await asyncio.sleep(0.02)

    async def honest(name: str) -> None:
        for _ in range(3):
            refused[await ask(of, name, served, 0.01)] += 1
            await asyncio.sleep(0.4)

    tasks = list[asyncio.Task[str | None]]()
    await asyncio.gather(flood(), *(honest(f"{number}") for number in range(40)))
    await asyncio.gather(*tasks)
    assert refused == {None: 120}
    assert served.count(UNKNOWN) > 20  # a real share: somebody's first token may be among them


@pytest.mark.parametrize("many", [10, 10_000])
async def test_a_refusal_takes_no_longer_when_many_wait(many: int):
    of = places(1, many, 60)
    await of.enter(b"first")
    waiting = [asyncio.create_task(of.enter(number)) for number in range(many)]
    await asyncio.sleep(0)
    began = time.perf_counter()
    assert {of.refusal(b"new") for _ in range(1_000)} == {"busy"}
    assert time.perf_counter() - began < 0.5
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def of_person(authority: Authority, number: int) -> dict[str, str]:
    return authority.headers(sub=f"person-{number}")


@pytest.fixture
async def keys(client: httpx2.AsyncClient, authority: Authority) -> None:
    """A service has the issuer's keys when it begins to serve."""
    assert (await client.get("/me", headers=of_person(authority, 99))).status_code == 200


@pytest.mark.usefixtures("keys")
async def test_the_door_says_why_and_when_and_looks_are_let_in(
    app: FastAPI, client: httpx2.AsyncClient, authority: Authority
):
    go = asyncio.Event()

    @app.get("/waits")
    async def waits() -> None:
        await go.wait()

    tasks = [asyncio.create_task(client.get("/waits", headers=of_person(authority, n % 6))) for n in range(10)]
    await asyncio.sleep(0.05)
    refused = await client.get("/waits", headers={**of_person(authority, 0), "Accept-Language": "fi"})
    assert (refused.status_code, refused.json()["code"]) == (429, "caller-busy")
    again = [await client.get("/waits", headers=of_person(authority, 0)) for _ in range(20)]
    assert {each.status_code for each in again} == {429}
    seconds = {int(each.headers["retry-after"]) for each in (refused, *again)}
    assert seconds <= set(range(2, 9))
    assert len(seconds) > 1  # lest they all come back at once
    assert refused.headers["content-type"] == "application/problem+json"
    assert "trace_id" not in refused.json()
    assert (await client.get("/livez")).status_code == 200
    go.set()
    await asyncio.gather(*tasks)


@pytest.mark.usefixtures("keys")
async def test_who_has_one_request_is_not_to_blame(app: FastAPI, client: httpx2.AsyncClient, authority: Authority):
    go = asyncio.Event()

    @app.get("/waits")
    async def waits() -> None:
        await go.wait()

    tasks = [asyncio.create_task(client.get("/waits", headers=of_person(authority, 0))) for _ in range(3)]
    await asyncio.sleep(0.05)
    for headers in (of_person(authority, 1), {"Authorization": "Bearer junk"}, {}):
        refused = await client.get("/waits", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    go.set()
    await asyncio.gather(*tasks)


@pytest.mark.usefixtures("keys")
async def test_a_person_is_one_caller_with_however_many_tokens(
    app: FastAPI, client: httpx2.AsyncClient, authority: Authority
):
    go = asyncio.Event()

    @app.get("/waits")
    async def waits() -> None:
        await go.wait()

    def anew(number: int) -> dict[str, str]:
        spelling = "".join(each.upper() if number >> at & 1 else each for at, each in enumerate("bearer"))
        return {"Authorization": f"{spelling} {authority.token(jti=f'{number}')}"}

    tasks = [asyncio.create_task(client.get("/waits", headers=anew(number))) for number in range(6)]
    await asyncio.sleep(0.03)
    refused = await client.get("/waits", headers=anew(7))
    assert (refused.status_code, refused.json()["code"]) == (429, "caller-busy")
    go.set()
    await asyncio.gather(*tasks)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("known_key", [True, False])
async def test_a_flood_of_made_up_tokens_leaves_room_for_first_requests(
    app: FastAPI, client: httpx2.AsyncClient, authority: Authority, *, known_key: bool
):
    @app.get("/works")
    async def works(seconds: float = 0.005) -> None:
        await asyncio.sleep(seconds)

    stranger, statuses, over = Key(), Counter[int](), time.monotonic() + 30
    served = asyncio.Event()
    stranger.kid = authority.keys[0].kid if known_key else "no such"

    def enough() -> bool:
        return served.is_set() and statuses[503] > statuses[200] > 20

    async def junk(number: int) -> None:
        while not enough() and time.monotonic() < over:
            token = f"{number}-{time.monotonic()}"
            if known_key:
                token = authority.signed(authority.claims(jti=token), key=stranger)
            statuses[(await client.get("/works", headers={"Authorization": f"Bearer {token}"})).status_code] += 1
            await asyncio.sleep(0)

    flood = [asyncio.create_task(junk(number)) for number in range(30)]
    answers = Counter[int]()
    for number in range(40):  # one after the other: on a slow machine they would else be too many themselves
        await asyncio.sleep(0.04)
        answers[(await client.get("/works", headers=of_person(authority, number))).status_code] += 1
    served.set()
    await asyncio.gather(*flood)
    assert answers[200] == 40 if not known_key else answers[200] > 20  # signatures take time, of which there is a share
    assert enough()
