"""Event streams: answers that go on and on, such as the progress of long work. A route has one as FastAPI does it, with
``response_class=EventSourceResponse``.

A stream is no request at work: it keeps no place from others. There may be so many in a process, of one caller at most
a share of them. Each ends after ``STREAM_SECONDS``, before the gateway would cut it, and when the service stops; the
client connects again, as browsers do by themselves (WHATWG HTML, 9.2), and gets whichever instance is there.
"""

import asyncio
from collections import Counter
from collections.abc import Hashable
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from tyrsky import admission, metrics
from tyrsky.settings import Settings

MEDIA_TYPE = "text/event-stream"

CALLER_SHARE = 1 / 4

ENDS = "tyrsky.stream.ends"
"""Where in a request's scope is what ends its stream."""


class Streams:
    """Those of one process."""

    def __init__(self, settings: Settings) -> None:
        self.seconds = settings.stream_seconds
        self._most = settings.streams_max
        self._of = Counter[Hashable]()

    def begin(self, caller: Hashable) -> str | None:
        """One more; or the code of the refusal."""
        if self._of[caller] >= max(1, self._most * CALLER_SHARE):
            return "busy" if caller == admission.UNKNOWN else "caller-busy"
        if self._of.total() >= self._most:
            return "busy"
        self._of[caller] += 1
        metrics.http_streams.inc()
        return None

    def end(self, caller: Hashable) -> None:
        """One less."""
        self._of[caller] -= 1
        if not self._of[caller]:
            del self._of[caller]
        metrics.http_streams.dec()


class MayStream:
    """The answer of one request, which ``time`` ends: later when it turns out to be a stream."""

    def __init__(self, streams: Streams, scope: Scope, send: Send, time: asyncio.Timeout) -> None:
        self._streams = streams
        self._scope = scope
        self._send = send
        self._time = time
        self._caller: Hashable = scope.get(admission.CALLER, admission.UNKNOWN)
        self._begun = self._whole = False
        self._refusal: str | None = None

    async def send(self, message: Message) -> None:
        """A part of the answer."""
        if message["type"] == "http.response.start" and _of_events(message):
            self._refusal = self._streams.begin(self._caller)
            now = asyncio.get_running_loop().time()
            if self._refusal is None:
                self._begun = True
                self._scope[ENDS] = self._end
                self._time.reschedule(now + self._streams.seconds)
            else:
                self._time.reschedule(now)
        if self._refusal is None:
            self._whole = message["type"] == "http.response.body" and not message.get("more_body", False)
            await self._send(message)

    def _end(self) -> None:
        with suppress(RuntimeError):  # it is at its end, which may take long: what it leaves to do, a slow reader
            self._time.reschedule(0)

    async def finish(self, receive: Receive) -> bool:
        """It is over, or its time is; whether it was a stream, or was to be one."""
        if self._refusal is not None:
            await admission.refuse(self._refusal, self._scope, receive, self._send)
        elif self._begun and not self._whole:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        return self._begun or self._refusal is not None

    def release(self) -> None:
        """It is over, however it ended."""
        if self._begun:
            del self._scope[ENDS]
            self._streams.end(self._caller)


def _of_events(start: Message) -> bool:
    return Headers(raw=list(start["headers"])).get("content-type", "").startswith(MEDIA_TYPE)
