"""F8 follows every record that was acknowledged in its window, whether or not its need was charted, and measures as
often as it was to."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import ledger, poison
from tests.faults.ledger import Asked, Ledger
from tests.faults.rig import Rig


class Paper:
    """A rig, as far as its ledger goes."""

    def __init__(self, file: Path) -> None:
        self.ledger = Ledger(file)


def test_who_was_recorded_since_is_known_from_the_ledger_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rig = Paper(tmp_path / "ledger.jsonl")
    clock = iter(range(1, 100))
    monkeypatch.setattr(ledger.time, "time", lambda: float(next(clock)))

    def record(name: str, status: int, body: Any) -> None:
        asked = Asked(name, "c", "u", "drop-in", "POST", "/companies/1/visits/recorded", "/visits/{id}", body)
        rig.ledger.asked(asked)
        rig.ledger.answered(name, status, {"id": name}, version=1)

    record("before", 200, {"needs": ["training"]})  # asked at 1, answered at 2
    record("needs", 200, {"needs": ["training"]})
    record("needs nothing", 200, {})
    record("refused", 409, {"needs": ["training"]})
    record("victim", 200, {"needs": ["training"]})
    assert poison.recorded_since(cast("Rig", rig), 3.0, ["victim"]) == {"needs": 3.0}


async def test_it_is_measured_with_the_settings_that_a_service_has_and_replayed_with_patience(
    monkeypatch: pytest.MonkeyPatch,
):
    happened, wanted = list[str](), dict[str, Any]()

    async def started(_: Any, __: Any, **now: Any) -> None:
        wanted.clear()
        wanted.update(now)

    async def obey(_: Any, __: Any, **now: Any) -> int:
        await started(_, __, **now)
        return 1

    def step(name: str, result: Any, hurt: Any = None) -> Any:
        async def done(*_: Any) -> Any:
            bug, patient = "bug" * ("fail" in wanted), "patient" * ("env" in wanted)
            happened.append(" ".join(filter(None, (name, bug, patient))))
            return hurt if bug and hurt else result

        return done

    async def victims(rig: Any, random: Random, instances: Sequence[str]) -> list[str]:
        await obey(rig, "companies", fail=["v1"])
        return ["v1"]

    async def nothing(*_: Any) -> Any:
        return ["companies"]

    monkeypatch.setattr(poison, "WARM_SECONDS", 0)
    monkeypatch.setattr(poison.hands, "obey", obey)
    monkeypatch.setattr(poison, "_started_with", started)
    monkeypatch.setattr(poison, "_instances", nothing)
    monkeypatch.setattr(poison, "_victims", victims)
    monkeypatch.setattr(poison, "_tell_choked", lambda *_: None)  # pyright: ignore[reportUnknownLambdaType]
    monkeypatch.setattr(poison, "_write", step("write", {("g", "k1")}))
    many = poison.SAMPLES_JUDGED
    monkeypatch.setattr(poison, "_window", step("window", [1.0] * many, [9.0] * many))
    for name, result in (
        ("all_kept", []),
        ("tried_again", (2, [])),
        ("put_off", []),
        ("replayed", (1, [])),
        ("dropped", 1),
    ):
        monkeypatch.setattr(poison.letters, name, step(name, result))
    rig = SimpleNamespace(fault_ended=lambda: None)
    outcome = await poison.poison(cast("Rig", rig), Random(1), 2)
    # As often as it was to be, though the others are slower: not until it is good.
    assert [each for each in happened if each.startswith("window")] == ["window", "window bug"] * 2
    assert outcome.wrong == ("p99 of the others: 9.000 s with poison, 1.000 s without",)
    happened = happened[: len(happened) // 2]
    after = happened[happened.index("tried_again bug") :]
    assert after == ["tried_again bug", "put_off bug patient", "replayed patient", "dropped patient"]
    assert (outcome.times, outcome.counts["tries again meanwhile"], wanted) == (2, 4, {})
