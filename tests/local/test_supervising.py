"""A supervisord that has ended is gone, also where nobody has asked for its end yet."""

import os
import subprocess
import sys
import time

import pytest

from deploy.local.stack import Stack
from deploy.local.supervising import Supervisor


def test_a_supervisord_that_is_a_zombie_of_ours_is_not_waited_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays as a zombie
    (stack.folder / "supervisord.pid").write_text(str(ended.pid))

    def answers(self: Supervisor, method: str, *arguments: object) -> None:
        """It takes the order, and ends."""

    def waits(seconds: float) -> None:
        raise AssertionError("a process that has ended is waited for")

    monkeypatch.setattr(Supervisor, "_call", answers)
    monkeypatch.setattr(time, "sleep", waits)
    assert Supervisor(stack).shut_down()
