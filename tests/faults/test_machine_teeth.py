"""The state machine has teeth: whatever promise a service breaks, it is found out."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Iterator
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from companies import register
from companies.testing import record
from companies.ytj import entry_of
from fastapi import FastAPI
from pymongo import MongoClient
from tyrsky.service import Service
from tyrsky.testing.receiver import SECRET
from tyrsky.testing.tokens import Authority

from deploy.local.stack import HOST
from tests.e2e import world
from tests.faults.answers import by_the_rules
from tests.faults.asking import Api
from tests.faults.ledger import Ledger, Paper
from tests.faults.machine import USERS
from tests.faults.stateful import NUMBERS_EACH, Told, drive

pytestmark = pytest.mark.stack

EXAMPLES, STEPS, SEED = 20, 12, 16

Forward = Callable[[httpx2.Request], Awaitable[httpx2.Response]]
Lie = Callable[[httpx2.Request, Forward], Awaitable[httpx2.Response]]


class Services(httpx2.AsyncBaseTransport):
    """Each service by its paths, with no network between; ``lie`` stands before them, as a broken service would."""

    def __init__(self, rooms: FastAPI, companies: FastAPI, lie: Lie) -> None:
        self._rooms = httpx2.ASGITransport(app=rooms)
        self._companies = httpx2.ASGITransport(app=companies)
        self._lie = lie

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        to = self._rooms if request.url.path.startswith("/rooms") else self._companies
        return await self._lie(request, to.handle_async_request)


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority() as found:
        yield found


def put_together(package: str, environment: dict[str, str]) -> Service:
    """``main.py`` on the real store. Its lifespan, which needs Kafka, is not begun."""
    found = find_spec(f"{package}.main")
    assert found is not None
    assert found.loader is not None
    main = module_from_spec(found)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        found.loader.exec_module(main)
    return main.service


@pytest.fixture
def run(loop: asyncio.AbstractEventLoop, authority: Authority, tmp_path: Path) -> Iterator[Callable[[Lie], Told]]:
    """Drive the machine against services in this process."""
    name, uri = f"machine-{uuid4().hex[:12]}", world.setting("MONGO_URI")
    environment = {
        "MONGO_URI": uri,
        "OIDC_ISSUER": authority.issuer,
        "COLLEGES": '["vaao", "sasky"]',
        "ADDRESS_PEPPERS": '["the-tests-have-a-pepper-of-their-own"]',
        "WEBHOOK_URL": f"http://{HOST}:9/",
        "WEBHOOK_SECRET": SECRET,
    }
    # No name begins like the other: dropping a database of the embedded server drops those too whose names do.
    rooms = f"rooms-{name}"
    seats = put_together("seats", environment | {"MONGO_DATABASE": rooms})
    companies = put_together("companies", environment | {"MONGO_DATABASE": name})
    with MongoClient[dict[str, Any]](uri) as client:
        entries = [entry_of(record(number)) for number in range(EXAMPLES * NUMBERS_EACH)]
        client[name][register.COLLECTION].insert_many([register.document(each) for each in entries])

        def run(lie: Lie) -> Told:
            transport = Services(seats.app, companies.app, lie)
            people = {
                user: httpx2.AsyncClient(
                    transport=transport,
                    base_url="http://machine.test",
                    headers=authority.headers(user.partition("-")[0], ["outreach"], sub=f"{user:->36}"),
                )
                for user in USERS
            }
            book = Ledger(tmp_path / "ledger.jsonl")
            api = Api(people.__getitem__, loop, itertools.count(), reacts=False, ledger=book)
            return drive(api, SEED, EXAMPLES, STEPS)

        yield run
        for service in (seats, companies):
            asyncio.run_coroutine_threadsafe(service.client.close(), loop).result(10)
        client.drop_database(name)
        client.drop_database(rooms)


async def honest(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    """No lie."""
    return await forward(request)


async def forgets_keys(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    """Each repeat is a new wish."""
    if len(request.headers.get("Idempotency-Key", "")) >= 8:
        request.headers["Idempotency-Key"] = str(uuid4())
    return await forward(request)


async def does_not_say_that_it_is_a_repeat(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    answer = await forward(request)
    answer.headers.pop("Idempotent-Replayed", None)
    return answer


async def last_writer_wins(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    """Whatever version somebody saw, they may write over it."""
    if request.headers.get("If-Match", "").strip('"').isdecimal():
        request.headers["If-Match"] = "*"
    return await forward(request)


async def acknowledges_and_forgets(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    """A change is answered as if it were done."""
    if request.method != "PATCH":
        return await forward(request)
    shown = await told(await forward(httpx2.Request("GET", request.url, headers=request.headers)))
    if shown.headers.get("ETag") != request.headers.get("If-Match"):
        return await forward(request)
    version = int(shown.headers["ETag"].strip('"')) + 1
    body = {**shown.json(), **json.loads(await request.aread())}
    return httpx2.Response(200, headers={"ETag": f'"{version}"'}, json=body)


async def reserves_twice(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    """What was sent once comes twice, as two wishes."""
    if request.url.path.endswith("/reservations") and len(request.headers.get("Idempotency-Key", "")) >= 8:
        again = httpx2.Request("POST", request.url, headers=request.headers, content=await request.aread())
        again.headers["Idempotency-Key"] = str(uuid4())
        await forward(again)
    return await forward(request)


async def miscounts_what_is_left(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    """Off by one, once a seat was taken."""
    answer = await told(await forward(request))
    body = answer.json()
    if request.method == "GET" and "left" in body and body["left"] < body["seats"]:
        return httpx2.Response(200, headers={"ETag": answer.headers["ETag"]}, json=body | {"left": body["left"] + 1})
    return answer


async def keeps_the_etag(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    answer = await forward(request)
    if request.method == "PATCH" and answer.status_code == 200 and '"' in request.headers["If-Match"]:
        answer.headers["ETag"] = request.headers["If-Match"]
    return answer


async def tells_strangers(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    """What another college asks for is found all the same (it says 403 instead of 404, so it gives away that it is)."""
    answer = await told(await forward(request))
    if answer.status_code == 404 and answer.json()["code"].endswith("-unknown"):
        return httpx2.Response(403, json={"code": "role-missing"})
    return answer


async def leaves_out_of_lists(request: httpx2.Request, forward: Forward) -> httpx2.Response:
    """A page of a list that goes on misses its last item."""
    answer = await told(await forward(request))
    body = answer.json()
    if request.method == "GET" and len(body.get("items", [])) > 1:
        return httpx2.Response(200, json=body | {"items": body["items"][:-1]})
    return answer


async def told(answer: httpx2.Response) -> httpx2.Response:
    """An answer that was read whole."""
    await answer.aread()
    return answer


def test_in_one_process_it_agrees(run: Callable[[Lie], Told], tmp_path: Path):
    told = run(honest)
    assert not told.wrong, told.wrong
    verdict = by_the_rules(Paper(tmp_path / "ledger.jsonl").wishes(), over=False)
    assert verdict.holds, verdict.wrong
    assert verdict.also["acknowledged"]
    print(told)


@pytest.mark.parametrize(
    "lie",
    [
        forgets_keys,
        does_not_say_that_it_is_a_repeat,
        last_writer_wins,
        acknowledges_and_forgets,
        reserves_twice,
        miscounts_what_is_left,
        keeps_the_etag,
        tells_strangers,
        leaves_out_of_lists,
    ],
)
def test_a_lie_is_found_out(run: Callable[[Lie], Told], lie: Lie):
    told = run(lie)
    assert "Disagrees: " in told.why, f"{lie.__name__}: {told}"
    assert "The last requests:" in told.wrong
