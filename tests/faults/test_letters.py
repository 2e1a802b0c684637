"""F8's letters are looked for by group and key; and its p99 is of many, or none."""

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
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
    """A rig, as far as the letters of two visits and their needs go."""

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
        return {"dead_letters": self, "needs": SimpleNamespace(count_documents=self._charted)}

    async def count_documents(self, query: dict[str, Any]) -> int:
        """How many letters lie there."""
        return 0 if self._replayed else self._parked

    async def _charted(self, query: dict[str, Any]) -> int:
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


class Boxes:
    """The boxes of visits, by how often each was tried again and when it is due, look by look."""

    def __init__(self, tries: dict[str, int], *due: float) -> None:
        self._tries, self._due = tries, list(due)

    def database(self, service: str) -> dict[str, Any]:
        """The service's, with these boxes alone."""
        return {"dead_letters": self}

    async def find(self, *_: Any) -> AsyncIterator[dict[str, Any]]:
        """All of them."""
        for visit, times in self._tries.items():
            yield {"key": visit, "attempts": times}

    async def count_documents(self, query: dict[str, Any]) -> int:
        """Those that are due later than that."""
        due = datetime.now(UTC) + timedelta(seconds=self._due.pop(0) if len(self._due) > 1 else self._due[0])
        return len(self._tries) * (due > query["due_at"]["$gt"])


async def test_a_key_that_nobody_tries_again_while_it_is_measured_is_told():
    assert await letters.tried_again(cast("Rig", Boxes({"v1": 2, "v2": 1})), ["v1", "v2"]) == (3, [])
    tries, never = await letters.tried_again(cast("Rig", Boxes({"v1": 2})), ["v1", "v2"])
    assert (tries, len(never)) == (2, 1)
    assert "v2" in never[0]


async def test_before_the_replay_nothing_is_due_any_more(monkeypatch: pytest.MonkeyPatch):
    async def sleep(_: float) -> None:
        """No time goes by."""

    monkeypatch.setattr(letters.asyncio, "sleep", sleep)
    monkeypatch.setattr(letters, "PUT_OFF_SECONDS", 0.05)
    assert await letters.put_off(cast("Rig", Boxes({"v1": 1}, 5, 10, 3_600)), ["v1"]) == []
    assert await letters.put_off(cast("Rig", Boxes({"v1": 1}, 10)), ["v1"])
