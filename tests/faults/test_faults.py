"""A short run of the fault rig, on a stack of its own: three minutes of kills and of a rush, and nothing is lost.

The dice are others each time, and printed: ``make faults SEED=... ONLY=F1,F3,F14`` repeats a run.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ONLY = "F1,F3,F14"
MINUTES = "2"  # of faults; starting, and waiting for the last mails, comes on top
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
