"""Work with several parts at once, and a display of what each one is waiting for."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

#: Tells what is being waited for right now.
Say = Callable[[str], None]

QUIET_SECONDS = 5.0  # without a terminal, a part that goes on waiting is mentioned this often


class Failed(Exception):  # noqa: N818 - it reads as it is meant
    """A task could not be done; the message is for whoever ran `make up`."""


@dataclass(frozen=True)
class Task:
    """A piece of work: starts when what it ``needs`` is done, beside all others that can."""

    name: str
    work: Callable[[Say], None]
    needs: Sequence[str] = ()


@dataclass
class Line:
    """What the display shows of one task."""

    state: Literal["waiting", "working", "done", "failed"] = "waiting"
    note: str = ""
    seconds: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)


class Board:
    """Runs tasks in threads and shows them: live on a terminal, line by line elsewhere."""

    def __init__(self, tasks: Sequence[Task], console: Console) -> None:
        self._tasks = tasks
        self._console = console
        self._lines = {task.name: Line(note=_needs(task)) for task in tasks}
        self._errors: list[Exception] = []
        self._printing = threading.Lock()

    def run(self) -> None:
        """Return when all is done. Raises the first task's error; what else runs is left to the caller to stop."""
        for task in self._tasks:
            threading.Thread(target=self._carry_out, args=(task,), name=task.name, daemon=True).start()
        if not self._console.is_terminal:
            self._wait()
            return
        with Live(get_renderable=self._rendered, console=self._console, refresh_per_second=8):
            self._wait()

    def _wait(self) -> None:
        while not self._errors and not all(line.done.is_set() for line in self._lines.values()):
            time.sleep(0.1)
        if self._errors:
            raise self._errors[0]

    def _carry_out(self, task: Task) -> None:
        line = self._lines[task.name]
        for need in task.needs:
            self._lines[need].done.wait()
        line.state, line.note, began = "working", "", time.monotonic()
        said_at = 0.0

        def say(note: str) -> None:
            nonlocal said_at
            line.note, line.seconds = note, time.monotonic() - began
            if time.monotonic() - said_at > QUIET_SECONDS:
                said_at = time.monotonic()
                self._print(task.name, note)

        try:
            task.work(say)
        except Exception as error:  # whatever it is, the main thread raises it
            line.state, line.note = "failed", ""
            self._errors.append(error)
            return
        line.state, line.note, line.seconds = "done", "", time.monotonic() - began
        line.done.set()
        self._print(task.name, f"ready ({line.seconds:.1f} s)")

    def _print(self, name: str, note: str) -> None:
        if not self._console.is_terminal:
            with self._printing:
                self._console.print(f"{name}: {note}", markup=False, soft_wrap=True)

    def _rendered(self) -> Group:
        table = Table.grid(padding=(0, 2))
        for name, line in self._lines.items():
            table.add_row(_MARKS[line.state], name, f"{line.seconds:5.1f} s" if line.seconds else "", line.note)
        return Group(table)


def _needs(task: Task) -> str:
    return f"after {', '.join(task.needs)}" if task.needs else ""


_MARKS: dict[str, Text | Spinner] = {
    "waiting": Text("·", style="dim"),
    "working": Spinner("dots", style="cyan"),
    "done": Text("✓", style="green"),
    "failed": Text("✗", style="red"),
}
