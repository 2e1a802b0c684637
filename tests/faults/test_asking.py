"""The machine's hands write down what they ask and are shown, with all that others have to know of it."""

import asyncio
import itertools
from pathlib import Path

import httpx2

from tests.faults.asking import Answer, Api, Request
from tests.faults.ledger import Ledger, Paper

ROOM = "/rooms/6c1d0b0e-0000-4000-8000-000000000001"
BODY = {"starts_at": "2026-01-01T10:00:00Z", "contact_id": "c1"}


def api(folder: Path, loop: asyncio.AbstractEventLoop, *answers: httpx2.Response) -> Api:
    told = iter(answers)

    def answer(_: httpx2.Request) -> httpx2.Response:
        return next(told)

    http = httpx2.AsyncClient(base_url="http://faults.example", transport=httpx2.MockTransport(answer))
    return Api(lambda user: http, loop, itertools.count(), ledger=Ledger(folder / "ledger.jsonl"))


def test_what_is_asked_is_written_down_with_its_body(tmp_path: Path, loop: asyncio.AbstractEventLoop):
    away, done = httpx2.Response(503, json={"code": "busy"}), httpx2.Response(201, json={"id": "v1"})
    one = api(tmp_path, loop, away, done)
    answer = one.ask(Request("u", "POST", "/companies/1/visits", BODY, "key", kind="plan-visit", about="/visits/{id}"))
    assert (answer.status, answer.tries) == (201, 2)
    [wish] = Paper(tmp_path / "ledger.jsonl").wishes()
    assert (wish.asked.body, wish.about, wish.tries) == (BODY, "/visits/v1", 2)


def test_what_is_shown_is_written_down_and_what_is_not_is_not(tmp_path: Path, loop: asyncio.AbstractEventLoop):
    shown, hidden = httpx2.Response(200, json={}, headers={"ETag": '"4"'}), httpx2.Response(404, json={"code": "x"})
    one = api(tmp_path, loop, shown, hidden)
    for _ in range(2):
        one.ask(Request("u", "GET", ROOM))
    [look] = Paper(tmp_path / "ledger.jsonl").looks()
    assert (look.path, look.version) == (ROOM, 4)


def test_a_token_of_another_time_is_an_answer(tmp_path: Path, loop: asyncio.AbstractEventLoop):
    one = api(tmp_path, loop, httpx2.Response(401, json={"code": "token-invalid"}))
    assert one.ask(Request("u", "GET", ROOM)) == Answer(401, {"code": "token-invalid"})
