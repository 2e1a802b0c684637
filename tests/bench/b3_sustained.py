"""B3's question whether the relay holds anything up: commits at full, for so long that what it cannot do would pile up.

Nothing slows the commits down for the relay's sake: as many as there are workers are always under way, each the next
one as soon as its write has returned. So when the relay publishes and clears fewer than are committed, more and more
outboxes wait, the oldest for longer and longer.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from tyrsky.finding import WAITING

from tests.bench.b3_flow import WORKERS, Flow

LOOK_SECONDS = 1.0
BEGINS_SECONDS = 5.0
"""A process is slow with its first transactions: what piles up in them is none of it."""

NOISE = 2.0
"""A growth within so many standard deviations of the looks around their line may be chance."""

AGE_LEAST = LOOK_SECONDS
"""Seconds; a growth of what waits by less than is under way at once, or of its age by less than this, is none."""


@dataclass(frozen=True)
class Look:
    """What waited at a moment: how many outboxes, and for how long the oldest of them."""

    at: float
    waiting: int
    oldest: float


@dataclass(frozen=True)
class Trend:
    """A line through what was seen: by how much it grew in all, and how far the looks lie from it."""

    growth: float
    seconds: float
    noise: float

    @classmethod
    def of(cls, times: Sequence[float], values: Sequence[float]) -> "Trend":
        """The line that fits best."""
        slope, begin = statistics.linear_regression(times, values)
        seconds = times[-1] - times[0]
        beside = [value - begin - slope * at for at, value in zip(times, values, strict=True)]
        return cls(slope * seconds, seconds, statistics.pstdev(beside))

    def grows(self, least: float) -> bool:
        """Whether that is more than chance."""
        return self.growth > max(least, NOISE * self.noise)


@dataclass(frozen=True)
class Sustained:
    """One run: commits a second, and what waited meanwhile."""

    committed: float
    looks: Sequence[Look]

    @property
    def waiting(self) -> Trend:
        """How many outboxes wait."""
        return Trend.of([each.at for each in self.looks], [each.waiting for each in self.looks])

    @property
    def oldest(self) -> Trend:
        """How long the oldest waits."""
        return Trend.of([each.at for each in self.looks], [each.oldest for each in self.looks])

    @property
    def published(self) -> float:
        """Events a second that got out in the same seconds: what was committed, less what more of it waits."""
        return self.committed - self.waiting.growth / self.waiting.seconds

    @property
    def keeps_up(self) -> bool:
        """Whether nothing piles up."""
        return not (self.waiting.grows(WORKERS) or self.oldest.grows(AGE_LEAST))


async def sustained(flow: Flow) -> Sustained:
    """Commit for as long as is looked, everything at full; in the end all of it has to arrive, once and in order."""
    bench = flow.bench
    begins, every = (0.5, 0.1) if bench.quick else (BEGINS_SECONDS, LOOK_SECONDS)
    seconds = begins + bench.size(30, 2)
    keys: list[str] = []
    async with flow.passage("kit") as (send, reader):
        began = time.monotonic()

        async def commit() -> None:
            while time.monotonic() - began < seconds:
                keys.append(str(uuid4()))
                await send(keys[-1])

        looking = asyncio.create_task(_look(flow, began, begins, seconds, every))
        await asyncio.gather(*(commit() for _ in range(WORKERS)))
        committed = len(keys) / (time.monotonic() - began)
        looks = await looking
        await reader.arrivals({key: [1] for key in keys})
    return Sustained(committed, looks)


async def _look(flow: Flow, began: float, begins: float, seconds: float, every: float) -> list[Look]:
    looks: list[Look] = []
    at = begins
    while at < seconds:
        await asyncio.sleep(max(0.0, began + at - time.monotonic()))
        waiting = [each["outbox_since"] async for each in flow.database["rooms"].find(WAITING, {"outbox_since": 1})]
        oldest = (datetime.now(UTC) - min(waiting)).total_seconds() if waiting else 0.0
        looks.append(Look(time.monotonic() - began, len(waiting), oldest))
        at += every
    return looks
