"""F10: a disk without room, for the store or for Kafka: refused with a problem, nothing lost, and well again by itself.

Room is taken away from the running process: no file of it may grow (RLIMIT_FSIZE), which needs no rights. What is
started in its place meanwhile finds the disk as full. The error is EFBIG and not ENOSPC, for which a file system of its
own would have to be mounted: to who writes, both are a write that fails.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import psutil

from tests.faults.calling import Answer, Caller
from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.load import Client
from tests.faults.rig import Rig

FULL_SECONDS = (10, 16)
ENDS_SECONDS = 30
GONE_SECONDS = 5
ACKNOWLEDGED_PER_SECOND = 1.0
"""So many commands at least while Kafka is away: the load asks for 15, and the writers here for some more."""

LOOK_SECONDS = 0.05
ASK_SECONDS = 0.3
WRITERS = 3
USER = "vaao-outreach"


class _Asking(Caller):
    """Somebody who looks at the list of visits and opens rooms, again and again, and judges how that is refused."""

    def __init__(self, rig: Rig, number: int) -> None:
        self._within = rig.people.caller(USER)
        self._clients = [rig.load.client(f"disk-{number}-{each}", USER, self) for each in range(WRITERS)]
        self._over = asyncio.Event()
        self.refused = Counter[str]()
        self.wrong: list[str] = []

    async def __aenter__(self) -> "_Asking":
        self._tasks = [asyncio.create_task(self._look(self._clients[0]))]
        self._tasks += [asyncio.create_task(self._write(client)) for client in self._clients]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await asyncio.gather(*self._tasks)  # each has its answer: the room is there again

    async def _look(self, client: Client) -> None:
        while not self._over.is_set():
            await asyncio.sleep(ASK_SECONDS)
            await client.get("/visits?limit=1")

    async def _write(self, client: Client) -> None:
        while not self._over.is_set():
            await asyncio.sleep(ASK_SECONDS)
            await client.ask("open-room", "POST", "/rooms", {"seats": 1}, about="/rooms/{id}")

    async def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask once, and look at a refusal closely."""
        answer = await self._within.request(method, path, body, headers)
        if answer.status_code >= 500:
            self.refused["looks" if method == "GET" else "writes"] += 1
            kind, after = answer.headers.get("Content-Type", ""), answer.headers.get("Retry-After", "")
            if answer.status_code != 503 or kind != "application/problem+json" or not after.isdecimal():
                said = f"{kind}, Retry-After {after!r}: {str(answer.body)[:100]}"
                self.wrong.append(f"{method} {path} was answered {answer.status_code} {said}")
        return answer


async def full(rig: Rig, random: Random, amount: int) -> Outcome:
    """No room for a while: by turns for the store, which refuses all, and for Kafka, without which work goes on."""
    counts, wrong, longest = Counter[str](), list[str](), 0.0
    parts = [part for part in ("mongo", "kafka") if part not in rig.layout.outside.parts]
    before = await asyncio.to_thread(_unexpected, rig)
    for number in range(amount):
        part = parts[number % len(parts)]
        await asyncio.sleep(random.uniform(1, 3))
        async with _Asking(rig, number) as asking:
            full = await _fill(rig, part, random.uniform(*FULL_SECONDS))
            longest = max(longest, await rig.ready(part))
            rig.fault_ended()
        counts[f"full for {part}"] += 1
        counts[f"ends of {part}"] += full.ends
        if part == "kafka":
            counts["commands acknowledged without kafka"] += full.acknowledged
            wrong += stood_still(full)
        counts.update({f"{what} refused without {part}": times for what, times in asking.refused.items()})
        wrong += asking.wrong[:5]
        if part == "mongo" and not asking.refused["writes"]:
            raise NotDone("nobody was refused a write while the store's disk was full")
    wrong += sorted(await asyncio.to_thread(_unexpected, rig) - before)
    return Outcome({**counts, "longest until ready, s": round(longest, 1)}, tuple(wrong), times=amount)


@dataclass(frozen=True)
class Full:
    """What took place while a part had no room: how often it ended; and since it had ended for the first time, for how
    long it was full, and how many commands were acknowledged."""

    ends: int
    seconds: float
    acknowledged: int


def stood_still(full: Full) -> list[str]:
    """What is wrong with the commands while Kafka was not there: they need the store alone."""
    if full.acknowledged >= full.seconds * ACKNOWLEDGED_PER_SECOND:
        return []
    return [f"{full.acknowledged} commands were acknowledged in {full.seconds:.0f} s while Kafka's disk was full"]


async def _fill(rig: Rig, part: str, seconds: float) -> Full:
    """Take all room from a part until it has ended at least once, and for so long."""
    processes, began = set[int](), time.monotonic()
    ended_at, acknowledged = math.inf, 0
    rig.hurt(part)  # from now on no write of it may come to its end
    try:
        while (
            (lasted := time.monotonic() - began) < seconds
            or len(processes) < 2
            or time.monotonic() - ended_at < GONE_SECONDS
        ):
            if lasted > ENDS_SECONDS + seconds:
                raise NotDone(f"{part} had no room for {lasted:.0f} s and did not end: could it write?")
            pid = await rig.pid(part)
            if processes and pid not in processes and math.isinf(ended_at):
                ended_at, acknowledged = time.monotonic(), rig.ledger.counts["acknowledged"]
            if pid:
                with suppress(psutil.NoSuchProcess):
                    _room(pid, 0)
                    if processes and pid not in processes:
                        rig.hurt(part)  # the one before has ended in the middle of its work
                    if pid not in processes:
                        rig.ends(part, pid)
                    processes.add(pid)
            await asyncio.sleep(LOOK_SECONDS)
        return Full(len(processes) - 1, time.monotonic() - ended_at, rig.ledger.counts["acknowledged"] - acknowledged)
    finally:
        if pid := await rig.pid(part):
            with suppress(psutil.NoSuchProcess):
                _room(pid, psutil.RLIM_INFINITY)


def _room(pid: int, size: int) -> None:
    """How large a file of a process may become, up to what its owner allows; also of what it started."""
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        _, most = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (size if most == psutil.RLIM_INFINITY else min(size, most), most))


def _unexpected(rig: Rig) -> set[str]:
    """Wishes that were answered with a 500: the client cannot know what became of them, nor that it may ask again.
    It blocks."""
    wishes = rig.ledger.paper.wishes()
    return {f"{wish.asked.wish} {wish.asked.kind}: {wish.status} {wish.code}" for wish in wishes if wish.status == 500}
