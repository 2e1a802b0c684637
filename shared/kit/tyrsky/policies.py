"""When this happened, then do that: policies turn events into commands of the same service.

A command that a policy asks for has an id that is made of the event's, so that however often the event is delivered,
the command is carried out once.
"""

import asyncio
import inspect
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import count
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid5

from pymongo.errors import ConnectionFailure
from tyrsky_contracts.event import Envelope, Event

from tyrsky import metrics
from tyrsky.aggregate import Busy, Command, Rejected
from tyrsky.deliveries import BUGS, Delivery, Edition, Failure, Taken, mark_failed, process_span

log = logging.getLogger(__name__)

Wanted = Command | Sequence[Command] | None
E = TypeVar("E", bound=Event)
Policy = Callable[[Any, Envelope], Wanted | Awaitable[Wanted]]
P = TypeVar("P", bound=Policy)


class Policies:
    """The policies of a service. Their consumer group is ``<service>-policies``, or a ``group`` of their own."""

    def __init__(self, group: str = "") -> None:
        self.group = group
        self._policies: dict[type[Event], list[Policy]] = {}
        self._names: set[str] = set()

    @property
    def events(self) -> Collection[type[Event]]:
        """The events that some policy waits for."""
        return self._policies.keys()

    def when(self, event: type[E]) -> Callable[[P], P]:
        """Declare a policy: a function of the event and its envelope that answers with commands, or with nothing.

        The function's name is part of its commands' ids: to rename it is to have replayed events carried out again.
        """
        if event.upcast is not Event.upcast:
            raise TypeError(f"{event.__name__} is retired: wait for its newest version")

        def declare(policy: P) -> P:
            if policy.__name__ in self._names:
                raise TypeError(f"two policies are called {policy.__name__}")
            self._names.add(policy.__name__)
            self._policies.setdefault(event, []).append(policy)
            return policy

        return declare

    async def commands(self, event: Event, about: Envelope) -> list[tuple[str, UUID, Command]]:
        """What the policies want done now that this happened: policy, command id, command."""
        wanted: list[tuple[str, UUID, Command]] = []
        for policy in self._policies.get(type(event), ()):
            name = policy.__name__
            answer = policy(event, about)
            decided = await answer if inspect.isawaitable(answer) else answer
            commands = [decided] if isinstance(decided, Command) else decided or []
            for index, command in enumerate(commands):
                wanted.append((name, uuid5(about.id, name if index == 0 else f"{name}#{index}"), command))
        return wanted


class Handlers(Protocol):
    """Who carries out commands; see ``tyrsky.handling``."""

    async def run(self, command: Command, *, college: str, command_id: UUID, cause: Envelope) -> None:
        """Carry out a command once, however often it is asked for.

        :raises tyrsky.aggregate.Rejected: when the rules say no.
        """
        ...


class PolicyReaction:
    """Policies at work: keys side by side, the events of a key one after the other. ``group`` is that of policies that
    name none."""

    def __init__(
        self,
        policies: Policies,
        handlers: Handlers,
        colleges: Collection[str],
        *,
        group: str = "",
        attempts: int = 3,
        event_seconds: float = 30,
        keys_at_once: int = 16,
    ) -> None:
        self.group = policies.group or group
        self.events = policies.events
        self._policies = policies
        self._handlers = handlers
        self._colleges = frozenset(colleges)
        self._event_seconds = event_seconds
        self._attempts = attempts
        self._keys_at_once = asyncio.Semaphore(keys_at_once)

    def wants(self, college: str) -> bool:
        """Another deployment's colleges are its own business."""
        return college in self._colleges

    async def edition(self) -> Edition:
        """Policies have one edition for ever."""
        return Edition()

    async def take(self, queues: Mapping[str, Sequence[Delivery]], edition: Edition) -> Taken:
        """Carry out what the policies want. A refusal by the rules is an answer, and not a failure."""
        failures: dict[str, Failure] = {}
        try:
            async with asyncio.TaskGroup() as keys:
                tasks = [keys.create_task(self._take_key(key, queue, failures)) for key, queue in queues.items()]
        except* ConnectionFailure as out_of_reach:
            raise ConnectionFailure("the store cannot be reached") from out_of_reach
        return Taken(sum(task.result() for task in tasks), failures)

    async def _take_key(self, key: str, queue: Sequence[Delivery], failures: dict[str, Failure]) -> int:
        async with self._keys_at_once:
            for index, delivery in enumerate(queue):
                if failure := await self._take_one(index, delivery):
                    failures[key] = failure
                    return index
        return len(queue)

    async def _take_one(self, index: int, delivery: Delivery) -> Failure | None:
        for attempt in count(1):
            try:
                await self._react(delivery)
            except ConnectionFailure:
                raise
            except Exception as error:
                if attempt >= self._attempts or isinstance(error, BUGS):
                    return Failure(index, error, attempt)
                metrics.consumer_retries.labels(self.group).inc()
                longest = min(0.05 * 2 ** (attempt - 1), 0.5)
                await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - so that others do not meet it again
            else:
                return None
        return None

    async def _react(self, delivery: Delivery) -> None:
        about = delivery.about
        with process_span(delivery.message, self.group) as span:
            try:
                async with asyncio.timeout(self._event_seconds):
                    for name, id, command in await self._policies.commands(delivery.event, about):
                        try:
                            await self._handlers.run(command, college=about.college, command_id=id, cause=about)
                        except Busy:
                            raise  # no answer of the rules: to be tried again
                        except Rejected as refusal:
                            metrics.policies_rejected.labels(self.group, name, refusal.code).inc()
                            log.info("%s on %s %s was refused: %s", name, about.type, about.id, refusal.code)
                            span.set_attribute("tyrsky.rejected", refusal.code)
            except Exception as error:
                mark_failed(span, error)
                raise
