"""F8 follows every plan that was acknowledged in its window, whether or not its invitation has arrived, and measures as
often as it was to."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import ledger, letters, poison
from tests.faults.ledger import Asked, Ledger
from tests.faults.rig import Rig


class Paper:
    """A rig, as far as its ledger goes."""

    def __init__(self, file: Path) -> None:
        self.ledger = Ledger(file)


def test_who_was_invited_since_is_known_from_the_ledger_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rig = Paper(tmp_path / "ledger.jsonl")
    clock = iter(range(1, 100))
    monkeypatch.setattr(ledger.time, "time", lambda: float(next(clock)))

    def plan(name: str, status: int, body: Any) -> None:
        asked = Asked(name, "c", "u", "plan-visit", "POST", "/companies/1/visits", "/visits/{id}", body)
        rig.ledger.asked(asked)
        rig.ledger.answered(name, status, {"id": name}, version=1)

    plan("before", 201, {"contact_id": "c1"})  # asked at 1, answered at 2
    plan("invited", 201, {"contact_id": "c1"})
    plan("alone", 201, {})
    plan("refused", 422, {"contact_id": "c1"})
    assert poison.planned_since(cast("Rig", rig), 3.0) == {"invited"}


async def test_what_is_too_slow_is_not_measured_until_it_is_good(monkeypatch: pytest.MonkeyPatch):
    windows = list[bool]()

    @asynccontextmanager
    async def here(*_: object) -> AsyncGenerator[Any]:
        yield SimpleNamespace(visits=["a visit"])

    async def window(_: object, victims: Sequence[str], wrong: list[str]) -> list[float]:
        windows.append(bool(victims))
        return [9.0 if victims else 1.0] * poison.SAMPLES_JUDGED

    async def nothing(*_: object) -> Any:
        return []

    async def replayed(*_: object) -> tuple[int, list[str]]:
        return 1, []

    async def dropped(*_: object) -> int:
        return 0

    async def written(*_: object) -> letters.Parked:
        return letters.Parked()

    for name, done in (("_patient", here), ("_Victims", here), ("_window", window), ("_write", written)):
        monkeypatch.setattr(poison, name, done)
    for name, done in (("all_kept", nothing), ("replayed", replayed), ("dropped", dropped)):
        monkeypatch.setattr(letters, name, done)
    outcome = await poison.poison(cast(Rig, None), Random(1), 2)
    assert windows == [False, False, True, False, True]  # the first is no measure
    assert outcome.wrong == ("p99 of the others: 9.000 s with poison, 1.000 s without",)
