"""B6: reads: a list of 50 with a filter, and one by its id, through HTTP.

The floor asks the store the same question by the bare client in this process, and makes JSON of the answer with orjson:
no request, no token, no view, no validation.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from companies.api.company_models import CompanyView
from pymongo.asynchronous.database import AsyncDatabase

from tests.bench import companies
from tests.bench.b1_commands import CONNECTIONS
from tests.bench.bench import Bench, Compared, Document, Row, at_once, check
from tests.bench.companies import COLLEGE, MUNICIPALITIES, Known
from tests.bench.load import Driven, drive, milliseconds, request
from tests.bench.profiling import Load, profiled
from tests.bench.serving import Served, serving

GOAL = 0.50
LIMIT = 50


@asynccontextmanager
async def reading(bench: Bench, count: int) -> AsyncGenerator["Reads"]:
    """The service, and so many companies."""
    async with bench.database() as database, bench.topic() as topic:
        known = await companies.fill(bench, database, count)
        async with serving(bench, "tests.bench.served", database=database.name, topic=topic) as served:
            yield Reads(bench, database, served, known)


async def profile(bench: Bench) -> str:
    """Where the time of a read by id goes."""
    async with reading(bench, bench.size(2_000, 1_200)) as reads:
        return await profiled(bench, reads.served, Load(reads.by_id, len(reads.ids)))


async def run(bench: Bench) -> list[Row]:
    count = bench.size(2_000, 1_200)
    async with reading(bench, count) as reads:
        by_id = await bench.compare(reads.by_id, reads.floor_by_id)
        lists = await bench.compare(reads.lists, reads.floor_lists)
    return [
        _row("one by its id", by_id, reads.driven["by_id"][-bench.turns :]),
        _row(f"a list of {LIMIT} of {count} with a filter", lists, reads.driven["lists"][-bench.turns :]),
    ]


SHOWN = CompanyView.model_fields.keys()


class Reads:
    """The same reads, through the service and past it."""

    def __init__(self, bench: Bench, database: AsyncDatabase[Document], served: Served, known: list[Known]) -> None:
        self._collection = database["companies"]
        self.served = served
        random = bench.random("reads")
        self.ids = [each.id for each in random.choices(known, k=bench.size(3_000, 60))]
        self._filters = random.choices(MUNICIPALITIES, k=bench.size(300, 20))
        self.driven: dict[str, list[Driven]] = {"by_id": [], "lists": []}

    async def by_id(self) -> float:
        driven = await self._get("by_id", [f"/companies/{id}" for id in self.ids])
        stored = {each["_id"]: _view(each) async for each in self._collection.find({"_id": {"$in": self.ids}})}
        for id, answer in zip(self.ids, driven.answers, strict=True):
            check(answer.json() == stored[id], f"{id} was asked for, and {answer.body!r} came")
        return driven.rate

    async def lists(self) -> float:
        paths = [f"/companies?municipality={each}&limit={LIMIT}" for each in self._filters]
        driven = await self._get("lists", paths)
        expected = {each: await self._find(each) for each in MUNICIPALITIES}
        for municipality, answer in zip(self._filters, driven.answers, strict=True):
            items = answer.json()["items"]
            check(items == expected[municipality], f"the list of {municipality} is another than the store's")
            check({item["municipality"] for item in items} == {municipality}, "something else is in the list")
        return driven.rate

    async def floor_by_id(self) -> float:
        return await self._floor(len(self.ids), self._dump_one)

    async def floor_lists(self) -> float:
        return await self._floor(len(self._filters), self._dump_list)

    async def _get(self, name: str, paths: list[str]) -> Driven:
        requests = [request("GET", path, self.served.headers) for path in paths]
        driven = await drive(self.served.port, requests, connections=CONNECTIONS)
        check(driven.statuses() == {200: len(paths)}, f"of {len(paths)} reads: {driven.statuses()}")
        self.driven[name].append(driven)
        return driven

    async def _floor(self, count: int, read: Callable[[int], Awaitable[bytes]]) -> float:
        return await at_once(count, read, workers=CONNECTIONS)

    async def _dump_one(self, number: int) -> bytes:
        found = await self._collection.find_one({"_id": self.ids[number], "college": COLLEGE})
        assert found is not None
        return orjson.dumps(_view(found))

    async def _dump_list(self, number: int) -> bytes:
        return orjson.dumps({"items": await self._find(self._filters[number]), "next": None})

    async def _find(self, municipality: str) -> list[dict[str, Any]]:
        found = self._collection.find(
            {"college": COLLEGE, "state.municipality": municipality}, {"receipts": 0, "outbox": 0}
        )
        return [_view(each) for each in await found.sort([("state.name", 1), ("_id", 1)]).limit(LIMIT).to_list(LIMIT)]


def _view(document: Document) -> dict[str, Any]:
    return {"id": document["_id"], **{name: each for name, each in document["state"].items() if name in SHOWN}}


def _row(what: str, found: Compared, rounds: Sequence[Driven]) -> Row:
    return Row(
        "B6",
        f"reads/s, {CONNECTIONS} connections: {what}",
        f"{found.measure:,.0f}/s, p50 {milliseconds(rounds, 0.5):.0f} ms, p99 {milliseconds(rounds, 0.99):.0f} ms",
        f"{found.floor:,.0f}/s",
        f"{found.ratio:.0%}",
        f"{GOAL:.0%}",
        found.ratio >= GOAL,
        found.spread,
    )
