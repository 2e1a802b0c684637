"""Connections that cost and bring nothing: uvicorn has a time for those that rest between requests, and for no others.

Closed here are also those that send no request, or the head of one without an end, and those that do not read their
answer. When there are as many as may be, the one that has rested longest makes room for a new one; and when all are at
work the new one is closed.
"""

import logging
import resource
from typing import Any

from tyrsky import metrics
from tyrsky.heads import Bounded

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0

HEAD_SECONDS = 15
"""How long the head of a request may take; the gateway allows 10."""

READ_SECONDS = 60
"""How long an answer may take to be read, when it was all given out."""

FILES_KEPT = 256
"""File handles for all else: the store, Kafka, the collector, code that is imported."""

FILES_WANTED_MAX = 65_536


class Connection(Bounded):
    """One connection of a client. ``most`` is how many there may be."""

    most = 4_096
    sweep_seconds, head_seconds, read_seconds = SWEEP_SECONDS, float(HEAD_SECONDS), float(READ_SECONDS)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._rests_since = self.loop.time()
        self._head_since: float | None = None
        self._unread_since: float | None = None

    @property
    def rests(self) -> bool:
        """Whether no request is being answered here."""
        return self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def connection_made(self, transport: Any) -> None:
        """A client came."""
        super().connection_made(transport)
        if not self.app_state.get("swept"):  # of this server; a request gets a copy
            self.app_state["swept"] = True
            self._sweep_later()
        metrics.http_connections.set(len(self.connections))
        if len(self.connections) > self.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """A client went."""
        super().connection_lost(exc)
        metrics.http_connections.set(len(self.connections))

    def data_received(self, data: bytes) -> None:
        """Some of a request."""
        if self.rests and self._head_since is None:
            self._head_since = self.loop.time()
        super().data_received(data)
        if not self.rests:
            self._head_since = None

    def on_response_complete(self) -> None:
        """An answer was given out, though perhaps not yet read."""
        self._rests_since, self._head_since = self.loop.time(), None
        super().on_response_complete()

    def _make_room(self) -> None:
        others = [each for each in self.connections if isinstance(each, Connection) and each is not self and each.rests]
        leaving = min(others, key=lambda each: each._rests_since, default=self)
        metrics.http_connections_closed.labels("room").inc()
        self.connections.discard(leaving)  # its end comes with the loop's next turn
        leaving.transport.abort()

    def _sweep_later(self) -> None:
        self.loop.call_later(self.sweep_seconds, self._sweep)

    def _sweep(self) -> None:
        now = self.loop.time()
        for each in list(self.connections):
            if isinstance(each, Connection) and (why := each.overdue(now)):
                metrics.http_connections_closed.labels(why).inc()
                each.transport.abort()
        self._sweep_later()

    def overdue(self, now: float) -> str | None:
        """Why to close it, if there is a reason."""
        if not self.rests:
            return None  # the request has a time of its own
        if self._head_since is not None and now - self._head_since > self.head_seconds:
            return "head"
        if self.cycle is None and now - self._rests_since > self.config.timeout_keep_alive:  # pyright: ignore[reportUnnecessaryComparison]
            return "silent"
        if not self.transport.get_write_buffer_size():
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        elif now - self._unread_since > self.read_seconds:
            return "unread"
        return None


def allowed(wanted: int) -> int:
    """How many connections the system allows: as many as wanted, when it allows so many files, else said and fewer.

    :raises OSError: when there is hardly a file to open.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES_WANTED_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_WANTED_MAX)
    if soft != resource.RLIM_INFINITY and soft < min(most, wanted + FILES_KEPT):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    files = FILES_WANTED_MAX if soft == resource.RLIM_INFINITY else soft
    if files >= wanted + FILES_KEPT:
        return wanted
    if files < 2 * FILES_KEPT:
        raise OSError(f"this process may open {files} files, and needs {2 * FILES_KEPT}: raise the limit (ulimit -n)")
    log.warning(
        "this process may open %d files: it takes %d connections and not %d; raise the limit (ulimit -n) to %d",
        files,
        files - FILES_KEPT,
        wanted,
        wanted + FILES_KEPT,
    )
    return files - FILES_KEPT
