"""B5: what tracing and metrics cost, on the commands of B1; and whether the whole trace of every error is kept.

The measure exports all traces, as it is shipped, to a collector of the benchmark's own; beside it a tenth of them. The
floor is the same service with neither: no instrumentation of requests, store and relay, and metrics that are not
counted. Failing requests, which ask the store before they fail, are sent while the commands are at full load.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from math import sqrt
from typing import Any

from tests.bench import b1_commands, companies
from tests.bench.b1_commands import Commands
from tests.bench.bench import Bench, Compared, Row, check
from tests.bench.load import drive, request
from tests.bench.serving import Served, serving

COST_MAX = 0.15
EXPORT_SECONDS = 20
FAILING_AT_ONCE = 4
BATCH = 20
DEVIATIONS = 5
"""Chance decides which traces are exported: so many standard deviations away are no chance."""

Span = dict[str, Any]


async def profile(bench: Bench) -> str:
    """B1's: what ``opentelemetry`` and ``prometheus_client`` have of it is what is measured here."""
    return await b1_commands.profile(bench)


async def run(bench: Bench) -> list[Row]:
    size = bench.size(1_500, 40)
    async with _commands(bench, size, BENCH_TELEMETRY="false") as without:
        async with _commands(bench, size) as every:
            of_all = await bench.compare(every.round, without.round)
            kept_of_all = await errors_kept(bench, every)
            arrived = commands_traced(every.served)
        async with _commands(bench, size, TRACES_RATIO="0.1") as some:
            found = await bench.compare(some.round, without.round)
            kept = await errors_kept(bench, some)
    sent = len(every.driven) * size
    return [
        _row(
            "all traces, as shipped",
            of_all,
            f"all traces: those of {arrived:,} of {sent:,} commands arrived; whole traces of {kept_of_all} failed "
            "requests under full load, of as many",
        ),
        _row("a tenth of the traces, and every error's", found, f"a tenth: whole traces of {kept}, of as many"),
    ]


@asynccontextmanager
async def _commands(bench: Bench, size: int, **settings: str) -> AsyncGenerator[Commands]:
    """A service with a database of its own; what was acknowledged is looked for in it at the end, and on the topic."""
    async with bench.database() as database, bench.topic() as topic:
        known = await companies.fill(bench, database, 2 * size)
        async with serving(bench, "tests.bench.served", database=database.name, topic=topic, **settings) as served:
            commands = Commands(bench, served, database, known, size)
            yield commands
            await commands.right(topic)


async def errors_kept(bench: Bench, commands: Commands) -> int:
    """How many failed requests' traces were exported whole, of requests that failed while the commands were at full
    load, whatever their callers say of sampling.

    :raises Wrong: when one was not, or when of those without an error many more than the share were.
    """
    random, served = bench.random("traces"), commands.served
    failed: dict[str, str] = {}
    good: list[str] = []
    load = asyncio.create_task(commands.round())
    while not load.done() or not failed:
        requests: list[bytes] = []
        for number in range(BATCH):
            trace, caller = f"{random.getrandbits(128):032x}", f"{random.getrandbits(64):016x}"
            fails, sampled = number % 2 == 0, number % 4 == 0
            path = "/fails" if fails else f"/companies/{commands.known[0].id}"
            traced = {"traceparent": f"00-{trace}-{caller}-{'01' if sampled else '00'}"}
            requests.append(request("GET", path, {**served.headers, **traced}))
            if fails:
                failed[trace] = caller
            else:
                good.append(trace)
        driven = await drive(served.port, requests, connections=FAILING_AT_ONCE)
        check(driven.statuses() == {500: BATCH // 2, 200: BATCH // 2}, f"failing and good: {driven.statuses()}")
    await load
    lost: Sequence[str] = ()
    for _ in range(EXPORT_SECONDS * 2):
        traces = _traces(served)
        lost = [trace for trace, caller in failed.items() if not whole(traces.get(trace, ()), caller)]
        if not lost:
            break
        await asyncio.sleep(0.5)
    check(not lost, f"{len(lost)} of {len(failed)} errors under load have no whole trace, such as {lost[:3]}")
    share = float(served.environment["TRACES_RATIO"])
    exported = len(_traces(served).keys() & set(good))
    chance = DEVIATIONS * sqrt(len(good) * share * (1 - share))
    check(exported <= len(good) * share + chance, f"of {len(good)} traces without an error {exported} were exported")
    return len(failed)


def whole(spans: Sequence[Span], caller: str) -> bool:
    """Whether a failed request's trace is there: the request with its error, the call to the store, and all between."""
    ids = {span["id"] for span in spans} | {caller}
    requests = [span for span in spans if span.get("kind") == "SERVER" and span.get("parentId") == caller]
    stores = [span for span in spans if span.get("kind") == "CLIENT"]
    return (
        len(requests) == 1
        and "error" in requests[0].get("tags", {})
        and bool(stores)
        and all(span.get("parentId") in ids for span in spans)
    )


def _traces(served: Served) -> Mapping[str, Sequence[Span]]:
    traces: dict[str, list[Span]] = defaultdict(list)
    for span in served.collector.spans():
        traces[span["traceId"]].append(span)
    return traces


def commands_traced(served: Served) -> int:
    """Commands whose request's span was exported."""
    return sum(
        span.get("kind") == "SERVER" and span.get("tags", {}).get("http.request.method") == "PATCH"
        for span in served.collector.spans()
    )


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
