"""B7: growth: the commands of B1, reads by id and lists, with 1,000, 10,000 and 100,000 companies in the store.

Not a ratio to a floor: the question is what more companies make slower. The lists are asked of the store by the bare
client too, in turns, to see whose growth it is.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.asynchronous.database import AsyncDatabase

from tests.bench import companies
from tests.bench.b1_commands import Commands
from tests.bench.b6_reads import Reads
from tests.bench.bench import Bench, Document, Row, check
from tests.bench.companies import COLLEGE, MUNICIPALITIES
from tests.bench.load import drive, request
from tests.bench.serving import Served, serving

SIZES, SIZES_QUICK = (1_000, 10_000, 100_000), (100, 200, 400)
FLAT = 0.80
"""So much of the smallest store's rate counts as flat: less than the runs of B1 differ by would say nothing."""
LOGARITHMIC = 3.0
"""A hundred times as many companies may take so many times as long: what a sorted index does, and a scan does not."""
TIMES = 5
LIMIT = 50
MUNICIPALITY = MUNICIPALITIES[3]


@dataclass(frozen=True)
class Measured:
    """The same thing several times: rates or milliseconds."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        return (max(self.values) - min(self.values)) / self.median


@dataclass(frozen=True)
class Grown:
    """What was seen with so many companies."""

    count: int
    commands: Measured
    by_id: Measured
    bare_by_id: Measured
    filtered: Measured
    bare_filtered: Measured
    by_name: Measured
    bare_by_name: Measured


async def run(bench: Bench) -> list[Row]:
    grown = [await _with(bench, count) for count in (SIZES_QUICK if bench.quick else SIZES)]
    sizes = " / ".join(f"{each.count:,}" for each in grown)
    return [
        _rates(f"commands/s at {sizes} companies", [each.commands for each in grown]),
        _rates(
            f"reads by id/s at {sizes} companies",
            [each.by_id for each in grown],
            [each.bare_by_id for each in grown],
        ),
        _lists(
            f"a filtered list of {LIMIT} at {sizes} companies",
            [each.filtered for each in grown],
            [each.bare_filtered for each in grown],
        ),
        _lists(
            f"the first {LIMIT} by name at {sizes} companies",
            [each.by_name for each in grown],
            [each.bare_by_name for each in grown],
        ),
    ]


def _rates(what: str, seen: Sequence[Measured], bare: Sequence[Measured] = ()) -> Row:
    share = seen[-1].median / seen[0].median
    return Row(
        "B7",
        what,
        " / ".join(f"{each.median:,.0f}/s" for each in seen),
        " / ".join(f"{each.median:,.0f}/s" for each in bare) + " by the bare client" if bare else "the first",
        f"{share:.0%} of the first",
        f"flat ({FLAT:.0%})",
        share >= FLAT,
        max(each.spread for each in seen),
    )


def _lists(what: str, seen: Sequence[Measured], bare: Sequence[Measured]) -> Row:
    times = seen[-1].median / seen[0].median
    return Row(
        "B7",
        what,
        " / ".join(f"{each.median:,.0f} ms" for each in seen),
        " / ".join(f"{each.median:,.0f} ms" for each in bare) + " by the bare client",
        f"{times:.1f} times as long",
        "logarithmic, by an index",
        times < LOGARITHMIC,
        max(each.spread for each in seen),
    )


async def _with(bench: Bench, count: int) -> Grown:
    size = bench.size(1_000, 50)
    async with bench.database() as database, bench.topic() as topic:
        known = await companies.fill(bench, database, count)
        async with serving(bench, "tests.bench.served", database=database.name, topic=topic) as served:
            commands = Commands(bench, served, database, known, size)
            reads = Reads(bench, database, served, known)
            await commands.round()
            await reads.by_id()
            found = Grown(
                count,
                Measured([await commands.round() for _ in range(bench.runs)]),
                Measured([await reads.by_id() for _ in range(bench.runs)]),
                Measured([await reads.floor_by_id() for _ in range(bench.runs)]),
                *await _both(served, database, f"municipality={MUNICIPALITY}&", {"state.municipality": MUNICIPALITY}),
                *await _both(served, database, "", {}),
            )
            await commands.right(topic)
    return found


async def _both(
    served: Served, database: AsyncDatabase[Document], query: str, asked: Document
) -> tuple[Measured, Measured]:
    """Milliseconds of one list, by the service and by the bare client, in turns; both list the same companies."""
    path = f"/companies?{query}limit={LIMIT}"
    listed, bare = list[float](), list[float]()
    await _get(served, path)  # a first time that does not count
    for _ in range(TIMES):
        began = time.perf_counter()
        expected = await _bare(database, asked)
        between = time.perf_counter()
        items = await _get(served, path)
        listed.append((time.perf_counter() - between) * 1000)
        bare.append((between - began) * 1000)
        check(items == expected, f"{path} lists other companies than the store has")
    return Measured(listed), Measured(bare)


async def _get(served: Served, path: str) -> list[tuple[str, str, list[str]]]:
    driven = await drive(served.port, [request("GET", path, served.headers)], connections=1)
    check(driven.statuses() == {200: 1}, f"{path}: {driven.statuses()}")
    return [(each["id"], each["name"], each["tags"]) for each in driven.answers[0].json()["items"]]


async def _bare(database: AsyncDatabase[Document], asked: Document) -> list[tuple[str, str, list[str]]]:
    found = database["companies"].find({"college": COLLEGE, **asked}, {"receipts": 0, "outbox": 0})
    listed = await found.sort([("state.name", 1), ("_id", 1)]).limit(LIMIT + 1).to_list(LIMIT + 1)
    check(len(listed) > 0, "a list is empty")
    return [(each["_id"], each["state"]["name"], each["state"]["tags"]) for each in listed[:LIMIT]]
