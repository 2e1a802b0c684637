"""How long to wait before the next try: of what a mail server put off, and of what broke off here."""

import random
import time
from dataclasses import dataclass
from datetime import timedelta

from notifications.settings import Settings

DOUBLINGS_MAX = 20

RESTING_MAX = 10_000
"""So many that broke off are remembered; a query names them all."""


def pause(attempt: int, settings: Settings) -> timedelta:
    """How long to wait after an attempt that failed: doubled each time, and never the same for all who wait."""
    longest = min(settings.mail_retry_seconds_max, settings.mail_retry_seconds * 2 ** min(attempt - 1, DOUBLINGS_MAX))
    return timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311 - jitter, no secret


@dataclass(frozen=True)
class _Rest:
    times: int
    until: float


class Resting:
    """Notifications whose attempt broke off, such as those that cannot be read: they are let alone, longer each time.

    In memory: nothing can be written down of what cannot be read, and a release that can read it begins afresh.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rests: dict[str, _Rest] = {}

    def begin(self, id: str) -> bool:
        """Let it rest, longer than the last time. False when too many rest already."""
        before = self._rests.get(id)
        if before is None and len(self._rests) >= RESTING_MAX:
            return False
        times = before.times + 1 if before else 1
        self._rests[id] = _Rest(times, time.monotonic() + pause(times, self._settings).total_seconds())
        return True

    def forget(self, id: str) -> None:
        """An attempt came to its end."""
        self._rests.pop(id, None)

    def now(self) -> list[str]:
        """Those that rest now. What nobody has tried again for long is forgotten: it is gone, or another's."""
        now = time.monotonic()
        forgotten = now - self._settings.mail_retry_seconds_max
        self._rests = {id: rest for id, rest in self._rests.items() if rest.until > forgotten}
        return [id for id, rest in self._rests.items() if rest.until > now]
