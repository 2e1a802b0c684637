"""Effects outside, such as a mail or a call of a webhook: what is due is looked for, claimed, done, and written down.

An effect is an aggregate of its own, whose state says when it is due. It is claimed by a command, so that of several
processes one gets it; what a process that died had in hand is found again. No clock is asked when: an attempt of
another process that stands still for longer than any may take is lost, by the time that passes here. Done twice is
possible in one case only: the process dies, or loses the receiver's answer, after the receiver took it. That is
why every attempt at an effect sends the same thing under the same id.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Literal, Protocol, TypeVar
from uuid import uuid4, uuid5

from fastapi import APIRouter
from opentelemetry import context
from pymongo.errors import PyMongoError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from tyrsky import metrics, tracing
from tyrsky.aggregate import Aggregate, Busy, C, Rejected
from tyrsky.deciding import Decider
from tyrsky.dispatches import Effective
from tyrsky.drafting import Ask
from tyrsky.pausing import Pauses, Resting
from tyrsky.store import Document, Loaded

log = logging.getLogger(__name__)

LEASE_SECONDS_OVER = 30
"""How much longer a claim lasts than an attempt may take: for writing down what came of it."""

RECORD_SECONDS_MAX = 3_600
"""How long it is tried to write down what came of an attempt: nobody else knows that it is done."""

RECORD_SECONDS = 3
"""What a stop leaves for writing down what became of the attempts under way."""

FOUND_MAX = 100
"""So much that is due is fetched at a time."""

HEARD_MAX = 1_000
"""So much that was written here waits for a place; the rest is found when it is looked."""


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt. ``unsure``: it was handed over, and no answer came. ``pause``: the receiver asked to
    be left alone for at least so long."""

    status: Literal["sent", "refused", "deferred"]
    reason: str = ""
    unsure: bool = False
    pause: timedelta = timedelta()


Keys = list[tuple[str, int]]
"""An index: fields, and whether each goes up (1) or down (-1)."""

E = TypeVar("E", bound=Effective)


@dataclass(frozen=True)
class Pace:
    """How many attempts at a time, how long one may take, how often to look, and how long to wait after a failure."""

    at_once: int
    attempt_seconds: float
    poll_seconds: float
    pauses: Pauses


class Effect(Protocol[E, C]):
    """One kind of effect: how an attempt at it is claimed, made, and written down."""

    @property
    def aggregate(self) -> Aggregate[E, C]:
        """What is done is one of these; the service keeps them."""
        ...

    @property
    def routers(self) -> Sequence[APIRouter]:
        """Routes that tell what became of them, as far as the service does not have its own."""
        ...

    @property
    def indexes(self) -> Sequence[Keys]:
        """For each way in which they are listed an index: college first, for every query names it."""
        ...

    @property
    def pace(self) -> Pace:
        """How hard it is tried."""
        ...

    def claim(self, found: Loaded[E], now: datetime, lease_until: datetime) -> C:
        """The command that claims the next attempt; refused when somebody else has it. When ``found`` is under way,
        that attempt is lost (``Effective.is_due``)."""
        ...

    async def attempt(self, claimed: Loaded[E]) -> Outcome:
        """Do it, outside."""
        ...

    def news(self, claimed: Loaded[E], outcome: Outcome, now: datetime, retry_at: datetime) -> C:
        """The command that writes down what came of it."""
        ...

    async def close(self) -> None:
        """Let go of what attempts keep open between them, such as connections."""
        ...


