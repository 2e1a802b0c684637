"""While Kafka's disk is full, commands go on: none, or too few, is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.disks import Full, stood_still

GROWS = """
import errno, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
try:
    with open(sys.argv[1], "wb", buffering=0) as file:
        file.write(b"x")
except OSError as error:
    print(errno.errorcode[error.errno])
"""


@pytest.mark.parametrize(("acknowledged", "wrong"), [(0, 1), (11, 1), (12, 0), (300, 0)])
def test_commands_that_stood_still_are_wrong(acknowledged: int, wrong: int) -> None:
    assert len(stood_still(Full(2, 12.0, acknowledged))) == wrong


def test_it_says_how_many_there_were() -> None:
    says = ["3 commands were acknowledged in 12 s while Kafka's disk was full"]
    assert stood_still(Full(2, 12.0, 3)) == says


def test_a_process_without_room_is_told_that_a_file_is_too_large(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GROWS, tmp_path / "file"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "EFBIG"
