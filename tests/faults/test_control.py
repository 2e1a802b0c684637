"""A process that the rig has in its hands does what it is told, and says so."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.control import Bug, Control

STOPS = """
import sys, pathlib
from tests.faults.control import Control
control = Control(pathlib.Path(sys.argv[1]))
control.look()
control.comes_to("send", {"v1": "a relay"})
"""


def say(file: Path, number: int, **wanted: object) -> None:
    file.write_text(json.dumps({"number": number, **wanted}))
    os.utime(file, ns=(number, number))


def told(file: Path) -> dict[str, object]:
    return json.loads(file.with_suffix(".told").read_text())


def test_the_clock_turns_and_asyncio_s_does_not(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    control = Control(file)
    for number, ahead in enumerate((600, -600, 0), 1):
        say(file, number, clock=ahead)
        before, monotonic = time.monotonic(), time.monotonic
        control.look()
        expected = datetime.fromtimestamp(os.stat_result(os.stat(tmp_path)).st_mtime, UTC) + timedelta(seconds=ahead)
        assert abs((datetime.now(UTC) - expected).total_seconds()) < 5
        assert 0 <= monotonic() - before < 5
        assert told(file)["clock"] == ahead


def test_events_of_some_keys_fail(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    control = Control(file)
    say(file, 1, fail=["one"])
    control.look()
    control.fails(["another"])
    with pytest.raises(Bug):
        control.fails(["one"])
    assert told(file)["failed"] == 1
    say(file, 2)
    control.look()
    control.fails(["one"])


def test_it_stops_where_it_is_told_to_and_once(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    say(file, 1, crash="send")
    first = subprocess.run([sys.executable, "-c", STOPS, file], check=False)
    assert first.returncode == -signal.SIGKILL
    assert told(file)["stopped_for"] == 1
    again = subprocess.run([sys.executable, "-c", STOPS, file], check=False)
    assert again.returncode == 0
    say(file, 2, crash="commit_transaction")
    assert subprocess.run([sys.executable, "-c", STOPS, file], check=False).returncode == 0


def test_with_a_key_it_stops_only_where_that_is_in_hand_and_says_who_had_claimed_it(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    say(file, 1, crash="send", key="v2")
    assert subprocess.run([sys.executable, "-c", STOPS, file], check=False).returncode == 0
    say(file, 2, crash="send", key="v1")
    assert subprocess.run([sys.executable, "-c", STOPS, file], check=False).returncode == -signal.SIGKILL
    assert told(file)["holder"] == "a relay"
