"""F8's letters are looked for by group and key; and its p99 is of many, or none."""

import math

import pytest

from tests.faults.letters import POLICIES, REACH, letters_wrong
from tests.faults.poison import SAMPLES_JUDGED, compared

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
