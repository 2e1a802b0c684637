"""Commands carried out: load, decide, evolve, save; once each, however often they are asked for.

Commands that wait for the same aggregate in one process are decided together and written once (group commit), so that
a hot aggregate takes hundreds of them a second without a conflict. Between processes the version guards: who was slower
loads anew and decides again.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic
from uuid import UUID, uuid5

from opentelemetry import trace
from opentelemetry.trace import StatusCode
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.event import Envelope, Event

from tyrsky import metrics, tracing
from tyrsky.aggregate import Aggregate, Busy, C, Command, Rejected, S, Unknown
from tyrsky.receipts import Receipt
from tyrsky.store import Change, Claim, Document, Loaded, Outgoing, Store

GROUP_MAX = 100
"""Commands that one write takes at most."""

WAITING_MAX = 2_000
"""Commands that may wait for one aggregate; one more is told to come back."""

OUTBOX_MAX = 1_000
"""Events of one aggregate that may wait to be published. Kafka has been away for long; saving on would fill up the
document."""

CONFLICTS_MAX = 12

tracer = trace.get_tracer(__name__)


@dataclass(frozen=True)
class Ask(Generic[S, C]):
    """A command, who asks for it, and what must hold. ``id`` is the same for each repeat of the same wish; ``earlier``
    is what is remembered of it beside the aggregate, which is looked up while the aggregate is loaded; ``at`` is the
    time of the events that come of it."""

    command: C
    id: UUID
    college: str
    fingerprint: str = ""
    expected_version: int | None = None
    answer: Callable[[Loaded[S]], Document] | None = None
    cause: Envelope | None = None
    earlier: "asyncio.Future[Receipt | None] | None" = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Done(Generic[S]):
    """What came of it: ``answer`` as it was given the first time, ``replayed`` when that was earlier."""

    version: int
    answer: Document | None
    replayed: bool = False


@dataclass
class _Waiting(Generic[S, C]):
    ask: Ask[S, C]
    traceparent: str | None
    done: "asyncio.Future[Done[S]]"


@dataclass
class _Draft(Generic[S]):
    """What a group of commands has come to so far, before it is written."""

    loaded: Loaded[S] | None
    state: S | None
    version: int
    sequence: int
    outgoing: list[Outgoing] = field(default_factory=list[Outgoing])
    receipts: list[Receipt] = field(default_factory=list[Receipt])


class Decider(Generic[S, C]):
    """Carries out the commands of one kind of aggregate. ``publish`` is told of each claim that a write brings."""

    def __init__(self, store: Store[S, C], codec: Codec, publish: Callable[[Claim], None]) -> None:
        self.store = store
        self.aggregate: Aggregate[S, C] = store.aggregate
        self._codec = codec
        self._publish = publish
        self._queues: dict[tuple[str, UUID], deque[_Waiting[S, C]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[Loaded[S]], None]] = []

    def listen(self, listener: Callable[[Loaded[S]], None]) -> None:
        """Tell ``listener`` of the aggregate after each write of this process: work which polls begins at once."""
        self._listeners.append(listener)

    async def carry_out(self, ask: Ask[S, C]) -> Done[S]:
        """Decide a command and save what comes of it, or find that it was done already.

        :raises Rejected: the rules' refusal; ``version-stale``; ``key-reused``.
        :raises Busy: when it may be tried again.
        """
        key = (ask.college, self.aggregate.id_of(ask.command))
        queue = self._queues.get(key)
        waiting = _Waiting(ask, tracing.traceparent(), asyncio.get_running_loop().create_future())
        if queue is None:
            self._queues[key] = deque([waiting])
            # A task of its own: when the first caller goes away, the others' commands go on.
            task = asyncio.create_task(self._drain(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif len(queue) >= WAITING_MAX:
            raise Busy
        else:
            queue.append(waiting)
        return await waiting.done

    async def drained(self) -> None:
        """Return when no command is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _drain(self, key: tuple[str, UUID]) -> None:
        queue = self._queues[key]
        try:
            while queue:
                group = [queue.popleft() for _ in range(min(len(queue), GROUP_MAX))]
                try:
                    await self._commit(key, group)
                except Exception as error:
                    _fail(group, error)
        finally:
            del self._queues[key]

    async def _commit(self, key: tuple[str, UUID], group: Sequence[_Waiting[S, C]]) -> None:
        college, id = key
        for attempt in range(CONFLICTS_MAX):
            loaded = await self.store.load(college, id)
            if asked := [each.ask.earlier for each in group if each.ask.earlier and not each.ask.earlier.done()]:
                await asyncio.wait(asked)
            draft = _Draft(
                loaded,
                loaded.state if loaded else None,
                loaded.version if loaded else 0,
                loaded.sequence if loaded else 0,
            )
            decided = [(waiting, self._decide(draft, id, waiting)) for waiting in group if not waiting.done.done()]
            if draft.state is None or draft.version == (loaded.version if loaded else 0):
                _answer(decided)  # refusals, repeats, and nothing to do
                return
            # The clock, and not when it was asked: a policy's command is as old as the event that it follows.
            change = Change(
                draft.state, draft.version, draft.sequence, draft.outgoing, draft.receipts, datetime.now(UTC)
            )
            saved = await self.store.save(college, id, loaded, change)
            if saved.written:
                if saved.claim:
                    self._publish(saved.claim)
                for listener in self._listeners:
                    listener(Loaded(id, college, draft.version, draft.state))
                _answer(decided)
                return
            metrics.store_conflicts.labels(self.aggregate.name).inc()
            await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311 - jitter, no secret
        raise Busy

    def _decide(self, draft: _Draft[S], id: UUID, waiting: _Waiting[S, C]) -> Done[S] | Exception:
        """Decide one command of a group upon what those before it have come to."""
        ask = waiting.ask
        try:
            with _decision_span(ask.command, waiting.traceparent):
                earlier = draft.loaded.receipts.get(str(ask.id)) if draft.loaded else None
                earlier = earlier or next((r for r in draft.receipts if r.key == str(ask.id)), None)
                if earlier := earlier or (ask.earlier.result() if ask.earlier else None):
                    if earlier.fingerprint != ask.fingerprint:
                        raise Rejected("key-reused")
                    return Done(earlier.version, earlier.answer, replayed=True)
                if draft.loaded and draft.loaded.waiting + len(draft.outgoing) >= OUTBOX_MAX:
                    raise Busy
                if ask.expected_version is not None and draft.version != ask.expected_version:
                    raise Unknown(self.aggregate.name, id) if draft.state is None else Rejected("version-stale")
                return self._evolve(draft, id, waiting)
        except Exception as error:
            return error

    def _evolve(self, draft: _Draft[S], id: UUID, waiting: _Waiting[S, C]) -> Done[S]:
        ask = waiting.ask
        happenings = self.aggregate.decide(draft.state, ask.command)
        state = self.aggregate.fold(draft.state, happenings)
        if state is None:
            raise Unknown(self.aggregate.name, id)
        version, sequence = draft.version + len(happenings), draft.sequence
        outgoing: list[Outgoing] = []
        for index, event in enumerate(happenings):
            if isinstance(event, Event):
                sequence += 1
                outgoing.append(self._outgoing(event, uuid5(ask.id, f"{id} {index}"), sequence, id, waiting))
        loaded = Loaded(id, ask.college, version, state)
        answer = ask.answer(loaded) if ask.answer else None
        # Only now, when nothing can fail any more, does it count.
        draft.state, draft.version, draft.sequence = state, version, sequence
        draft.outgoing += outgoing
        if happenings:
            draft.receipts.append(Receipt(str(ask.id), ask.fingerprint, version, answer, datetime.now(UTC)))
        return Done(version, answer)

    def _outgoing(self, event: Event, event_id: UUID, sequence: int, id: UUID, waiting: _Waiting[S, C]) -> Outgoing:
        """An event as it will be published. Its id follows from the command's, so that when a command is decided again
        after its receipt is gone, those who read the event know it again."""
        ask = waiting.ask
        envelope = Envelope(
            id=event_id,
            type=event.type,
            source=f"/colleges/{ask.college}/{self.aggregate.plural}",
            subject=str(id),
            time=ask.at,
            college=ask.college,
            sequence=sequence,
            correlationid=ask.cause.correlationid if ask.cause else str(ask.id),
            causationid=str(ask.cause.id if ask.cause else ask.id),
            traceparent=tracing.traceparent(),
        )
        headers, body = self._codec.encode(event, envelope)
        topic = self._codec.topic_of(event).name
        return Outgoing(topic, sequence, {name: value.decode() for name, value in headers}, body.decode())


