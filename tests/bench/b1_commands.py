"""B1: durable commands a second on distinct aggregates, through HTTP.

The measure labels companies, each of a round another one, by a PATCH with If-Match and an Idempotency-Key: token,
limits, whether the key was seen before, decision, guarded write and, beside the answers, remembering the key,
publishing and clearing. The floor is that guarded write alone, by the bare client of this process. Beside it are the
same commands without a key, and a route written by hand, FastAPI and that update and nothing else, under the same load:
against the floor, to see how much of the goal a request leaves within reach, and against the kit.
"""

import json
import statistics
from dataclasses import dataclass, field
from functools import partial

from pymongo.asynchronous.database import AsyncDatabase

from tests.bench import companies
from tests.bench.bench import Bench, Compared, Document, Row, at_once, check
from tests.bench.companies import Floor, Known
from tests.bench.load import Driven, drive, milliseconds
from tests.bench.profiling import Load, profiled
from tests.bench.serving import Served, serving

CONNECTIONS = 32
GOAL = 0.60


@dataclass
class Commands:
    """Rounds of commands against one service."""

    bench: Bench
    served: Served
    database: AsyncDatabase[Document]
    known: list[Known]
    size: int
    keyed: bool = True
    publishes: bool = True
    driven: list[Driven] = field(default_factory=list[Driven])
    backlogs: list[int] = field(default_factory=list[int])
    drains: list[float] = field(default_factory=list[float])
    _rounds: int = 0

    async def round(self) -> float:
        """Commands a second, each upon another company. When the clock has stopped, what is left in the outboxes is
        counted, and waited for: it would be at the floor's expense."""
        self._rounds += 1
        random = self.bench.random(f"round {self._rounds}")
        asked = random.sample(self.known, self.size)
        headers = dict(self.served.headers)
        requests = [companies.tagging(each, random, headers, keyed=self.keyed) for each in asked]
        driven = await drive(self.served.port, requests, connections=CONNECTIONS)
        if self.publishes:
            self.backlogs.append(await companies.backlog(self.database))
            self.drains.append(await companies.drained(self.database))
        companies.took(asked, driven)
        self.driven.append(driven)
        return driven.rate

    async def right(self, topic: str) -> None:
        """What was acknowledged is in the store and on the topic, and nothing waits any more.

        :raises Wrong: when it is not so.
        """
        await companies.drained(self.database)
        await companies.written(self.database, self.known)
        await companies.published(self.bench, topic, self.known)

    def left(self) -> str:
        """What was not yet published when the clocks stopped."""
        return (
            f"when the clock stopped, {statistics.median(self.backlogs):,.0f} of {self.size:,} events waited in "
            f"outboxes (at most {max(self.backlogs):,}); they were gone {max(self.drains):.1f} s later at the latest"
        )

    def milliseconds(self, share: float) -> float:
        """Latency at a percentile, of all rounds that count."""
        return milliseconds(self.driven[-self.bench.turns :], share)


async def floor_of(bench: Bench, database: AsyncDatabase[Document], size: int) -> Floor:
    """A floor that writes what the platform wrote last."""
    written = await database["companies"].find_one({"receipts": {"$size": 1}})
    assert written is not None
    written["outbox"] = written["outbox"] or _events(database)
    floor = Floor(database, written)
    await floor.fill(size)
    return floor


def _events(database: AsyncDatabase[Document]) -> list[Document]:
    """The events of a command as the outbox held them before they were published: what happened, and who did it."""
    headers = dict.fromkeys(
        ("ce_id", "ce_subject", "ce_correlationid", "ce_causationid", "ce_type", "ce_source", "ce_time"), "0" * 36
    )
    id = "0" * 36
    bodies = (
        {"company_id": id, "tags": ["apprentices-123456", "fair-2026-123456"]},
        {"entry": id, "kind": "company", "thing": id, "about": id, "by": id, "happened": ["company-tagged"]},
    )
    return [
        {
            "topic": database.name,
            "sequence": sequence,
            "headers": headers | {"ce_traceparent": "0" * 55},
            "body": json.dumps(body),
        }
        for sequence, body in enumerate(bodies, 2)
    ]


