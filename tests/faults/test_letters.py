"""F8's letters are looked for by group and key; and its p99 is of many, or none."""

import math
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import letters
from tests.faults.letters import POLICIES, REACH, letters_wrong
from tests.faults.poison import SAMPLES_JUDGED, compared
from tests.faults.rig import Rig

EXPECTED = {(POLICIES, "k1"), (REACH, "k1"), (POLICIES, "v1")}
CAUSES = {(POLICIES, "k1"): "envelope-malformed", (REACH, "k1"): "envelope-malformed", (POLICIES, "v1"): "Bug"}


def test_each_group_has_its_own_letter():
    assert letters_wrong(CAUSES, EXPECTED, {"v1"}) == []
    others = {(POLICIES, "somebody's"): "TimeoutError"}
    assert letters_wrong(CAUSES | others, EXPECTED, {"v1"}) == []


@pytest.mark.parametrize("lost", EXPECTED)
def test_a_letter_of_another_group_does_not_make_up_for_one_that_is_not_there(lost: tuple[str, str]):
    group, key = lost
    left = {each: cause for each, cause in CAUSES.items() if each != lost}
    assert letters_wrong(left, EXPECTED, {"v1"}) == [f"{group} {key}: no dead letter with a cause"]


def test_a_letter_without_its_cause_or_of_what_could_be_taken_is_wrong():
    assert len(letters_wrong(CAUSES | {(POLICIES, "k1"): ""}, EXPECTED, {"v1"})) == 1
    assert len(letters_wrong(CAUSES | {(POLICIES, "v1"): "TimeoutError"}, EXPECTED, {"v1"})) == 1
    strange = letters_wrong(CAUSES | {(REACH, "v1"): "Bug"}, EXPECTED, {"v1"})
    assert strange == [f"{REACH} v1: a dead letter of what it could take"]


def test_of_too_few_no_p99_is_told_or_judged():
    shown, wrong = compared([0.1] * SAMPLES_JUDGED, [9.0] * (SAMPLES_JUDGED - 1))
    assert shown["p99"] == f"too few to judge ({SAMPLES_JUDGED - 1} of {SAMPLES_JUDGED})"
    assert wrong == []


@pytest.mark.parametrize(("slow", "count"), [(0.2, 0), (0.21, 1), (math.inf, 1)])
def test_of_enough_the_p99_may_double(slow: float, count: int):
    poisoned = [0.1] * (SAMPLES_JUDGED - 10) + [slow] * 10
    assert len(compared([0.1] * SAMPLES_JUDGED, poisoned)[1]) == count
    one_slow = [0.1] * (SAMPLES_JUDGED - 1) + [slow]
    assert compared([0.1] * SAMPLES_JUDGED, one_slow)[1] == []  # it is not the slowest of them


class Letters:
    """A rig, as far as the letters of two visits and their notifications go."""

    def __init__(self, *, parked: int = 2, works: bool = True, ends_with: int = 0, each: int = 1) -> None:
        self.layout = SimpleNamespace(database=str)
        self.rests: list[float] = []
        self._parked, self._works, self._ends_with, self._each = parked, works, ends_with, each
        self._replayed = False

    def say(self, text: str) -> None:
        """Nobody listens."""

    def rested(self, what: str, took: float) -> None:
        """Note it."""
        self.rests.append(took)

    def database(self, service: str) -> dict[str, Any]:
        """Collections that can be counted."""
        return {"dead_letters": self, "notifications": SimpleNamespace(count_documents=self._notified)}

    async def count_documents(self, query: dict[str, Any]) -> int:
        """How many letters lie there."""
        return 0 if self._replayed else self._parked

    async def _notified(self, query: dict[str, Any]) -> int:
        return self._each if self._replayed else 0

    async def command(self, *_: Any, **__: Any) -> Any:
        """The replay, which does what it says or not."""
        self._replayed = self._works
        return SimpleNamespace(returncode=self._ends_with, stdout="taken")


@pytest.mark.parametrize(
    ("rig", "repaired", "right"),
    [
        (Letters(), 2, True),
        (Letters(works=False), 0, False),  # it says that it has taken them
        (Letters(ends_with=1), 2, False),
        (Letters(parked=1), 0, False),  # one of them has gone by itself
        (Letters(each=2), 0, False),
    ],
)
async def test_the_replay_alone_repairs_and_once(
    rig: Letters, repaired: int, right: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(letters, "command", rig.command)
    monkeypatch.setattr(letters, "SETTLE_SECONDS", 0.01)
    count, wrong = await letters.replayed(cast("Rig", rig), ["v1", "v2"])
    assert count == repaired
    assert (not wrong) is right
