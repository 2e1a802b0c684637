"""A short run of the fault rig, on a stack of its own: three minutes in all, and nothing is lost.

The dice are others each time, and printed: ``make faults SHORT=1 SEED=...`` repeats a run.
"""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.faults import faults, short

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 600  # on a machine that does much else: it does the least of each fault, however long that takes


@pytest.mark.stack
@pytest.mark.timeout(SECONDS_MAX + 60)
def test_a_short_run_loses_nothing() -> None:
    command = [sys.executable, "-m", "tests.faults", "--short"]
    seed = os.environ.get("FAULTS_SEED")
    done = subprocess.run(
        [*command, *(["--seed", seed] if seed else [])],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    print(done.stdout[-10_000:])
    assert done.returncode == 0, "an invariant was violated: the report is above"


def others(seed: int) -> set[str]:
    codes = {fault.code for fault in short.chosen(faults.ALL, Random(seed))}
    assert codes >= {"F1", "F3"}
    return codes - {"F1", "F3"}


def test_the_store_and_services_are_always_killed_and_others_come_by_the_seed() -> None:
    drawn = [others(seed) for seed in range(200)]
    assert {len(each) for each in drawn} == {1, 2}
    assert set[str]().union(*drawn) >= {"F2", "F7", "F14", "F15", "F16"}
    assert others(7) == others(7)


@pytest.mark.parametrize("gone", [50, 90, 500])
def test_all_of_it_is_run_and_no_more_than_there_is_time_for(gone: float) -> None:
    for seed in range(50):
        chosen = short.chosen(faults.ALL, Random(seed))
        planned = short.planned(chosen, Random(seed), frozenset(), gone)
        assert all(each.amount >= each.fault.least for each in planned)
        least = sum(fault.least * fault.seconds + short.REST_SECONDS for fault in chosen)
        seconds = sum(each.amount * each.fault.seconds + short.REST_SECONDS for each in planned)
        assert seconds <= max(least, short.SECONDS - short.END_SECONDS - gone)
