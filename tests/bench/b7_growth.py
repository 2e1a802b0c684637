"""B7: growth: the commands of B1, reads by id and lists, with 1,000, 10,000 and 100,000 companies in the store.

Not a ratio to a floor: the question is what more companies make slower. The lists are asked of the store by the bare
client too, in turns, to see whose growth it is. The growth from the smallest store to the largest is measured anew in
each run, and the spread is that of its ratio over the runs. Flat is what does not change, logarithmic what grows as the
logarithm does; both within what counts as repeatable, and no further. Where the runs lie further apart than that, and
so does the goal, it is not judged: they do not tell.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from math import log

from pymongo.asynchronous.database import AsyncDatabase

from tests.bench import companies
from tests.bench.b1_commands import Commands
from tests.bench.b6_reads import Reads
from tests.bench.bench import REPEATABLE, Bench, Compared, Document, Row, check
from tests.bench.companies import COLLEGE, MUNICIPALITIES, Known
from tests.bench.load import drive, request
from tests.bench.profiling import Load, profiled
from tests.bench.serving import Served, serving

SIZES, SIZES_QUICK = (1_000, 10_000, 100_000), (100, 200, 400)
TIMES = 5
LIMIT = 50
MUNICIPALITY = MUNICIPALITIES[3]


@dataclass
class Grown:
    """A store with so many companies, and what was seen of it: a second, or in milliseconds, of each run one figure."""

    bench: Bench
    database: AsyncDatabase[Document]
    topic: str
    known: list[Known]
    seen: dict[str, list[float]] = field(default_factory=lambda: defaultdict[str, list[float]](list))
    _commands: Commands | None = None

    @property
    def count(self) -> int:
        return len(self.known)

    async def run(self) -> None:
        """Everything once. The service is there for it alone: one that has nothing to do would still look for waiting
        events, while the other stores are measured."""
        async with serving(self.bench, "tests.bench.served", database=self.database.name, topic=self.topic) as served:
            size = self.bench.size(1_000, 50)
            self._commands = self._commands or Commands(self.bench, served, self.database, self.known, size)
            self._commands.served = served
            reads = Reads(self.bench, self.database, served, self.known)
            await self._round()  # a first time that does not count
            await reads.by_id()
            await self._note("commands", self._round)
            await self._note("by id", reads.by_id)
            await self._note("by id, bare", reads.floor_by_id)
            filtered = await _both(
                served, self.database, f"municipality={MUNICIPALITY}&", {"state.municipality": MUNICIPALITY}
            )
            by_name = await _both(served, self.database, "", {})
        for name, (listed, bare) in {"filtered": filtered, "by name": by_name}.items():
            self.seen[name].append(listed)
            self.seen[f"{name}, bare"].append(bare)

    async def right(self) -> None:
        """What was acknowledged, in all runs, is in the store and on the topic.

        :raises Wrong: when it is not so.
        """
        assert self._commands
        await self._commands.right(self.topic)

    async def _round(self) -> float:
        """Commands a second, upon documents that are alike in all stores: in a smaller one each company would have the
        receipts of more rounds."""
        assert self._commands
        await self.database["companies"].update_many({"receipts.0": {"$exists": True}}, {"$set": {"receipts": []}})
        return await self._commands.round()

    async def _note(self, name: str, measure: Callable[[], Awaitable[float]]) -> None:
        self.seen[name].append(statistics.median([await measure() for _ in range(self.bench.rounds)]))


@asynccontextmanager
async def grown_to(bench: Bench, count: int) -> AsyncGenerator[Grown]:
    """A store with so many companies, and with its indexes from the beginning, as one that has grown has them."""
    async with bench.database() as database, bench.topic() as topic:
        async with serving(bench, "tests.bench.served", database=database.name, topic=topic):
            pass
        yield Grown(bench, database, topic, await companies.fill(bench, database, count))


async def profile(bench: Bench) -> str:
    """Where the time of a filtered list goes in the largest store."""
    largest = (SIZES_QUICK if bench.quick else SIZES)[-1]
    path = f"/companies?municipality={MUNICIPALITY}&limit={LIMIT}"
    async with (
        grown_to(bench, largest) as store,
        serving(bench, "tests.bench.served", database=store.database.name, topic=store.topic) as served,
    ):
        return await profiled(bench, served, Load(lambda: _get(served, path), 1))


async def run(bench: Bench) -> list[Row]:
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(grown_to(bench, count)) for count in (SIZES_QUICK if bench.quick else SIZES)
        ]
        for _ in range(bench.runs):
            for store in stores:
                await store.run()
        for store in stores:
            await store.right()
    return rows([store.count for store in stores], [store.seen for store in stores])


def rows(counts: Sequence[int], seen: Sequence[Mapping[str, Sequence[float]]]) -> list[Row]:
    """What was seen of stores of so many companies."""
    sizes = " / ".join(f"{count:,}" for count in counts)
    flat = f"flat: {1 - REPEATABLE:.0%} at least"
    logarithmic = log(counts[-1]) / log(counts[0])
    by_index = f"logarithmic, by an index: {logarithmic:.2f} times, within {REPEATABLE:.0%}"
    found: list[Row] = []
    for name, what in (("commands", f"commands/s at {sizes} companies"), ("by id", f"reads by id/s at {sizes}")):
        grown = _growth(seen, name)
        floor = _medians(seen, f"{name}, bare", "/s") if f"{name}, bare" in seen[0] else "the first"
        ratio = f"{grown.ratio:.0%} of the first"
        met = _within(1 - grown.ratio, grown.spread)
        found.append(Row("B7", what, _medians(seen, name, "/s"), floor, ratio, flat, met, grown.spread))
    for name, what in (("filtered", f"a filtered list of {LIMIT}"), ("by name", f"the first {LIMIT} by name")):
        grown, bare = _growth(seen, name), _growth(seen, f"{name}, bare")
        measure = _medians(seen, name, " ms")
        floor = f"{_medians(seen, f'{name}, bare', ' ms')}, {bare.ratio:.2f} times as long"
        met = _within(grown.ratio / logarithmic - 1, grown.spread)
        ratio = f"{grown.ratio:.2f} times as long"
        found.append(Row("B7", f"{what} at {sizes}", measure, floor, ratio, by_index, met, grown.spread))
    return found


def _growth(seen: Sequence[Mapping[str, Sequence[float]]], name: str) -> Compared:
    """The largest store beside the smallest, run by run."""
    return Compared(seen[-1][name], seen[0][name])


def _within(short: float, spread: float) -> bool | None:
    """Whether a goal that is missed by this share counts as met; None when the runs lie too far apart to tell."""
    if short <= REPEATABLE:
        return True
    return None if short <= spread else False


def _medians(seen: Sequence[Mapping[str, Sequence[float]]], name: str, unit: str) -> str:
    told = " / ".join(f"{statistics.median(each[name]):,.0f}{unit}" for each in seen)
    return f"{told} by the bare client" if name.endswith("bare") else told


async def _both(served: Served, database: AsyncDatabase[Document], query: str, asked: Document) -> tuple[float, float]:
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
    return statistics.median(listed), statistics.median(bare)


async def _get(served: Served, path: str) -> list[tuple[str, str, list[str]]]:
    driven = await drive(served.port, [request("GET", path, served.headers)], connections=1)
    check(driven.statuses() == {200: 1}, f"{path}: {driven.statuses()}")
    return [(each["id"], each["name"], each["tags"]) for each in driven.answers[0].json()["items"]]


async def _bare(database: AsyncDatabase[Document], asked: Document) -> list[tuple[str, str, list[str]]]:
    found = database["companies"].find({"college": COLLEGE, **asked}, {"receipts": 0, "outbox": 0})
    listed = await found.sort([("state.name", 1), ("_id", 1)]).limit(LIMIT + 1).to_list(LIMIT + 1)
    check(len(listed) > 0, "a list is empty")
    return [(each["_id"], each["state"]["name"], each["state"]["tags"]) for each in listed[:LIMIT]]
