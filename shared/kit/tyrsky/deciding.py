"""Commands carried out: load, decide, evolve, save; once each, however often they are asked for.

Commands that wait for the same aggregate in one process are decided together and written once (group commit), so that
a hot aggregate takes hundreds of them a second without a conflict. Between processes the version guards: who was slower
loads anew and decides again.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic
from uuid import UUID

from tyrsky_contracts.codec import Codec
from tyrsky_contracts.event import Envelope

from tyrsky import metrics, tracing
from tyrsky.aggregate import Aggregate, Busy, C, Command, S
from tyrsky.drafting import DRAFT_BYTES_MAX, Ask, Done, Draft
from tyrsky.outages import passes
from tyrsky.receipts import Receipt
from tyrsky.store import Claim, Loaded, Store

GROUP_MAX = 100
"""Commands that one write takes at most."""

WAITING_MAX = 2_000
"""Commands that may wait for one aggregate; one more is told to come back."""

CONFLICTS_MAX = 12


@dataclass
class _Waiting(Generic[S, C]):
    ask: Ask[S, C]
    traceparent: str | None
    done: "asyncio.Future[Done[S]]"


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
                for _ in range(await self._carry_out(key, list(islice(queue, GROUP_MAX)))):
                    queue.popleft()
        finally:
            del self._queues[key]

    async def _carry_out(self, key: tuple[str, UUID], group: Sequence[_Waiting[S, C]]) -> int:
        """Carry out the first of a group, as many as go in one write; how many they are. Never fails."""
        try:
            return await self._commit(key, group)
        except Exception as error:
            if len(group) == 1 or isinstance(error, Busy) or passes(error):
                _fail(group, error)
            else:  # one of them cannot be written; the others are as good as before
                for each in group:
                    await self._carry_out(key, [each])
        return len(group)

    async def _commit(self, key: tuple[str, UUID], group: Sequence[_Waiting[S, C]]) -> int:
        college, id = key
        for attempt in range(CONFLICTS_MAX):
            loaded = await self.store.load(college, id)
            earlier = await _remembered(group, loaded)
            draft = Draft(self.aggregate, self._codec, id, loaded)
            decided: list[tuple[_Waiting[S, C], Done[S] | Exception]] = []
            taken = 0
            for waiting in group:
                if draft.bytes >= DRAFT_BYTES_MAX:
                    break
                taken += 1
                if not waiting.done.done():
                    decided.append((waiting, _decide(draft, waiting, earlier.get(waiting.ask.id))))
            change = draft.change()
            if change is None:
                _answer(str(id), decided, earlier)  # refusals, repeats, and nothing to do
                return taken
            saved = await self.store.save(college, id, loaded, change)
            if saved.written:
                if saved.claim:
                    self._publish(saved.claim)
                for listener in self._listeners:
                    listener(Loaded(id, college, change.version, change.state))
                _answer(str(id), decided, earlier)
                return taken
            metrics.store_conflicts.labels(self.aggregate.name).inc()
            await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311 - jitter, no secret
        raise Busy


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


Earlier = dict[UUID, Receipt | BaseException | None]
"""What the memory has of commands, by their ids; or why it could not be asked."""


async def _remembered(group: Sequence[_Waiting[Any, Any]], loaded: Loaded[Any] | None) -> Earlier:
    """What the memory has of a group's commands. It is asked after the aggregate was loaded, and not beside that: what
    is pushed out of the aggregate's receipts meanwhile is found here."""
    known = loaded.receipts if loaded else {}
    asked = {
        each.ask.id: each.ask.memory.find(each.ask.id)
        for each in group
        if each.ask.memory and str(each.ask.id) not in known
    }
    return dict(zip(asked, await asyncio.gather(*asked.values(), return_exceptions=True), strict=True))


def _decide(
    draft: Draft[S, C], waiting: _Waiting[S, C], earlier: Receipt | BaseException | None
) -> Done[S] | Exception:
    try:
        return draft.decide(waiting.ask, earlier, waiting.traceparent)
    except Exception as error:
        return error


def _answer(about: str, decided: Sequence[tuple[_Waiting[Any, Any], Done[Any] | Exception]], earlier: Earlier) -> None:
    for waiting, outcome in decided:
        ask = waiting.ask
        # Also when who asked has given up: they will ask again.
        if isinstance(outcome, Done) and ask.memory and earlier.get(ask.id) is None:
            receipt = Receipt(str(ask.id), ask.fingerprint, outcome.version, outcome.answer)
            ask.memory.keep(receipt, about)
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