async def round_of_floor(floor: Floor) -> float:
    """Guarded updates a second, with as many under way as there are connections."""
    ids = list(floor.versions)
    return await at_once(len(ids), lambda number: floor.update(ids[number]), workers=CONNECTIONS)


async def compared(
    bench: Bench, *, companies_count: int, size: int, keyed: bool = True, **settings: str
) -> tuple[Compared, Commands]:
    """Commands against the floor, with so many companies in the store."""
    async with bench.database() as database, bench.topic() as topic:
        known = await companies.fill(bench, database, companies_count)
        async with serving(bench, "tests.bench.served", database=database.name, topic=topic, **settings) as served:
            commands = Commands(bench, served, database, known, size, keyed)
            await commands.round()
            floor = await floor_of(bench, database, size)
            found = await bench.compare(commands.round, partial(round_of_floor, floor))
            await commands.right(topic)
        await _remembered(database, len(commands.driven) * size if keyed else 0)
    return found, commands


async def _remembered(database: AsyncDatabase[Document], keys: int) -> None:
    """A service that was stopped has written down each key's answer."""
    found = await database["answers"].count_documents({})
    check(found == keys, f"{found} answers are remembered, of {keys} keys")


async def beside_a_route_by_hand(bench: Bench, *, size: int) -> tuple[Compared, Compared]:
    """The same through a route without the kit, against the floor; and commands against that route."""
    async with bench.database() as database, bench.database() as bare, bench.topic() as topic:
        known = await companies.fill(bench, database, 2 * size)
        by_hand = await companies.fill(bench, bare, 2 * size)
        async with (
            serving(bench, "tests.bench.served", database=database.name, topic=topic) as served,
            serving(bench, "tests.bench.bare", database=bare.name) as plain,
        ):
            kit = Commands(bench, served, database, known, size)
            hand = Commands(bench, plain, bare, by_hand, size, publishes=False)
            await kit.round()
            floor = await floor_of(bench, database, size)
            reachable = await bench.compare(hand.round, partial(round_of_floor, floor))
            beside = await bench.compare(kit.round, hand.round)
            await kit.right(topic)
            await companies.written(bare, by_hand)
    return reachable, beside


async def run(bench: Bench) -> list[Row]:
    size = bench.size(2_000, 60)
    found, commands = await compared(bench, companies_count=2 * size, size=size)
    check(len(commands.driven) > bench.runs * bench.rounds, "a round is missing")
    without, unkeyed = await compared(bench, companies_count=2 * size, size=size, keyed=False)
    reachable, beside = await beside_a_route_by_hand(bench, size=bench.size(1_500, 40))
    return [
        _row(f"durable commands/s with a key, {CONNECTIONS} connections, distinct aggregates", found, commands),
        _row("the same without a key, guarded by If-Match alone", without, unkeyed),
        _beside("how much is within reach: a route by hand, FastAPI and the guarded update alone", reachable),
        _beside("commands/s with a key; floor: that route by hand", beside),
    ]


async def profile(bench: Bench) -> str:
    """Where the time of a command with a key goes."""
    size = bench.size(2_000, 60)
    async with bench.database() as database, bench.topic() as topic:
        known = await companies.fill(bench, database, 2 * size)
        async with serving(bench, "tests.bench.served", database=database.name, topic=topic) as served:
            commands = Commands(bench, served, database, known, size)
            told = await profiled(bench, served, Load(commands.round, size))
            await commands.right(topic)
    return told


def _beside(what: str, found: Compared) -> Row:
    measure, floor, ratio = f"{found.measure:,.0f}/s", f"{found.floor:,.0f}/s", f"{found.ratio:.0%}"
    return Row("B1", what, measure, floor, ratio, spread=found.spread)


def _row(what: str, found: Compared, commands: Commands) -> Row:
    p50, p99 = commands.milliseconds(0.5), commands.milliseconds(0.99)
    return Row(
        "B1",
        what,
        f"{found.measure:,.0f}/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms",
        f"{found.floor:,.0f}/s",
        f"{found.ratio:.0%}",
        f"{GOAL:.0%}",
        found.ratio >= GOAL,
        found.spread,
        (f"{what}: {commands.left()}",),
    )
