"""F8 follows every plan that was acknowledged in its window, whether or not its invitation has arrived."""

from pathlib import Path
from typing import Any, cast

import pytest

from tests.faults import ledger, poison
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
