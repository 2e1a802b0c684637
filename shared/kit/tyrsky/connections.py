"""Connections that cost and bring nothing: uvicorn has a time for those that rest between requests, and for no others.

Closed here are also those that send no request, or the head of one without an end, and those that do not read their
answers. When there are as many as may be, one on which nothing was ever asked makes room for a new one, and where there
is none, the one that has rested longest: the gateway's connections come and go least, so the others go first. When all
are at work the new one is closed.
"""

import logging
import resource
from itertools import chain
from typing import Any

from tyrsky import metrics
from tyrsky.heads import Bounded
from tyrsky.streams import ENDS

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0

HEAD_SECONDS = 15
"""How long the head of a request may take; the gateway allows 10."""

READ_SECONDS = 60
"""How long an answer may take to be read, when it was all given out."""

FILES_KEPT = 256
"""File handles for all else: the store, Kafka, the collector, code that is imported."""

FILES_WANTED_MAX = 65_536


class Resting:
    """A server's connections on which no request is being answered, each kind in the order in which it came to rest."""

    def __init__(self) -> None:
        self.unused: dict[Connection, None] = {}
        self.used: dict[Connection, None] = {}

    def remove(self, connection: "Connection") -> None:
        """It rests no more."""
        self.unused.pop(connection, None)
        self.used.pop(connection, None)


class Connection(Bounded):
    """One connection of a client. ``most`` is how many there may be."""

    most = 4_096
    sweep_seconds, head_seconds, read_seconds = SWEEP_SECONDS, float(HEAD_SECONDS), float(READ_SECONDS)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._rests_since = self.loop.time()
        self._head_since: float | None = None
        self._unread_since: float | None = None
        if "resting" not in self.app_state:  # of this server; a request gets a copy
            self.app_state["resting"] = Resting()
            self._sweep_later()
        self._resting: Resting = self.app_state["resting"]

    @property
    def rests(self) -> bool:
        """Whether no request is being answered here."""
        return self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def connection_made(self, transport: Any) -> None:
        """A client came."""
        super().connection_made(transport)
        metrics.http_connections.set(len(self.connections))
        if len(self.connections) <= self.most or self._make_room():
            self._resting.unused[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """A client went."""
        super().connection_lost(exc)
        self._resting.remove(self)
        metrics.http_connections.set(len(self.connections))

    def data_received(self, data: bytes) -> None:
        """Some of a request."""
        if self.rests and self._head_since is None:
            self._head_since = self.loop.time()
        if self._unread_since is not None and not self.transport.get_write_buffer_size():
            self._unread_since = None  # who asks again when all was read has read it
        super().data_received(data)
        if not self.rests:
            self._head_since = None
            self._resting.remove(self)

    def on_message_complete(self) -> None:
        """The end of a request is there; behind its answer, when that did not wait for the body."""
        super().on_message_complete()
        if self.rests:
            self._rests_since, self._head_since = self.loop.time(), None

    def on_response_complete(self) -> None:
        """An answer was given out, though perhaps not yet read."""
        self._rests_since, self._head_since = self.loop.time(), None
        super().on_response_complete()
        if self.rests:
            self._resting.used[self] = None

    def shutdown(self) -> None:
        """The server stops: a stream would keep it waiting."""
        super().shutdown()
        if self.at_work is not None and (ends := self.at_work.scope.get(ENDS)):
            ends()

    def _make_room(self) -> bool:
        """Close another one, or this one when there is none to close."""
        leaving = next(chain(self._resting.unused, self._resting.used), self)
        metrics.http_connections_closed.labels("room").inc()
        self._resting.remove(leaving)
        self.connections.discard(leaving)  # its end comes with the loop's next turn
        leaving.transport.abort()
        return leaving is not self

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
        if not self.transport.get_write_buffer_size():
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        elif now - self._unread_since > self.read_seconds:
            return "unread"  # at work too: a second request waits until the answer to the first is read
        if not self.rests:
            return None  # the request has a time of its own
        if self._head_since is not None:
            return "head" if now - self._head_since > self.head_seconds else None
        silent = now - self._rests_since > self.config.timeout_keep_alive
        return "silent" if silent and self._unread_since is None else None


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
