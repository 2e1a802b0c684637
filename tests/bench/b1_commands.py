"""B1: durable commands a second on distinct aggregates, through HTTP.

The measure labels companies (PATCH with If-Match), each of a round another one: token, limits, decision, guarded write
and, beside the answers, publishing and clearing. The floor is that guarded write alone, by the bare client of this
process. A second row has the same route written by hand, with FastAPI and PyMongo alone, under the same load.
"""

from dataclasses import dataclass, field
from functools import partial

from pymongo.asynchronous.database import AsyncDatabase

from tests.bench import companies
from tests.bench.bench import Bench, Compared, Document, Row, at_once, check
from tests.bench.companies import Floor, Known
from tests.bench.load import Driven, drive
from tests.bench.serving import Served, serving

CONNECTIONS = 32
GOAL = 0.60


@dataclass
class Commands:
    """Rounds of commands against one service."""

    bench: Bench
    served: Served
    known: list[Known]
    size: int
    driven: list[Driven] = field(default_factory=list[Driven])
    _rounds: int = 0

    async def round(self) -> float:
        """Commands a second, each upon another company."""
        self._rounds += 1
        random = self.bench.random(f"round {self._rounds}")
        asked = random.sample(self.known, self.size)
        requests = [companies.tagging(each, random, dict(self.served.headers)) for each in asked]
        driven = await drive(self.served.port, requests, connections=CONNECTIONS)
        companies.took(asked, driven)
        self.driven.append(driven)
        return driven.rate

    def milliseconds(self, share: float) -> float:
        """Latency at a percentile: the median over the rounds."""
        ordered = sorted(each.milliseconds(share) for each in self.driven)
        return ordered[len(ordered) // 2]


async def floor_of(bench: Bench, database: AsyncDatabase[Document], size: int) -> Floor:
    """A floor that writes what the platform wrote last."""
    written = await database["companies"].find_one({"receipts": {"$size": 1}})
    assert written is not None
    written["outbox"] = written["outbox"] or [await _event(database)]
    floor = Floor(database, written)
    await floor.fill(size)
    return floor


async def _event(database: AsyncDatabase[Document]) -> Document:
    """An event as the outbox held it before it was published."""
    headers = dict.fromkeys(
        ("ce_id", "ce_subject", "ce_correlationid", "ce_causationid", "ce_type", "ce_source", "ce_time"), "0" * 36
    )
    body = '{"company_id":"' + "0" * 36 + '","tags":["apprentices-123456","fair-2026-123456"]}'
    return {"topic": database.name, "sequence": 2, "headers": headers | {"ce_traceparent": "0" * 55}, "body": body}


async def round_of_floor(floor: Floor) -> float:
    """Guarded updates a second, with as many under way as there are connections."""
    ids = list(floor.versions)
    return await at_once(len(ids), lambda number: floor.update(ids[number]), workers=CONNECTIONS)


async def compared(bench: Bench, *, companies_count: int, size: int, **settings: str) -> tuple[Compared, Commands]:
    """Commands against the floor, with so many companies in the store."""
    async with bench.database() as database, bench.topic() as topic:
        known = await companies.fill(bench, database, companies_count)
        async with serving(bench, "tests.bench.served", database=database.name, topic=topic, **settings) as served:
            commands = Commands(bench, served, known, size)
            await commands.round()
            floor = await floor_of(bench, database, size)
            found = await bench.compare(commands.round, partial(round_of_floor, floor))
            await companies.written(database, known)
    return found, commands


async def beside_a_route_by_hand(bench: Bench, *, size: int) -> Compared:
    """Commands against the same through a route without the kit."""
    async with bench.database() as database, bench.database() as bare, bench.topic() as topic:
        known = await companies.fill(bench, database, 2 * size)
        by_hand = await companies.fill(bench, bare, 2 * size)
        async with (
            serving(bench, "tests.bench.served", database=database.name, topic=topic) as served,
            serving(bench, "tests.bench.bare", database=bare.name) as plain,
        ):
            found = await bench.compare(
                Commands(bench, served, known, size).round, Commands(bench, plain, by_hand, size).round
            )
            await companies.written(database, known)
            await companies.written(bare, by_hand)
    return found


async def run(bench: Bench) -> list[Row]:
    size = bench.size(2_000, 60)
    found, commands = await compared(bench, companies_count=2 * size, size=size)
    check(len(commands.driven) > bench.runs * bench.rounds, "a round is missing")
    plain = await beside_a_route_by_hand(bench, size=bench.size(1_500, 40))
    p50, p99 = commands.milliseconds(0.5), commands.milliseconds(0.99)
    return [
        Row(
            "B1",
            f"durable commands/s, {CONNECTIONS} connections, distinct aggregates",
            f"{found.measure:,.0f}/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms",
            f"{found.floor:,.0f}/s",
            f"{found.ratio:.0%}",
            f"{GOAL:.0%}",
            found.ratio >= GOAL,
            found.spread,
        ),
        Row(
            "B1",
            "the same; floor: a route by hand, FastAPI and PyMongo alone",
            f"{plain.measure:,.0f}/s",
            f"{plain.floor:,.0f}/s",
            f"{plain.ratio:.0%}",
            spread=plain.spread,
        ),
    ]
