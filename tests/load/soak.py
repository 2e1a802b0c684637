"""A soak: mixed work at about half of what can be done, and what the processes have, second after second."""

import asyncio
import statistics
import time
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any

from tests.bench.companies import drained
from tests.bench.load import request
from tests.load.accounts import accounts
from tests.load.client import Answer, Crowd, closed_loop, json_of
from tests.load.findings import Check, Findings
from tests.load.running import Running, Usage, headers, usage

WARM_SHARE = 0.4
"""The first of it does not count: caches fill, arenas grow, code is specialised."""

ROOMS = 50
GROWTH_AN_HOUR = 0.10
GROWTH_SHORT_MEGABYTES = 25.0
LONG_SECONDS = 240
LAG_SECONDS = 60

TAKEN_SHARE = 0.99
"""At half of what can be done; a refusal or two comes of chance."""


@dataclass
class Soak:
    """The callers' world: rooms that they know."""

    running: Running
    random: Random
    rooms: list[str] = field(default_factory=list[str])
    opened: list[str] = field(default_factory=list[str])
    reserved: dict[str, str] = field(default_factory=dict[str, str])
    """The room of each reservation that was acknowledged."""
    asked: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list[str])

    async def any_of(self, crowd: Crowd, caller: str, began: float) -> None:
        """One request; what goes wrong with it is told at the end."""
        self.asked += 1
        try:
            await self.one(crowd, caller, began)
        except Exception as error:
            self.wrong.append(f"{type(error).__name__}: {error}")

    async def one(self, crowd: Crowd, caller: str, began: float) -> Answer:
        """One request of many kinds; what it made is remembered."""
        chance = self.random.random()
        if chance < 0.15 or not self.rooms:
            answer = await self._made(crowd, self.running.open_room(caller), began)
            if answer.taken:
                self.opened.append(json_of(answer)["id"])
                self.rooms = self.opened[-ROOMS:]
            return answer
        room = self.random.choice(self.rooms)
        path = f"/companies/rooms/{room}"
        if chance < 0.45:
            guest = {"guest": f"guest {self.random.random()}"}
            answer = await self._made(crowd, request("POST", f"{path}/reservations", headers(caller), guest), began)
            if answer.taken:
                self.reserved[json_of(answer)["id"]] = room
            return answer
        if chance < 0.6:  # the read model may not have heard of a new room
            return await self._made(crowd, request("GET", f"{path}/occupancy", headers(caller)), began, also=404)
        return await self._made(crowd, request("GET", path, headers(caller)), began)

    async def _made(self, crowd: Crowd, asked: bytes, began: float, *, also: int = 0) -> Answer:
        answer = await crowd.ask(asked, began)
        self.refused += answer.well_refused
        if not (answer.taken or answer.well_refused or answer.status == also):
            self.wrong.append(f"{answer.status} {answer.body[:200].decode(errors='replace')}")
        return answer