class Effects(Generic[E, C]):
    """Does what is due, some at a time. ``run`` is the work in the background. What this process writes is ``heard`` of
    and done at once; what another wrote, or was put off, is found by looking."""

    def __init__(self, decider: Decider[E, C], effect: Effect[E, C], colleges: Collection[str]) -> None:
        self._decider = decider
        self._store = decider.store
        self._effect = effect
        self._colleges = sorted(colleges)
        self._name = decider.aggregate.name
        self._attempts: dict[str, asyncio.Task[None]] = {}
        self._heard: deque[Loaded[E]] = deque()
        self._found: deque[Document] = deque()
        self._next_look = 0.0
        self._others: dict[str, tuple[int, float]] = {}
        self._resting = Resting(effect.pace.pauses)
        self._woken = asyncio.Event()

    async def prepare(self) -> None:
        """Declare the index that finds what is due, and those of the lists. Idempotent."""
        for keys in ([("state.status", 1), ("state.due_at", 1)], *self._effect.indexes):
            await self._store.collection.create_index(keys)

    def hear(self, written: Loaded[E]) -> None:
        """One was written here: when it is due, do it as soon as there is a place; when it will be, look then."""
        due_at = written.state.due_at
        if due_at is None or written.college not in self._colleges:
            return
        never_tried = written.state.status == "accepted" and not written.state.attempts
        seconds = 0.0 if never_tried else (due_at - datetime.now(UTC)).total_seconds()
        if seconds > 0 or len(self._heard) == HEARD_MAX:
            self._next_look = min(self._next_look, time.monotonic() + max(0.0, seconds))
        else:
            self._heard.append(written)
            self._woken.set()

    def look(self) -> None:
        """Look now what is due."""
        self._next_look = 0.0
        self._woken.set()

    async def run(self) -> None:
        """Do what is due, until cancelled; then finish what is under way, which else might have been done or not."""
        try:
            while True:
                self._woken.clear()
                if self._has_place() and not self._found and time.monotonic() >= self._next_look:
                    self._found += await self._due()
                while self._has_place() and (self._found or self._heard):
                    self._begin(self._found.popleft() if self._found else self._heard.popleft())
                await self._rest()
        finally:
            if self._attempts:
                await asyncio.wait(self._attempts.values())
            await self._effect.close()

    def _has_place(self) -> bool:
        return len(self._attempts) < self._effect.pace.at_once

    async def _due(self) -> list[Document]:
        """What is to be tried now, the longest overdue first. What was never tried is due whatever the clock says: it
        was written by another's, perhaps."""
        waits: Document = {
            "_id": {"$nin": [*self._attempts, *self._resting.now()]},
            "state.status": "accepted",
            "$or": [{"state.due_at": {"$lte": datetime.now(UTC)}}, {"state.attempts": 0}],
        }
        self._next_look = time.monotonic() + self._effect.pace.poll_seconds
        try:
            found = await self._find(waits, FOUND_MAX)
            lost = await self._lost()
        except PyMongoError as error:
            log.warning("cannot look what is due: %s", type(error).__name__)
            return []
        if len(found) == FOUND_MAX:
            self._next_look = 0.0  # there is more
        return lost + found

    async def _find(self, which: Document, limit: int) -> list[Document]:
        query = {"college": {"$in": self._colleges}, **which}
        cursor = self._store.collection.find(query, {"receipts": 0, "outbox": 0})
        return await cursor.sort("state.due_at", 1).limit(limit).to_list(limit)

    async def _lost(self) -> list[Document]:
        """Attempts of others that have stood still for as long as none may take: whoever made them is no more."""
        under_way: Document = {"college": {"$in": self._colleges}, "state.status": "sending"}
        now, before, self._others = time.monotonic(), self._others, {}
        async for each in self._store.collection.find(under_way, {"state.attempts": 1}):
            id, attempts = each["_id"], each["state"]["attempts"]
            if id not in self._attempts:
                same = id in before and before[id][0] == attempts
                self._others[id] = before[id] if same else (attempts, now)
        lease = self._effect.pace.attempt_seconds + LEASE_SECONDS_OVER
        resting = self._resting.now()
        lost = [id for id, (_, since) in self._others.items() if now - since >= lease and id not in resting]
        return await self._find({"_id": {"$in": lost}, "state.status": "sending"}, FOUND_MAX) if lost else []

    def _begin(self, found: Document | Loaded[E]) -> None:
        id = str(found.id) if isinstance(found, Loaded) else found["_id"]
        if id in self._attempts:
            return

        def end(attempt: asyncio.Task[None]) -> None:
            if attempt.cancelled():
                log.error("%s %s: an attempt was cut off", self._name, id)
            del self._attempts[id]
            self._woken.set()  # there is a place again

        self._attempts[id] = asyncio.create_task(self._try(id, found))
        self._attempts[id].add_done_callback(end)

    async def _rest(self) -> None:
        """Until there is something to do: when all places are taken, that is the end of an attempt."""
        seconds = max(0.0, self._next_look - time.monotonic()) if self._has_place() else None
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _try(self, id: str, document: Document | Loaded[E]) -> None:
        try:
            found = document if isinstance(document, Loaded) else self._store.loaded(document)
            # A task has a context of its own: all that it does belongs to the trace of the request.
            context.attach(tracing.remote(found.state.traceparent))
            claimed = await self._claim(found)
            if claimed:
                await self._record(claimed, await self._effect.attempt(claimed))
        except Exception as error:
            # Its text may quote an address. The claim runs out, and it is tried again.
            log.error("%s %s: an attempt broke off: %s", self._name, id, type(error).__name__)
            if not self._resting.begin(id):
                await asyncio.sleep(self._effect.pace.poll_seconds)  # it keeps its place instead, lest it spin
        else:
            self._resting.forget(id)

    async def _claim(self, found: Loaded[E]) -> Loaded[E] | None:
        """The effect as it is now, when the next attempt is ours to make."""
        now, attempt = datetime.now(UTC), found.state.attempts + 1
        lease = timedelta(seconds=self._effect.pace.attempt_seconds + LEASE_SECONDS_OVER)
        start = self._effect.claim(found, now, now + lease)
        decided: list[Loaded[E]] = []

        def keep(loaded: Loaded[E]) -> Document:
            decided.append(loaded)  # once more when somebody else wrote meanwhile: the last one was saved
            return {}

        try:
            # An id of its own for every wish: two processes that wish the same must not both be told that it is done.
            await self._decider.carry_out(Ask(start, uuid4(), found.college, answer=keep, cause=found.state.request))
        except Rejected as refusal:
            # Another process was faster, or wants it too.
            log.info("%s %s: not claimed: %s", self._name, found.id, refusal.code)
            return None
        claimed = decided[-1]
        ours = claimed.state.due_at is not None and claimed.state.attempts == attempt
        return claimed if ours else None  # it may have expired instead

    async def _record(self, claimed: Loaded[E], outcome: Outcome) -> None:
        attempt, now = claimed.state.attempts, datetime.now(UTC)
        retry_at = now + max(self._effect.pace.pauses.after(attempt), outcome.pause)
        ask = Ask(
            self._effect.news(claimed, outcome, now, retry_at),
            uuid5(claimed.id, f"outcome of attempt {attempt}"),
            claimed.college,
            cause=claimed.state.request,
        )
        metrics.effects_attempted.labels(self._name, outcome.status).inc()
        async for trial in AsyncRetrying(
            retry=retry_if_exception_type((PyMongoError, Busy)),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            stop=stop_after_delay(RECORD_SECONDS_MAX),
            reraise=True,
        ):
            with trial:
                await self._decider.carry_out(ask)
        log.info("%s %s: attempt %d: %s %s", self._name, claimed.id, attempt, outcome.status, outcome.reason)
