"""F15 judges what everybody is told while the identity provider is away."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import identity, ledger
from tests.faults.ledger import Asked, Ledger
from tests.faults.rig import Rig

AWAY = "503 identity-unavailable"
VISITS, ROOMS = "/companies/1/visits", "/rooms/1/reservations"


def test_who_is_turned_away_for_want_of_keys_is_told_unless_the_service_waits_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    now, book = [0.0], Ledger(tmp_path / "ledger.jsonl")
    monkeypatch.setattr(ledger.time, "time", lambda: now[0])

    def tried(at: float, wish: str, path: str, outcome: str) -> None:
        now[0] = at
        book.asked(Asked(wish, "c1", "u1", "a-kind", "POST", path))
        book.tried(wish, outcome)

    tried(5, "before", VISITS, AWAY)
    since = book.paper.end
    tried(11, "one", VISITS, AWAY)
    tried(12, "two", ROOMS, "503 service-unavailable")
    tried(13, "three", ROOMS, AWAY)
    tried(21, "four", ROOMS, AWAY)  # it was killed, and waits
    tried(22, "five", VISITS, AWAY)
    book.answered("five", 201, {"id": "v1"}, version=1)
    tries, wrong = identity.tries_of(book.paper, since, {"seats": 20})
    assert tries == 6
    assert [each.split(" ")[0] for each in wrong] == ["one", "three", "five"]


@pytest.mark.parametrize(
    ("service", "status", "code", "wrong"),
    [
        ("companies", 404, "visit-unknown", 0),
        ("companies", 404, "room-unknown", 1),
        ("companies", 200, "", 1),
        ("notifications", 404, "notification-unknown", 0),
        ("seats", 404, "room-unknown", 0),
        ("seats", 404, "not-found", 1),
        ("seats", 503, "identity-unavailable", 1),
    ],
)
async def test_what_is_nobodys_is_an_answer_with_its_own_code_alone(service: str, status: int, code: str, wrong: int):
    async def get(_: str) -> Any:
        return identity.httpx2.Response(status, json={"code": code} if code else {})

    rig = SimpleNamespace(services=[service], person=lambda _: SimpleNamespace(get=get))  # pyright: ignore[reportUnknownLambdaType]
    found = list[str]()
    assert await identity._asked(cast("Rig", rig), 0.01, found) == 1  # pyright: ignore[reportPrivateUsage]
    assert len(found) == wrong
