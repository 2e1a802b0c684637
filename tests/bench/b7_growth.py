"""B7: growth: the commands of B1, one by its id and a list, with 1,000, 10,000 and 100,000 companies in the store.

What grows is told as a ratio of the largest to the smallest. Beside the list through the service stands the same
question by the bare client: where both grow alike, it is the store that reads more.
"""

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pymongo.asynchronous.database import AsyncDatabase

from tests.bench import companies
from tests.bench.b1_commands import Commands
from tests.bench.bench import Bench, Document, Row, check
from tests.bench.companies import COLLEGE, MUNICIPALITIES
from tests.bench.load import drive, request
from tests.bench.serving import Served, serving

SIZES, SIZES_QUICK = (1_000, 10_000, 100_000), (100, 200, 400)
FLAT = 0.80
"""So much of the smallest store's rate counts as flat: less than the runs of B1 differ by would say nothing."""
TIMES = 5


@dataclass(frozen=True)
class Grown:
    """What was seen with so many companies."""

    count: int
    rates: list[float]
    list_ms: float
    bare_ms: float
    sorted_ms: float

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def spread(self) -> float:
        return (max(self.rates) - min(self.rates)) / self.rate


async def run(bench: Bench) -> list[Row]:
    grown = [await _with(bench, count) for count in (SIZES_QUICK if bench.quick else SIZES)]
    first, last = grown[0], grown[-1]
    rates, lists = last.rate / first.rate, last.list_ms / first.list_ms
    sizes = " / ".join(f"{each.count:,}" for each in grown)
    flat = f"flat ({FLAT:.0%})"
    return [
        Row(
            "B7",
            f"commands/s at {sizes} companies",
            " / ".join(f"{each.rate:,.0f}/s" for each in grown),
            "the first",
            f"{rates:.0%}",
            flat,
            rates >= FLAT,
            max(each.spread for each in grown),
        ),
        Row(
            "B7",
            f"a filtered list of 50 at {sizes} companies",
            " / ".join(f"{each.list_ms:,.0f} ms" for each in grown),
            " / ".join(f"{each.bare_ms:,.0f} ms" for each in grown) + " by the bare client",
            f"{lists:.1f} times as long",
            "logarithmic, by an index",
            lists < 3,
        ),
        Row(
            "B7",
            f"the first 50 by name at {sizes} companies",
            " / ".join(f"{each.sorted_ms:,.0f} ms" for each in grown),
            "the first",
            f"{last.sorted_ms / first.sorted_ms:.1f} times as long",
            "logarithmic, by an index",
            last.sorted_ms / first.sorted_ms < 3,
        ),
    ]


async def _with(bench: Bench, count: int) -> Grown:
    size = bench.size(1_000, 50)
    async with bench.database() as database, bench.topic() as topic:
        known = await companies.fill(bench, database, count)
        async with serving(bench, "tests.bench.served", database=database.name, topic=topic) as served:
            commands = Commands(bench, served, known, size)
            await commands.round()
            rates = [await commands.round() for _ in range(bench.runs)]
            filtered = f"/companies?municipality={MUNICIPALITIES[3]}"
            list_ms = await _median_ms(lambda: _get(served, filtered))
            sorted_ms = await _median_ms(lambda: _get(served, "/companies"))
            bare_ms = await _median_ms(lambda: _bare(database))
            await companies.written(database, known)
    return Grown(count, rates, list_ms, bare_ms, sorted_ms)


async def _median_ms(read: Callable[[], Awaitable[int]]) -> float:
    seconds: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        found = await read()
        seconds.append(time.perf_counter() - began)
        check(found > 0, "a list is empty")
    return statistics.median(seconds) * 1000


async def _get(served: Served, path: str) -> int:
    driven = await drive(served.port, [request("GET", path, served.headers)], connections=1)
    check(driven.statuses() == {200: 1}, f"{path}: {driven.statuses()}")
    return len(driven.answers[0].json()["items"])


async def _bare(database: AsyncDatabase[Document]) -> int:
    asked = {"college": COLLEGE, "state.municipality": MUNICIPALITIES[3]}
    found = database["companies"].find(asked, {"receipts": 0, "outbox": 0})
    return len(await found.sort([("state.name", 1), ("_id", 1)]).limit(51).to_list(51))
