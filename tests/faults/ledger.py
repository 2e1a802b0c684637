"""What clients asked and what they were answered: written down outside the system, each line before or after its call.

One line of JSON per happening, flushed at once, so that a rig that is killed itself leaves what it knew. The invariants
read the file again: they believe nothing but the paper. Looks at lists and read models are not in it, and of a problem
that was not the last answer only the beginning: two hours are some hundred thousand lines.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

SAID_MAX = 300
"""So much of a problem is kept that was not the last answer."""


@dataclass(frozen=True)
class Asked:
    """What somebody wishes of the platform. ``about`` is the aggregate's path: ``/visits/{id}``, where ``{id}`` is
    what the answer will tell; the aggregate as it then was is the answer, or what it has under the name ``within``."""

    wish: str
    client: str
    user: str
    kind: str
    method: str
    path: str
    about: str = ""
    body: Any = None
    match: str = ""
    within: str = ""


@dataclass(frozen=True)
class Wish:
    """A wish and all that is known of it. ``status`` 0: nobody ever answered. ``fault``: the one that was on then."""

    asked: Asked
    tries: int = 0
    status: int = 0
    code: str = ""
    version: int = 0
    replayed: bool = False
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    gave_up: bool = False
    fault: str = ""
    asked_at: float = 0.0
    answered_at: float = 0.0

    @property
    def acknowledged(self) -> bool:
        """Whether the client was told that it is done."""
        return 200 <= self.status < 300

    @property
    def content(self) -> Any:
        """The aggregate as the answer shows it."""
        return self.body.get(self.asked.within) if self.asked.within else self.body

    @property
    def about(self) -> str:
        """The aggregate's path: known before, or with the id that the answer told."""
        return self.asked.about.replace("{id}", str(self.body.get("id", "")))


@dataclass(frozen=True)
class Look:
    """One aggregate as somebody was shown it; version 0: there was none."""

    path: str
    client: str
    version: int
    asked_at: float
    answered_at: float


class Ledger:
    """One run's file: ``paper`` reads it. ``fault`` is the one that is on."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.paper = Paper(file)
        self._out = file.open("a", buffering=1)
        self.counts: dict[str, int] = {"asked": 0, "acknowledged": 0, "refused": 0, "gave up": 0, "tries": 0}
        self.fault = ""
        self._last = 0.0

    def now(self) -> float:
        """The time as it is written down; a clock that is set back stands still here."""
        self._last = max(self._last, round(time.time(), 3))
        return self._last

    def asked(self, asked: Asked) -> None:
        """Before the first try."""
        self.counts["asked"] += 1
        self._write("asked", asked.wish, **{name: value for name, value in vars(asked).items() if name != "wish"})

    def tried(self, wish: str, outcome: str, body: Any = None) -> None:
        """After a try that is not the last: a status with its problem, or the kind of exception."""
        self.counts["tries"] += 1
        said = {"said": json.dumps(body, ensure_ascii=False)[:SAID_MAX]} if body else {}
        self._write("tried", wish, outcome=outcome, **said)

    def looked(self, path: str, client: str, version: int, since: float) -> None:
        """After a look at one aggregate, which was asked for at ``since``."""
        self._write("looked", path, client=client, version=version, since=since)

    def answered(self, wish: str, status: int, body: Any, *, version: int = 0, replayed: bool = False) -> None:
        """After the try that was answered for good."""
        self.counts["tries"] += 1
        self.counts["acknowledged" if 200 <= status < 300 else "refused"] += 1
        self._write("answered", wish, status=status, version=version, replayed=replayed, body=body)

    def gave_up(self, wish: str) -> None:
        """Nobody answered for so long that the client went away."""
        self.counts["gave up"] += 1
        self._write("gave-up", wish)

    def noted(self, what: str, **facts: Any) -> None:
        """Something else that is known outside the system: a webhook call that came in, a fault that began."""
        if what == "fault":
            self.fault = facts["code"]
        self._write("noted", what, **facts)

    def close(self) -> None:
        """Close the file."""
        self._out.close()

    def _write(self, happening: str, wish: str, **facts: Any) -> None:
        line = {"happening": happening, "wish": wish, "at": self.now(), **facts}
        self._out.write(json.dumps(line, ensure_ascii=False) + "\n")


Line = dict[str, Any]


class Paper:
    """What a ledger's file says by now. Whoever asks has what is new read first, and only that: two hours are 100 MB.
    It blocks; with an event loop about, ask from a thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_to = 0
        self._reading = threading.Lock()
        self._fault = ""
        self._wishes: dict[str, Wish] = {}
        self._looks: list[Look] = []
        self._notes = defaultdict[str, list[Line]](list)

    def wishes(self) -> list[Wish]:
        """All wishes, in the order in which they were asked."""
        with self._reading:
            self._read_on()
            return list(self._wishes.values())

    def looks(self) -> list[Look]:
        """All looks at single aggregates, in the order in which they were answered."""
        with self._reading:
            self._read_on()
            return list(self._looks)

    def noted(self, what: str) -> list[Line]:
        """All notes of a kind."""
        with self._reading:
            self._read_on()
            return list(self._notes[what])

    @property
    def end(self) -> int:
        """Where it ends now."""
        return self._file.stat().st_size

    def since(self, place: int) -> Iterator[Line]:
        """The lines as they were written from a place on, of who looks at a while only."""
        with self._file.open("rb") as file:
            file.seek(place)
            for line in file:
                if line.endswith(b"\n"):
                    yield json.loads(line)

    def _read_on(self) -> None:
        with self._file.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # it is just being written
                self._read_to += len(line)
                self._take(json.loads(line))

    def _take(self, line: Line) -> None:
        name = line["wish"]
        match line["happening"]:
            case "asked":
                facts = {key: value for key, value in line.items() if key not in ("happening", "at")}
                self._wishes[name] = Wish(Asked(**facts), fault=self._fault, asked_at=line["at"])
            case "tried":
                self._wishes[name] = replace(self._wishes[name], tries=self._wishes[name].tries + 1)
            case "answered":
                self._wishes[name] = _answered(self._wishes[name], line)
            case "gave-up":
                self._wishes[name] = replace(self._wishes[name], gave_up=True)
            case "looked":
                self._looks.append(Look(name, line["client"], line["version"], line["since"], line["at"]))
            case _:
                self._notes[name].append(line)
                self._fault = line["code"] if name == "fault" else self._fault


def _answered(wish: Wish, line: Line) -> Wish:
    body: dict[str, Any] = line["body"] or {}
    acknowledged = 200 <= line["status"] < 300
    return replace(
        wish,
        tries=wish.tries + 1,
        status=line["status"],
        code="" if acknowledged else body.get("code", ""),
        version=line["version"],
        replayed=line["replayed"],
        body=body,
        answered_at=line["at"],
    )
