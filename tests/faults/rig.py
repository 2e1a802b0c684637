"""What a fault holds in its hands: the parts, the proxies between them, the load, and a way to look at all of it."""

import asyncio
import math
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from tyrsky.store import Document

from deploy.local.part import Part
from deploy.local.stack import Stack
from deploy.local.supervising import Process, Supervisor
from tests.faults import looking, outboxes
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.parts import Layout
from tests.faults.people import People
from tests.faults.proxy import Proxy
from tests.faults.resting import Rest

READY_SECONDS = 90
POLL_SECONDS = 0.25
SETTLE_SECONDS = 30
TELL_SECONDS = 5
LOOK_SECONDS = 0.5

EFFECTS = {"notifications": "notifications", "seats": "dispatches"}
"""Which collection of a service holds what is done outside."""

#: What a part that is away makes of a question to it.
AWAY = (KafkaError, PyMongoError, OSError, TimeoutError)


class NotReady(Exception):  # noqa: N818 - it reads as it is meant
    """A part did not answer in time."""


@dataclass
class Rig:
    """One run. Everything that blocks is done in threads: the load and the proxies live in the same loop."""

    layout: Layout
    supervisor: Supervisor
    parts: Mapping[str, Part]
    proxies: Mapping[str, Proxy]
    people: People
    ledger: Ledger
    load: Load
    random: Random
    say: Callable[[str], None]
    ended_at: float = 0.0
    rests: list[Rest] = field(default_factory=list[Rest])
    _mongo: AsyncMongoClient[Document] | None = None

    @property
    def stack(self) -> Stack:
        """Where everything is."""
        return self.layout.stack

    @property
    def services(self) -> Sequence[str]:
        """The services by name; their further instances are ``companies-2`` and so on."""
        return self.layout.services

    def environment(self, service: str) -> dict[str, str]:
        """A service's environment, through the proxies."""
        return self.layout.environment(service)

    def database(self, service: str) -> AsyncDatabase[Document]:
        """A service's database, past the proxies: to look, never to write."""
        if self._mongo is None:
            self._mongo = AsyncMongoClient(self.layout.mongo_uri, serverSelectionTimeoutMS=30_000)
        return self._mongo[self.layout.database(service)]

    # -- parts --------------------------------------------------------------------------------------------------------

    async def processes(self) -> Mapping[str, Process]:
        """Every part as supervisord sees it."""
        return await asyncio.to_thread(self.supervisor.processes)

    async def pid(self, part: str) -> int:
        """The process of a part; 0 when it has none at the moment."""
        return (await self.processes())[part].pid

    async def kill(self, part: str, with_signal: int = signal.SIGKILL) -> bool:
        """Send a signal to a part's processes. False when it had none, as between a death and the next start."""
        pid = await self.pid(part)
        if not pid:
            return False
        try:
            os.killpg(os.getpgid(pid), with_signal)
        except ProcessLookupError:
            return False
        if with_signal in (signal.SIGKILL, signal.SIGSTOP):
            self.hurt(part, ended=pid if with_signal == signal.SIGKILL else 0)
        self.fault_ended()
        return True

    def hurt(self, part: str, *, ended: int = 0) -> None:
        """Note that a part's process was cut off in the middle of its work, or stopped there: what it did then may be
        unsure. ``ended`` is the process, if that was its end."""
        self.ledger.noted("hurt", part=part)
        if ended:
            self.ends(part, ended)
        self.fault_ended()

    def ends(self, part: str, pid: int) -> None:
        """Note that a process of a part ends by what the rig did: one that ends without that has a fault of its own."""
        self.ledger.noted("ends", part=part, pid=pid)

    def fault_ended(self) -> None:
        """Note that now the last bad thing was done, or undone: from here it is measured how long rest takes. Every
        kill and stop notes it by itself; a fault notes what else it does."""
        self.ended_at = time.monotonic()

    def rested(self, what: str, took: float, allowed: float = SETTLE_SECONDS) -> None:
        """Note how long rest took after something bad, for I5 to judge; for faults that wait for it themselves. What
        the fault does afterwards begins anew."""
        self.say(f"  {what}: at rest after {took:.1f} s, {allowed:.0f} s are allowed")
        self.rests.append(Rest(what, took, allowed))
        self.ended_at = 0.0

    async def start(self, part: str) -> None:
        """Have a part started, and wait until it answers."""
        await asyncio.to_thread(self.supervisor.start, part)
        await self.ready(part)

    async def stop(self, part: str) -> None:
        """Have a part stopped in order, and wait until it has."""
        self.fault_ended()  # by asking for it: how long the part takes is part of coming to rest
        await asyncio.to_thread(self.supervisor.stop, part)

    async def ready(self, part: str, seconds: float = READY_SECONDS) -> float:
        """Wait until a part answers; how long it took. Raises NotReady."""
        began = time.monotonic()
        while waits_for := await asyncio.to_thread(self.parts[part].ready):
            if time.monotonic() - began > seconds:
                raise NotReady(f"{part} still waits for {waits_for} after {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)
        return time.monotonic() - began

    # -- rest ---------------------------------------------------------------------------------------------------------

    async def settle(self, seconds: float = SETTLE_SECONDS, *, since: float = 0.0) -> float:
        """Pause the load and wait until outboxes and lag are 0; how long that took, from now or from ``since``, or
        infinity after ``seconds`` from now."""
        began = time.monotonic()
        everybody_answered = await self.load.pause()
        told = began + TELL_SECONDS
        while time.monotonic() - began < seconds and everybody_answered:
            left = ["something is away"]
            with suppress(*AWAY):
                left = await self.unsettled()
            if not left:
                return time.monotonic() - (since or began)
            if time.monotonic() > told:
                told += TELL_SECONDS
                self.say(f"  not yet at rest: {', '.join(left)}")
            await asyncio.sleep(LOOK_SECONDS)
        return math.inf

    async def unsettled(self) -> list[str]:
        """What is still to be published or handled."""
        found: list[str] = []
        for service in self.services:
            database = self.database(service)
            if left := await outboxes.waiting(database, await outboxes.collections(database)):
                found.append(f"{len(left)} outboxes of {service}")
        if found:
            return found  # to ask for the lag costs more
        behind = await looking.lag(self.layout.bootstrap, self.layout.groups)
        return [f"{group} lags {count}" for group, count in behind.items()]

    async def due(self) -> int:
        """Mails and webhook calls that are still to be made, or whose end is not written down."""
        places = [(service, kind) for service, kind in EFFECTS.items() if service in self.services]
        still = [{"state.status": status, "state.due_at": {"$ne": None}} for status in ("accepted", "sending")]
        return sum(
            [await self.database(service)[kind].count_documents(each) for service, kind in places for each in still]
        )

    def person(self, user: str) -> Any:
        """Somebody with a log-in, in front of the gateway."""
        return self.people.person(user)

    async def close(self) -> None:
        """Let go of the store."""
        if self._mongo is not None:
            await self._mongo.close()
