"""The kit under a scheduler that explores interleavings: some seeds always, many in the long run."""

import os
import subprocess
import sys
import time

import pytest

from tests.simulation.__main__ import command, run_many
from tests.simulation.mutants import MUTANTS
from tests.simulation.plans import MORE_OF

FEW, PLANNED, MANY = 15, 50, 400
MUTANT_SEEDS_MAX = 1_000

QUICK = ("saves no receipts", "clears what is not its own", "folds repeats")


def nothing_wrong(first: int, count: int) -> None:
    wrong = [f"{what}\n    {command(seed)}" for seed, what in run_many(range(first, first + count), None)]
    assert not wrong, "\n".join(wrong)


def test_some_seeds_find_nothing() -> None:
    nothing_wrong(0, FEW)


@pytest.mark.slow
def test_other_seeds_every_time_find_nothing() -> None:
    nothing_wrong(int(os.environ.get("TYRSKY_SIMULATION_SEED", time.time())), MANY)


@pytest.mark.slow
@pytest.mark.parametrize("plan", MORE_OF)
def test_what_makes_faults_show_finds_nothing_where_there_are_none(plan: str) -> None:
    """By the same seeds that find the mutant, or most of them."""
    wrong = [f"{what}\n    {command(seed, None, plan)}" for seed, what in run_many(range(PLANNED), None, plan)]
    assert not wrong, "\n".join(wrong)


def found_within(mutant: str, most: int) -> int:
    """How many seeds it takes to find a fault."""
    for first in range(0, most, 10):
        if wrong := run_many(range(first, first + 10), mutant):
            return wrong[0][0] + 1
    return most + 1


@pytest.mark.parametrize("mutant", QUICK)
def test_a_plain_fault_in_the_kit_is_found_at_once(mutant: str) -> None:
    assert found_within(mutant, 20) <= 20


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [mutant for mutant in MUTANTS if mutant not in QUICK])
def test_a_fault_in_the_kit_is_found(mutant: str) -> None:
    assert found_within(mutant, MUTANT_SEEDS_MAX) <= MUTANT_SEEDS_MAX


@pytest.mark.slow
def test_a_seed_is_the_same_run_in_every_process() -> None:
    """Also where sets have another order."""

    def digest(hash_seed: str) -> str:
        words = [sys.executable, "-m", "tests.simulation", "--seed", "3", "--seeds", "20", "--digest"]
        ran = subprocess.run(
            words, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
        )
        return ran.stdout

    assert len({digest(hash_seed) for hash_seed in ("1", "2", "3")}) == 1
