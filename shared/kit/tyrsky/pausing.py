"""How long to wait before the next try: of what a receiver put off, and of what broke off here."""

import random
import time
from dataclasses import dataclass
from datetime import timedelta

DOUBLINGS_MAX = 20

RESTING_MAX = 10_000
"""So many that broke off are remembered; a query names them all."""


@dataclass(frozen=True)
class Pauses:
    """The first pause after a failure, and the longest: each is twice the one before."""

    first_seconds: float
    longest_seconds: float

    def after(self, attempt: int) -> timedelta:
        """How long to wait after an attempt that failed; never the same for all who wait."""
        longest = min(self.longest_seconds, self.first_seconds * 2 ** min(attempt - 1, DOUBLINGS_MAX))
        return timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311 - jitter, no secret


@dataclass(frozen=True)
class _Rest:
    times: int
    until: float


class Resting:
    """Documents whose attempt broke off, such as those that cannot be read: they are let alone, longer each time.

    In memory: nothing can be written down of what cannot be read, and a release that can read it begins afresh.
    """

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._rests: dict[str, _Rest] = {}

    def begin(self, id: str) -> bool:
        """Let it rest, longer than the last time. False when too many rest already."""
        before = self._rests.get(id)
        if before is None and len(self._rests) >= RESTING_MAX:
            return False
        times = before.times + 1 if before else 1
        self._rests[id] = _Rest(times, time.monotonic() + self._pauses.after(times).total_seconds())
        return True

    def forget(self, id: str) -> None:
        """An attempt came to its end."""
        self._rests.pop(id, None)

    def now(self) -> list[str]:
        """Those that rest now. What nobody has tried again for long is forgotten: it is gone, or another's."""
        now = time.monotonic()
        forgotten = now - self._pauses.longest_seconds
        self._rests = {id: rest for id, rest in self._rests.items() if rest.until > forgotten}
        return [id for id, rest in self._rests.items() if rest.until > now]
