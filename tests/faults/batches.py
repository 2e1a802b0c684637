"""A consumer's batches in a service's process: one is held where the rig wants it, and what became of it is written
down, beside what the process is told. F13 stands on it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from tyrsky.consuming import Consumer
from tyrsky.deliveries import Message
from tyrsky.inbox import Inbox

from tests.faults.control import Control

GATHERS_SECONDS = 4.0
"""How long the batch before the one that is held is kept, so that this one is more than a message."""

HOLDS_SECONDS_MAX = 90
COMMIT = "_commit"

Does = Callable[..., Awaitable[Any]]
What = Literal["taken", "held", "asked", "waited", "given", "committed"]


class Batches:
    """The batches of the group that is watched; at any time at most one is in hand."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._gathered_for = 0
        self._held_for = 0
        self._in_hand = 0
        self._to_commit = False
        self._asked, self._given = asyncio.Event(), asyncio.Event()

    def put_in(self) -> None:
        """Stand around what the kit does with a batch and in a rebalance."""
        places: tuple[tuple[type, str, Callable[[Does], Does]], ...] = (
            (Inbox, "take", self.taking),
            (Consumer, "on_partitions_revoked", self.asking),
            (Consumer, "on_partitions_assigned", self.giving),
            (Consumer, COMMIT, self.committing),
        )
        for of, name, around in places:
            setattr(of, name, around(getattr(of, name)))

    def taking(self, does: Does) -> Does:
        """A batch is taken: held before that or after it, once for each wish, if it is of any interest."""

        async def take(inbox: Inbox, messages: Iterable[Message], edition: Any) -> None:
            wanted, batch = self._control.wanted, list(messages)
            if inbox.reaction.group != wanted.watch or not batch:
                await does(inbox, batch, edition)
                return
            self._in_hand = len(batch)
            self._note("taken", offsets=_offsets(batch))
            try:
                if wanted.hold and self._gathered_for != wanted.number:
                    self._gathered_for = wanted.number
                    await asyncio.sleep(GATHERS_SECONDS)
                    await does(inbox, batch, edition)
                elif wanted.hold and self._held_for != wanted.number and any(map(inbox.wants, batch)):
                    self._held_for = wanted.number
                    await self._hold(wanted.hold == "before", batch)
                    await does(inbox, batch, edition)
                    await self._hold(wanted.hold == "after", batch)
                    self._to_commit = True
                else:
                    await does(inbox, batch, edition)
            finally:
                self._in_hand = 0

        return take

    async def _hold(self, here: bool, batch: list[Message]) -> None:
        if not here:
            return
        wanted = self._control.wanted
        self._asked, self._given = asyncio.Event(), asyncio.Event()
        self._note("held", offsets=_offsets(batch))
        with suppress(TimeoutError):
            async with asyncio.timeout(HOLDS_SECONDS_MAX):
                await (self._given if wanted.past else self._asked).wait()
                await asyncio.sleep(wanted.seconds)

    def asking(self, does: Does) -> Does:
        """Kafka wants partitions back: was a batch in hand, and how long did the kit wait for it?"""

        async def ask(consumer: Consumer, revoked: Any) -> None:
            mine, began = consumer.group == self._control.wanted.watch, time.monotonic()
            if mine:
                self._note("asked", in_hand=self._in_hand)
                self._asked.set()
            await does(consumer, revoked)
            if mine:
                self._note("waited", in_hand=self._in_hand, seconds=round(time.monotonic() - began, 3))

        return ask

    def giving(self, does: Does) -> Does:
        """The rebalance is over: whoever has the partitions now goes on."""

        async def give(consumer: Consumer, assigned: Any) -> None:
            await does(consumer, assigned)
            if consumer.group == self._control.wanted.watch:
                self._note("given")
                self._given.set()

        return give

    def committing(self, does: Does) -> Does:
        """The batch that was held is committed, or it is too late for that."""

        async def commit(consumer: Consumer, *arguments: Any) -> Any:
            done = await does(consumer, *arguments)
            if self._to_commit and consumer.group == self._control.wanted.watch:
                self._to_commit = False
                self._note("committed", done=done)
            return done

        return commit

    def _note(self, what: What, **facts: Any) -> None:
        line = {"what": what, "number": self._control.wanted.number, "at": time.monotonic(), **facts}
        with _written(self._control.file).open("a") as out:
            out.write(json.dumps(line) + "\n")


def notes(file: Path, since: float) -> list[dict[str, Any]]:
    """What the process that a file tells what to do wrote down since a moment; whole lines alone."""
    written = _written(file)
    lines = written.read_text().split("\n")[:-1] if written.exists() else []
    return [note for line in lines if (note := json.loads(line))["at"] >= since]


def _written(file: Path) -> Path:
    return file.with_suffix(".batches")


def _offsets(batch: Iterable[Message]) -> list[tuple[str, int, int]]:
    return [(message.topic, message.partition, message.offset) for message in batch]