async def soak(running: Running, *, seconds: float) -> Findings:
    """The service behind the gateway, with its policy and its read model at work."""
    turns = cycle(running.callers)
    measured = await closed_loop(
        running.gateway_port, lambda: running.open_room(next(turns)), clients=32, seconds=min(10, seconds / 3)
    )
    rate = max(4.0, len(measured.taken.all) / min(10, seconds / 3) / 2)
    world = Soak(running, Random("soak"))
    crowd, began = Crowd(running.gateway_port), time.perf_counter()
    seen: dict[str, list[tuple[float, Usage]]] = {"service": [], "gateway": []}
    tasks, asked = set[asyncio.Task[Any]](), 0
    next_look = 0.0
    while (passed := time.perf_counter() - began) < seconds:
        for _ in range(int(passed * rate) - asked):
            asked += 1
            task = asyncio.create_task(world.any_of(crowd, next(turns), began))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if passed >= next_look:
            next_look = passed + 1
            for door, series in seen.items():
                series.append((passed, usage(running.door(door)[1])))
        await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    crowd.close()
    lag = await _caught_up(running, world)
    checks = [
        Check(
            "every answer is 2xx, or refused as it should be",
            f"{world.asked - len(world.wrong)} of {world.asked}",
            not world.wrong and world.asked == asked,
        ),
        Check(
            f"at least {TAKEN_SHARE:.0%} are not refused",
            f"{world.refused} were",
            world.refused <= (1 - TAKEN_SHARE) * asked,
            timed=True,
        ),
        Check(
            f"the policy gives every seat back, and the read model knows, within {LAG_SECONDS} s",
            f"after {lag:.0f} s" if lag <= LAG_SECONDS else "not",
            lag <= LAG_SECONDS,
        ),
        *await accounts(running, world.opened, world.reserved),
    ]
    for door, series in seen.items():
        checks += _flat(door, series, seconds)
    about = (
        f"{seconds / 60:.1f} minutes at {rate:.0f} requests a second through the gateway, half of what was measured "
        f"before: rooms are opened and looked at, {len(world.reserved)} seats reserved; each reservation is an event, "
        "a command of a policy, another event, and a row of a read model."
    )
    return Findings("Soak", about, checks, world.wrong[:5])


def _flat(door: str, series: list[tuple[float, Usage]], seconds: float) -> list[Check]:
    settled = [(at, used) for at, used in series if at > seconds * WARM_SHARE]
    times = [at for at, _ in settled]
    memory = [used.megabytes for _, used in settled]
    line = statistics.linear_regression(times, memory)
    an_hour = line.slope * 3_600
    beside = statistics.pstdev(used - line.slope * at - line.intercept for at, used in zip(times, memory, strict=True))
    first, last = statistics.mean(memory[:5]), statistics.mean(memory[-5:])
    files = [used.files for _, used in settled]
    long = seconds >= LONG_SECONDS
    bound = GROWTH_AN_HOUR * first
    seen = f"{series[0][1].megabytes:.1f} MB at first, {first:.1f} when warm, {last:.1f} at last"
    return [
        Check(
            f"the {door}'s memory is flat: it grows by less than {GROWTH_AN_HOUR:.0%} an hour, or than it varies"
            if long
            else f"the {door}'s memory grows by less than {GROWTH_SHORT_MEGABYTES:.0f} MB",
            seen + (f", {an_hour:+.1f} MB an hour, and varies by {beside:.1f} beside that" if long else ""),
            (an_hour < bound or line.slope * (times[-1] - times[0]) < 2 * beside)
            if long
            else last - first < GROWTH_SHORT_MEGABYTES,
            timed=long,
        ),
        Check(
            f"the {door}'s file handles and threads are flat",
            f"{files[0]} and {settled[0][1].threads} when warm, {files[-1]} and {settled[-1][1].threads} at last, "
            f"{max(files)} files at most",
            statistics.mean(files[-5:]) <= statistics.mean(files[:5]) + 20
            and settled[-1][1].threads <= settled[0][1].threads + 4,
        ),
    ]


async def _caught_up(running: Running, world: Soak) -> float:
    """Seconds until all seats are free again in the store, and those of the last rooms where they are read."""
    began = time.perf_counter()
    crowd = Crowd(running.port)
    try:
        while (passed := time.perf_counter() - began) <= LAG_SECONDS:
            left = [
                json_of(
                    await crowd.ask(request("GET", f"/companies/rooms/{room}{which}", headers(running.callers[0])), 0)
                )
                for room in world.rooms[-10:]
                for which in ("", "/occupancy")
            ]
            held = await running.database["rooms"].count_documents({"state.held": {"$gt": 0}})
            if not held and all(each.get("left") == 50 for each in left):
                await drained(running.database, "rooms")
                return passed
            await asyncio.sleep(0.5)
        return passed
    finally:
        crowd.close()
