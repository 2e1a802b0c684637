"""A short run of the fault rig, on a stack of its own: three minutes of kills and of a rush, and nothing is lost.

The dice are others each time, and printed: ``make faults SEED=... ONLY=F1,F3,F14`` repeats a run.
"""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.faults import faults
from tests.faults.planning import plan

ROOT = Path(__file__).resolve().parents[2]
ONLY = "F1,F3,F14"
MINUTES = "2.2"  # of faults: the least that all three fit in; starting and the last mails come on top
SECONDS_MAX = 600


@pytest.mark.stack
@pytest.mark.timeout(SECONDS_MAX + 60)
def test_a_short_run_loses_nothing() -> None:
    command = [sys.executable, "-m", "tests.faults", "--minutes", MINUTES, "--only", ONLY]
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


def test_all_of_the_short_run_fits_into_its_minutes() -> None:
    chosen = [fault for fault in faults.ALL if fault.code in ONLY.split(",")]
    planned = plan(chosen, minutes=float(MINUTES), random=Random(1), outside=frozenset(), full=False)
    assert [each.why_not for each in planned] == ["", "", ""]
