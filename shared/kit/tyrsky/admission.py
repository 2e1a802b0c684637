"""Who is let in when more come than can be worked on: callers take turns, nobody waits long, and who would is told so.

So many requests are worked on at a time; others wait for a place. A place that becomes free goes to the caller whose
turn it is, and of that caller to the request that came first: a caller with a thousand requests waits for itself, one
with a single request hardly waits at all. Whose wait comes to nothing is refused with a time to come back at: 429 who
has many requests here, 503 who just came at a bad moment. When the waiting room is full too, it is the caller with the
most in it who is refused, and at the door, before a trace is begun or anything is read: that costs next to nothing.

A caller is the token that is shown, not yet verified: nobody can show another's. All without one are one caller.
"""

import asyncio
import time
from collections import Counter, deque

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from tyrsky import health, metrics, problems
from tyrsky.settings import Settings

ALWAYS_ANSWERED = {health.LIVE, health.READY, metrics.PATH}
"""A busy service is not a dead one, and those who run it want to see it."""

MANY_SHARE = 1 / 4
"""Who has more requests here than this share of the places is told that it is one caller's own doing."""

MEASURE_SECONDS = 0.25

Wait = asyncio.Future[str | None]
"""Ends with None and a place, or with the code of a refusal."""


class Places:
    """Where requests are worked on, and the room in front of it."""

    def __init__(self, settings: Settings) -> None:
        self._free = settings.requests_max
        self._room = settings.requests_waiting_max
        self._patience = settings.request_wait_seconds
        self._many = max(1, settings.requests_max * MANY_SHARE)
        self._at_work: Counter[bytes] = Counter()
        self._waiting: dict[bytes, deque[Wait]] = {}  # in the order of the callers' turns
        self._waits = 0
        self._rate = Rate()

    def refusal(self, caller: bytes) -> str | None:
        """The code for a caller whose request would find no room to wait, or wait in vain."""
        if not self._waits:
            return None
        mine = len(self._waiting.get(caller, ()))
        callers = len(self._waiting) + (mine == 0)
        before = min(self._waits, mine * callers)  # in their turns
        if self._rate.seconds_for(before) > self._patience:
            return self._code(caller)
        if self._waits >= self._room and mine >= max(map(len, self._waiting.values())):
            return self._code(caller)
        return None

    async def enter(self, caller: bytes) -> str | None:
        """Take a place, at once or after a wait; None when there is one, else the code of the refusal."""
        if self._free:  # then nobody waits
            self._free -= 1
            self._at_work[caller] += 1
            return None
        if code := self.refusal(caller):
            return code
        if self._waits >= self._room:
            most = max(self._waiting, key=lambda each: len(self._waiting[each]))
            self._turn_away(most, self._waiting[most][-1])
        loop = asyncio.get_running_loop()
        wait: Wait = loop.create_future()
        self._waiting.setdefault(caller, deque()).append(wait)
        self._count(+1)
        timer = loop.call_later(self._patience, self._turn_away, caller, wait)
        try:
            return await wait
        except asyncio.CancelledError:
            if wait.done() and not wait.cancelled() and wait.result() is None:
                self.leave(caller)  # the place came in the same moment
            elif not wait.done() or wait.cancelled():
                self._forget(caller, wait)
            raise
        finally:
            timer.cancel()

    def leave(self, caller: bytes) -> None:
        """Give the place to whose turn it is."""
        self._at_work[caller] -= 1
        if not self._at_work[caller]:
            del self._at_work[caller]
        self._rate.one_more(busy=bool(self._waits))
        while self._waiting:
            following = next(iter(self._waiting))
            queue = self._waiting.pop(following)
            wait = queue.popleft()
            self._count(-1)
            if queue:
                self._waiting[following] = queue  # behind all others
            if not wait.done():
                self._at_work[following] += 1
                wait.set_result(None)
                return
        self._free += 1

    def _turn_away(self, caller: bytes, wait: Wait) -> None:
        if not wait.done():
            code = self._code(caller)
            self._forget(caller, wait)
            wait.set_result(code)

    def _forget(self, caller: bytes, wait: Wait) -> None:
        queue = self._waiting.get(caller)
        if queue is None or wait not in queue:
            return
        queue.remove(wait)
        self._count(-1)
        if not queue:
            del self._waiting[caller]

    def _count(self, change: int) -> None:
        self._waits += change
        metrics.http_requests_waiting.set(self._waits)

    def _code(self, caller: bytes) -> str:
        mine = self._at_work[caller] + len(self._waiting.get(caller, ()))
        return "caller-busy" if mine > self._many else "busy"


class Rate:
    """How many requests a second are served while others wait; nothing is known of it while nobody does."""

    def __init__(self) -> None:
        self._a_second = 0.0
        self._served = 0
        self._since = 0.0

    def one_more(self, *, busy: bool) -> None:
        """A request is done; ``busy`` when others wait."""
        if not busy:
            self._a_second = self._since = self._served = 0
            return
        now = time.monotonic()
        self._served += 1
        if not self._since:
            self._since, self._served = now, 0
        elif now - self._since >= MEASURE_SECONDS:
            self._a_second = self._served / (now - self._since)
            self._since, self._served = now, 0

    def seconds_for(self, count: int) -> float:
        """How long it takes to serve so many; no time at all as long as that is not known."""
        return count / self._a_second if self._a_second else 0.0


class App(FastAPI):
    """FastAPI, with a door in front of all else: who finds no room goes away before a trace is begun."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the lifespan."""
        if scope["type"] == "http" and scope["path"] not in ALWAYS_ANSWERED:
            places: Places = self.state.places  # of limits.install
            code = places.refusal(caller_of(scope))
            if code is not None:
                await refuse(code, scope, receive, send)
                return
        await super().__call__(scope, receive, send)


async def refuse(code: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer that there is no place."""
    metrics.http_requests_refused.labels(code).inc()
    await problems.answer(scope, problems.known(code))(scope, receive, send)


def caller_of(scope: Scope) -> bytes:
    """What a request shows of its caller."""
    return next((value for name, value in scope["headers"] if name == b"authorization"), b"")
