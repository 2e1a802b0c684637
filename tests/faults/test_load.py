"""Clients of the load: one key for all tries of a wish, the ledger before and after, a patience with an end."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from tests.faults import answers, load
from tests.faults.calling import Answer, Caller
from tests.faults.ledger import Ledger, Paper
from tests.faults.load import Client

DONE = Answer(201, {"ETag": '"3"'}, {"id": "v1"})
NOBODY = Answer(503, {}, {"code": "service-unavailable"})


class Gateway:
    """Answers as it is told, one thing after another; an exception is raised."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, str]] = []

    async def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The next answer; the last one for ever."""
        self.asked.append(headers or {})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long clients paused, without the pauses."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(load.asyncio, "sleep", sleep)
    return pauses


def client(gateway: Gateway, folder: Path) -> Client:
    return Client("c1", "u1", cast("Caller", gateway), Ledger(folder / "ledger.jsonl"), Random(1))


async def test_every_try_of_a_wish_has_the_same_key_and_the_next_wish_another(tmp_path: Path):
    gateway = Gateway(TimeoutError(), NOBODY, Answer(409, {}, {"code": "key-in-flight"}), DONE)
    one = client(gateway, tmp_path)
    first = await one.ask("plan-visit", "POST", "/companies/c/visits", {"day": 1}, about="/visits/{id}")
    await one.ask("plan-visit", "POST", "/companies/c/visits", {"day": 2}, about="/visits/{id}")
    assert (first.acknowledged, first.version, first.about) == (True, 3, "/visits/v1")
    keys = [headers["Idempotency-Key"] for headers in gateway.asked]
    assert len(set(keys[:4])) == 1
    assert len(set(keys)) == 2


async def test_the_same_seed_asks_with_the_same_keys(tmp_path: Path):
    keys: list[str] = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        gateway = Gateway(DONE)
        await client(gateway, folder).ask("open-room", "POST", "/rooms", {})
        keys.append(gateway.asked[0]["Idempotency-Key"])
    assert keys[0] == keys[1]


async def test_how_often_it_has_to_ask_does_not_change_what_it_asks_next(tmp_path: Path):
    dice: list[float] = []
    for name, told in (("one", [DONE]), ("two", [NOBODY, TimeoutError(), NOBODY, DONE])):
        one = client(Gateway(*told), tmp_path / name)
        await one.ask("open-room", "POST", "/rooms", {})
        dice.append(one.random.random())
    assert dice[0] == dice[1]


async def test_the_ledger_has_the_wish_before_its_answer_and_every_try(tmp_path: Path):
    one = client(Gateway(OSError(), DONE), tmp_path)
    await one.ask("open-room", "POST", "/rooms", {"seats": 3}, about="/rooms/{id}")
    lines = (tmp_path / "ledger.jsonl").read_text().splitlines()
    assert [line.split('"')[3] for line in lines] == ["asked", "tried", "answered"]


async def test_a_refusal_is_an_answer_and_not_asked_again(tmp_path: Path):
    gateway = Gateway(Answer(409, {}, {"code": "room-full"}))
    refused = await client(gateway, tmp_path).ask("reserve-seat", "POST", "/rooms/r/reservations", {})
    assert (refused.acknowledged, refused.code, len(gateway.asked)) == (False, "room-full", 1)


async def test_who_is_full_is_left_alone_for_as_long_as_it_asks(tmp_path: Path, waited: list[float]):
    gateway = Gateway(Answer(503, {"Retry-After": "8"}, {"code": "busy"}), DONE)
    await client(gateway, tmp_path).ask("open-room", "POST", "/rooms", {})
    assert 8 * 0.7 <= waited[0] <= 8 * 1.3


async def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(load, "PATIENCE_SECONDS", 0)
    gone = await client(Gateway(NOBODY), tmp_path).ask("open-room", "POST", "/rooms", {})
    assert gone.gave_up
    [wish] = Paper(tmp_path / "ledger.jsonl").wishes()
    assert (wish.gave_up, wish.status) == (True, 0)


WRONG_TIME = Answer(401, {}, {"code": "token-invalid"})


async def test_a_token_of_another_time_is_shown_again_only_while_a_clock_is_wrong(tmp_path: Path):
    one = client(Gateway(WRONG_TIME, DONE), tmp_path)
    one.ledger.noted("fault", code="F9")
    assert (await one.ask("open-room", "POST", "/rooms", {})).acknowledged
    for code in ("F1", "F10"):
        other = client(Gateway(WRONG_TIME, DONE), tmp_path)
        other.ledger.noted("fault", code=code)
        refused = await other.ask("open-room", "POST", "/rooms", {})
        assert (refused.status, refused.code) == (401, "token-invalid")
    *_, last = Paper(tmp_path / "ledger.jsonl").wishes()
    assert not answers.by_the_rules([last], over=False).holds


ROOM = "/rooms/6c1d0b0e-0000-4000-8000-000000000001"


async def test_a_look_at_one_thing_is_written_down_and_one_at_a_list_is_not(tmp_path: Path):
    found = Answer(200, {"ETag": '"3"'}, {})
    one = client(Gateway(found, Answer(404, {}, {}), NOBODY, OSError(), found), tmp_path)
    for _ in range(4):
        await one.get(ROOM)
    for path in ("/visits?limit=20", f"{ROOM}/occupancy"):
        await one.get(path)
    looks = Paper(tmp_path / "ledger.jsonl").looks()
    assert [(look.path, look.client, look.version) for look in looks] == [(ROOM, "c1", 3), (ROOM, "c1", 0)]
    assert all(look.asked_at <= look.answered_at for look in looks)


async def test_what_was_said_in_a_try_is_written_down_and_cut_off_when_it_is_long(tmp_path: Path):
    long = Answer(503, {}, {"code": "busy", "detail": "x" * 10_000})
    await client(Gateway(long, DONE), tmp_path).ask("open-room", "POST", "/rooms", {})
    tried = next(line for line in (tmp_path / "ledger.jsonl").read_text().splitlines() if '"tried"' in line)
    assert "busy" in tried
    assert len(tried) < 500
