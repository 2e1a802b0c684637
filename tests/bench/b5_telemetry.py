"""B5: what tracing and metrics cost, on the commands of B1; and whether the trace of every error is kept.

The measure exports a tenth of the traces, and every one with an error, to a collector of the benchmark's own. The floor
is the same service with neither: no instrumentation of requests, store and relay, and metrics that are not counted.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tests.bench import companies
from tests.bench.b1_commands import CONNECTIONS, Commands
from tests.bench.bench import Bench, Compared, Row, check
from tests.bench.load import drive, request
from tests.bench.serving import Served, serving

COST_MAX = 0.15
EXPORT_SECONDS = 20


async def run(bench: Bench) -> list[Row]:
    size = bench.size(1_500, 40)
    failures = bench.size(300, 20)
    async with _commands(bench, size, BENCH_TELEMETRY="false") as without:
        async with _commands(bench, size) as some:
            found = await bench.compare(some.round, without.round)
            kept = await errors_kept(bench, some.served, failures)
        async with _commands(bench, size, TRACES_RATIO="1.0") as every:
            of_all = await bench.compare(every.round, without.round)
    return [
        _row("a tenth of the traces, and every error's", found, f"{kept} of {failures} failed requests' traces kept"),
        _row("all traces", of_all),
    ]


@asynccontextmanager
async def _commands(bench: Bench, size: int, **settings: str) -> AsyncGenerator[Commands]:
    """A service with a database of its own; what was acknowledged is looked for in it at the end."""
    async with bench.database() as database, bench.topic() as topic:
        known = await companies.fill(bench, database, 2 * size)
        async with serving(bench, "tests.bench.served", database=database.name, topic=topic, **settings) as served:
            yield Commands(bench, served, known, size)
            await companies.written(database, known)


async def errors_kept(bench: Bench, served: Served, count: int) -> int:
    """How many traces of failed requests were exported, of requests whose caller had not sampled them.

    :raises Wrong: when one was not, or one without an error was.
    """
    random = bench.random("traces")
    failed, good = ([f"{random.getrandbits(128):032x}" for _ in range(count)] for _ in range(2))
    requests = [
        request("GET", path, {**served.headers, "traceparent": f"00-{trace}-{random.getrandbits(64):016x}-00"})
        for pair in zip(failed, good, strict=True)
        for path, trace in zip(("/fails", "/companies?limit=1"), pair, strict=True)
    ]
    driven = await drive(served.port, requests, connections=CONNECTIONS)
    check(driven.statuses() == {500: count, 200: count}, f"failing and good requests: {driven.statuses()}")
    kept: set[str] = set()
    for _ in range(EXPORT_SECONDS * 5):
        kept = {span["traceId"] for span in served.collector.spans() if "error" in span.get("tags", {})}
        if kept.issuperset(failed):
            break
        await asyncio.sleep(0.2)
    check(kept.issuperset(failed), f"{len(set(failed) - kept)} of {count} errors have no trace")
    every = {span["traceId"] for span in served.collector.spans()}
    check(every.isdisjoint(good), "a trace that nobody sampled, and that has no error, was exported")
    return len(kept.intersection(failed))


def _row(what: str, found: Compared, *remarks: str) -> Row:
    cost = 1 - found.ratio
    return Row(
        "B5",
        f"cost of tracing and metrics on B1: {what}",
        f"{found.measure:,.0f}/s",
        f"{found.floor:,.0f}/s with neither",
        f"{cost:.0%} less",
        f"at most {COST_MAX:.0%}",
        cost <= COST_MAX,
        found.spread,
        remarks,
    )
