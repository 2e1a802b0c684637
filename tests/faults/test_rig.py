"""How long rest takes is measured from the fault's end, and only who has come to rest has come to rest."""

import math
import signal
import time
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults.checking import Checking
from tests.faults.ledger import Ledger
from tests.faults.rig import Rig


class Load:
    """Clients who all have their answers, or not."""

    answered = True

    async def pause(self) -> bool:
        """Nobody begins anything more."""
        return self.answered


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    nothing = cast("Any", None)
    load, ledger = cast("Any", Load()), Ledger(tmp_path / "ledger.jsonl")

    async def unsettled(_: Rig) -> list[str]:
        return []

    monkeypatch.setattr(Rig, "unsettled", unsettled)
    return Rig(nothing, nothing, {}, {}, nothing, ledger, load, Random(1), lambda _: None)


async def test_it_is_measured_from_the_faults_end_or_from_now(rig: Rig):
    rig.fault_ended()
    assert await rig.settle(since=rig.ended_at - 20) >= 20
    assert await rig.settle() < 1


async def test_who_still_waits_for_an_answer_is_not_at_rest(rig: Rig):
    cast("Any", rig.load).answered = False
    assert await rig.settle() == math.inf


async def test_a_kill_or_a_stop_is_noted_as_what_can_have_hurt_and_as_an_end_and_going_on_only_as_an_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    async def pid(_: Rig, part: str) -> int:
        return 4_711 if part == "seats" else 0

    def group(pid: int) -> int:
        return pid

    def spare(group: int, how: int) -> None:
        """Nobody is killed here."""

    monkeypatch.setattr(Rig, "pid", pid)
    monkeypatch.setattr("os.getpgid", group)
    monkeypatch.setattr("os.killpg", spare)
    assert not await rig.kill("companies")
    assert rig.ended_at == 0.0
    assert await rig.kill("seats", signal.SIGCONT)
    assert rig.ledger.paper.noted("hurt") == []
    assert await rig.kill("seats")
    assert [each["part"] for each in rig.ledger.paper.noted("hurt")] == ["seats"]
    assert await rig.kill("seats", signal.SIGSTOP)
    assert len(rig.ledger.paper.noted("hurt")) == 2
    assert time.monotonic() - rig.ended_at < 1


async def test_what_a_fault_measured_itself_is_judged_and_measured_from_there_no_more(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
):
    rig.fault_ended()
    rig.rested("F6, 20000 messages", 100.0, 200)
    assert [(rest.took, rest.allowed) for rest in rig.rests] == [(100.0, 200)]
    assert await rig.settle(since=rig.ended_at) < 1
    monkeypatch.setattr(rig, "people", SimpleNamespace(caller=None))
    monkeypatch.setattr("tests.faults.checking.senders", list)
    monkeypatch.setattr(rig, "layout", [])
    checking = Checking(rig, [])
    await checking.settle("F6")
    assert rig.rests == []


async def test_a_death_of_the_rigs_doing_is_noted_by_its_process(rig: Rig):
    rig.hurt("seats", ended=4_711)
    rig.hurt("seats")
    assert [(each["part"], each["pid"]) for each in rig.ledger.paper.noted("ends")] == [("seats", 4_711)]
    assert len(rig.ledger.paper.noted("hurt")) == 2
