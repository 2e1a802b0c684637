"""What a service's process is told to do by the rig, and what it tells: two files beside one another.

What the first says holds within a tenth of a second; what took place is written into the second, so that a fault can
prove it. asyncio's own clock (monotonic) stays as it is, as it does when a machine's clock is set.
"""

import json
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import time_machine

LOOK_SECONDS = 0.1

PLACES = ("begin_transaction", "send", "commit_transaction", "clear")
"""The steps of a relay, before each of which the process can stop or die: three of Kafka's producer, and the clearing
of the outboxes."""


@dataclass(frozen=True)
class Wanted:
    """What a process is to do. ``number`` tells one wish from the next.

    ``clock`` is how many seconds it is ahead of the others. ``fail`` are ids: its policies choke on
    every event that names one. ``freeze`` is one of PLACES, before which the process stops itself (SIGSTOP); ``crash``
    one before which it dies; with a ``key`` only where that aggregate's events are in hand. Both are done once, also
    when the process that starts after it reads the same wish.
    ``watch`` is a consumer group whose batches are written down; ``hold`` says whether the next of them is held before
    it is taken or after it: for ``seconds`` from the beginning of a rebalance, or, ``past`` it, from its end.
    ``env`` are settings, for a process that starts.
    """

    number: int = 0
    clock: float = 0.0
    fail: Sequence[str] = ()
    freeze: str = ""
    crash: str = ""
    key: str = ""
    watch: str = ""
    hold: Literal["", "before", "after"] = ""
    past: bool = False
    seconds: float = 0.0
    env: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass
class Happened:
    """What took place so far in this process. ``stopped``: which process it was that stopped or died, for which wish;
    the one that is started after it tells it on. ``holder``: the relay that had claimed what was in hand there."""

    pid: int
    number: int = 0
    failed: int = 0
    stopped_for: int = 0
    stopped: int = 0
    holder: str = ""
    clock: float = 0.0
    wanted: Wanted = field(default_factory=Wanted)


class Bug(ValueError):  # noqa: N818 - of a kind that the same event brings again at once
    """The bug that the rig put in."""


class Control:
    """The file that says what this process is to do, and the one that tells what it did."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._told = file.with_suffix(".told")
        self._read_at = 0
        self._travel: time_machine.travel | None = None
        stopped_for, stopped = self._before()
        self.happened = Happened(os.getpid(), stopped_for=stopped_for, stopped=stopped)

    @property
    def wanted(self) -> Wanted:
        """The last wish."""
        return self.happened.wanted

    def _before(self) -> tuple[int, int]:
        """For which wish an earlier process stopped or died, and which one that was."""
        try:
            told = json.loads(self._told.read_text())
            return int(told["stopped_for"]), int(told["stopped"])
        except (FileNotFoundError, ValueError, KeyError):
            return 0, 0

    def watch(self) -> None:
        """Do what the file says, until the process ends."""
        while True:
            self.look()
            time.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Read the file when it is a new one."""
        try:
            changed_at = self.file.stat().st_mtime_ns
            if changed_at == self._read_at:
                return
            said = json.loads(self.file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):  # none yet, or half written: the next look finds it
            return
        self._read_at = changed_at
        wanted = Wanted(**said)
        if wanted.clock != self.happened.clock:
            self._turn(wanted.clock)
        self.happened.wanted, self.happened.number = wanted, wanted.number
        self.tell()

    def _turn(self, seconds: float) -> None:
        if self._travel is not None:
            self._travel.stop()
            self._travel = None
        if seconds:
            self._travel = time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True)
            self._travel.start()
        self.happened.clock = seconds

    def tell(self) -> None:
        """Write down what took place."""
        new = self._told.with_suffix(".new")
        new.write_text(json.dumps(asdict(self.happened)))
        new.replace(self._told)

    def fails(self, names: Iterable[str]) -> None:
        """Raise when the bug is in and the event names something that it chokes on."""
        if not set(self.wanted.fail).isdisjoint(names):
            self.happened.failed += 1
            self.tell()
            raise Bug("the rig put a bug in")

    def comes_to(self, place: str, in_hand: Mapping[str, str]) -> None:
        """Stop or die here, if that is wanted; once for each wish. ``in_hand`` are aggregates, and who claimed each."""
        wanted, happened = self.wanted, self.happened
        if place not in (wanted.freeze, wanted.crash) or happened.stopped_for == wanted.number:
            return
        if wanted.key and wanted.key not in in_hand:
            return
        how = signal.SIGSTOP if place == wanted.freeze else signal.SIGKILL
        happened.stopped_for, happened.stopped = wanted.number, happened.pid
        happened.holder = in_hand.get(wanted.key, "")
        self.tell()
        os.kill(os.getpid(), how)
