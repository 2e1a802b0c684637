"""Who is let in when more come than can be worked on: callers take turns, nobody waits long, and who would is told so.

So many requests are worked on at a time; others wait for a place. A place that becomes free goes to the caller whose
turn it is, and of that caller to the request that came first: a caller with a thousand requests waits for itself, one
with a single request hardly waits at all. Whose wait comes to nothing is refused with a time to come back at: 429 who
has many requests here, 503 who just came at a bad moment. When the waiting room is full too, it is the caller with the
most in it who is refused, and at the door, before a trace is begun or anything is read: that costs next to nothing.

A caller is the person whom a good token names, however many tokens they have; tokens are looked at here, at the door.
All the others, with a bad token or with none, are one caller together, who never has more than half of the places: what
somebody makes up by the thousand is a single caller's doing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Hashable, Mapping

from fastapi import FastAPI
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from tyrsky import auth, health, metrics, problems
from tyrsky.line import Line, Wait
from tyrsky.settings import Settings

ALWAYS_ANSWERED = {health.LIVE, health.READY, metrics.PATH}
"""A busy service is not a dead one, and those who run it want to see it."""

MANY_SHARE = 1 / 4
"""Who has more requests here than this share of the places is told that it is one caller's own doing."""

REFUSALS = frozenset({"busy", "caller-busy"})

UNKNOWN: Hashable = ("", "")
"""All who show no good token."""

UNKNOWN_SHARE = 1 / 2
"""Of the places, that they have at most."""

CALLER = "tyrsky.caller"
"""Where the door notes in a request's scope whose it is."""

MEASURE_SECONDS = 0.25


class Places:
    """Where requests are worked on, and the room in front of it."""

    def __init__(self, settings: Settings) -> None:
        self._free = settings.requests_max
        self._room = settings.requests_waiting_max
        self._patience = settings.request_wait_seconds
        self._many = max(1, settings.requests_max * MANY_SHARE)
        self._unknown_max = max(1, settings.requests_max * UNKNOWN_SHARE)
        self._at_work: Counter[Hashable] = Counter()
        self._line = Line()
        self._rate = Rate()

    def refusal(self, caller: Hashable) -> str | None:
        """The code for a caller whose request would find no room to wait, or wait in vain."""
        if not self._line.waits or self._has_a_place(caller):
            return None
        mine = self._line.of(caller)
        before = min(self._line.waits, mine * self._line.callers_with(caller))  # in their turns
        if self._rate.seconds_for(before) > self._patience:
            return self._code(caller)
        if self._line.waits >= self._room and mine + 1 >= self._line.longest:
            return self._code(caller)
        return None

    async def enter(self, caller: Hashable) -> str | None:
        """Take a place, at once or after a wait; None when there is one, else the code of the refusal."""
        if self._has_a_place(caller):
            self._free -= 1
            self._at_work[caller] += 1
            return None
        if code := self.refusal(caller):
            return code
        if self._line.waits >= self._room:
            self._turn_away(*self._line.last_of_the_longest())
        loop = asyncio.get_running_loop()
        wait: Wait = loop.create_future()
        self._line.join(caller, wait)
        timer = loop.call_later(self._patience, self._turn_away, caller, wait)
        try:
            return await wait
        except asyncio.CancelledError:
            if wait.done() and not wait.cancelled() and wait.result() is None:
                self.leave(caller)  # the place came in the same moment
            elif not wait.done() or wait.cancelled():
                self._line.forget(caller, wait)
            raise
        finally:
            timer.cancel()

    def leave(self, caller: Hashable) -> None:
        """Give the place to whose turn it is."""
        self._at_work[caller] -= 1
        if not self._at_work[caller]:
            del self._at_work[caller]
        self._rate.one_more(busy=bool(self._line.waits))
        while (following := next(filter(self._may_work, self._line), None)) is not None:
            wait = self._line.next_of(following)
            if not wait.done():
                self._at_work[following] += 1
                wait.set_result(None)
                return
        self._free += 1

    def _has_a_place(self, caller: Hashable) -> bool:
        return self._free > 0 and self._may_work(caller)  # then nobody waits who may work

    def _may_work(self, caller: Hashable) -> bool:
        return caller != UNKNOWN or self._at_work[UNKNOWN] < self._unknown_max

    def _turn_away(self, caller: Hashable, wait: Wait) -> None:
        if not wait.done():
            code = self._code(caller)
            self._line.forget(caller, wait)
            wait.set_result(code)

    def _code(self, caller: Hashable) -> str:
        """Whether it is the caller's own doing; of those whom nobody knows, it may be any other's."""
        mine = self._at_work[caller] + self._line.of(caller)
        return "caller-busy" if mine > self._many and caller != UNKNOWN else "busy"


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
            caller = scope[CALLER] = caller_of(scope, self.state.verifier)
            code = places.refusal(caller)
            if code is not None:
                await refuse(code, scope, receive, send)
                return
        await super().__call__(scope, receive, send)


async def refuse(
    code: str, scope: Scope, receive: Receive, send: Send, *, headers: Mapping[str, str] | None = None
) -> None:
    """Answer that there is no place."""
    metrics.http_requests_refused.labels(code).inc()
    await problems.answer(scope, problems.known(code), headers=headers)(scope, receive, send)


def caller_of(scope: Scope, verifier: auth.Verifier) -> Hashable:
    """Whose request it is, as far as that can be told at once: the same that the route will be told."""
    scheme, token = get_authorization_scheme_param(Headers(scope=scope).get("authorization"))
    found = verifier.recognised(token) if scheme.lower() == "bearer" else None
    return UNKNOWN if found is None else (found.college, found.subject)
