"""Who waits for a place, in the order of the callers' turns. Whatever is asked of it takes no longer when many wait."""

import asyncio
from collections.abc import Hashable, Iterator

from tyrsky import metrics

Wait = asyncio.Future[str | None]
"""Ends with None and a place, or with the code of a refusal."""


class Line:
    """A line of callers, each with requests of their own in it."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, dict[Wait, None]] = {}
        self._by_length: list[dict[Hashable, None]] = [{}]  # the callers with so many requests
        self.waits = 0

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._waiting)

    @property
    def longest(self) -> int:
        """How many requests the caller with the most of them has here."""
        return len(self._by_length) - 1

    def of(self, caller: Hashable) -> int:
        """How many the caller has here."""
        return len(self._waiting.get(caller, ()))

    def callers_with(self, caller: Hashable) -> int:
        """How many callers there are, or would be if this one came."""
        return len(self._waiting) + (caller not in self._waiting)

    def join(self, caller: Hashable, wait: Wait) -> None:
        """Wait behind the caller's other requests; who had none waits for a turn behind all others."""
        waits = self._waiting.setdefault(caller, {})
        waits[wait] = None
        self._changed(caller, len(waits) - 1, len(waits))

    def next_of(self, caller: Hashable) -> Wait:
        """Take out the caller's first request; the next turn is that of all the others."""
        waits = self._waiting.pop(caller)
        wait = next(iter(waits))
        del waits[wait]
        if waits:
            self._waiting[caller] = waits
        self._changed(caller, len(waits) + 1, len(waits))
        return wait

    def last_of_the_longest(self) -> tuple[Hashable, Wait]:
        """Who has the most here, and the request of theirs that came last."""
        caller = next(reversed(self._by_length[-1]))
        return caller, next(reversed(self._waiting[caller]))

    def forget(self, caller: Hashable, wait: Wait) -> None:
        """Take a request out, if it is here."""
        waits = self._waiting.get(caller, {})
        if wait not in waits:
            return
        del waits[wait]
        if not waits:
            del self._waiting[caller]
        self._changed(caller, len(waits) + 1, len(waits))

    def _changed(self, caller: Hashable, before: int, now: int) -> None:
        if now >= len(self._by_length):
            self._by_length.append({})
        self._by_length[before].pop(caller, None)
        if now:
            self._by_length[now][caller] = None
        while len(self._by_length) > 1 and not self._by_length[-1]:
            self._by_length.pop()
        self.waits += now - before
        metrics.http_requests_waiting.set(self.waits)