class Deciders:
    """All deciders of a service: any command finds its own."""

    def __init__(self) -> None:
        self._by_command: dict[type[Command], Decider[Any, Any]] = {}

    def add(self, decider: Decider[Any, Any]) -> None:
        """One more kind of aggregate."""
        self._by_command[decider.aggregate.command] = decider

    def of(self, aggregate: Aggregate[S, C]) -> Decider[S, C]:
        """The decider of an aggregate that the service keeps."""
        return self._by_command[aggregate.command]

    async def run(self, command: Command, *, college: str, command_id: UUID, cause: Envelope) -> None:
        """Carry out a policy's command, once per ``command_id``; what comes of it is as old as its cause.

        :raises Rejected: when the rules say no.
        """
        decider = next((self._by_command[kind] for kind in type(command).__mro__ if kind in self._by_command), None)
        if decider is None:
            raise TypeError(f"no aggregate of this service takes {type(command).__name__}")
        await decider.carry_out(Ask(command, command_id, college, cause=cause, at=cause.time))

    async def drained(self) -> None:
        """Return when no command is under way."""
        for decider in self._by_command.values():
            await decider.drained()


@contextmanager
def _decision_span(command: Command, traceparent: str | None) -> Generator[None]:
    """A span of the decision. A refusal is an answer, and no error; what an exception says stays out of the trace."""
    with tracer.start_as_current_span(
        f"decide {type(command).__name__}",
        tracing.remote(traceparent),
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Rejected as refusal:
            span.set_attribute("tyrsky.rejected", refusal.code)
            raise
        except Exception as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(StatusCode.ERROR)
            raise


def _answer(decided: Sequence[tuple[_Waiting[Any, Any], Done[Any] | Exception]]) -> None:
    for waiting, outcome in decided:
        if waiting.done.done():
            continue
        if isinstance(outcome, Exception):
            waiting.done.set_exception(outcome)
        else:
            waiting.done.set_result(outcome)


def _fail(group: Sequence[_Waiting[Any, Any]], error: Exception) -> None:
    for waiting in group:
        if not waiting.done.done():
            waiting.done.set_exception(error)
