"""B8: what a service has in memory, idle and under load, and how long it takes to start.

The measure is the example service, whole: requests, commands, relay, a policy and a read model, tracing. The floor is
FastAPI alone with one route. Both are real processes; memory is what is theirs alone (USS), under load the most that
was seen while it lasted, and the start goes from the process's making to the first 200 of ``/readyz``. A second floor
has the clients that such a service cannot be without.
"""

import asyncio
import statistics
import sys
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from tests.bench.bench import Bench, Row, check
from tests.bench.load import drive, request
from tests.bench.serving import Served, megabytes, serving

GOAL = 1.5
REST_SECONDS = 4.0
LOOK_SECONDS = 0.2
CONNECTIONS = 32

IMPORTED = (
    *("fastapi", "uvicorn", "pymongo", "aiokafka", "faststream.kafka", "opentelemetry.sdk.trace", "httpx2", "jwt"),
    *("prometheus_client", "tyrsky.service"),
)
IMPORTING = """
import importlib, sys, time, psutil
def used():
    memory = psutil.Process().memory_full_info()
    return getattr(memory, "uss", memory.rss) / 2**20
before, began = used(), time.perf_counter()
importlib.import_module(sys.argv[1])
print(used() - before, time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Figures:
    """Of one process."""

    start_seconds: float
    idle: float
    loaded: float


async def _figures(bench: Bench, served: Served) -> Figures:
    await asyncio.sleep(REST_SECONDS if not bench.quick else 0.5)
    idle = megabytes(served.pid)
    count = bench.size(1_000, 60)
    requests = [
        request("POST", "/companies/rooms", {**served.headers, "Idempotency-Key": str(uuid4())}, {"seats": 50})
        for _ in range(count)
    ]
    sampling = asyncio.create_task(_most(served.pid))
    try:
        driven = await drive(served.port, requests, connections=CONNECTIONS)
    finally:
        sampling.cancel()
    check(driven.statuses() == {201: count}, f"answers were {driven.statuses()}")
    return Figures(served.start_seconds, idle, max(await sampling, megabytes(served.pid)))


async def _most(pid: int) -> float:
    """The most memory that a process has, until it is asked."""
    most = 0.0
    with suppress(asyncio.CancelledError):
        while True:
            most = max(most, await asyncio.to_thread(megabytes, pid))  # the kernel counts pages: some milliseconds
            await asyncio.sleep(LOOK_SECONDS)
    return most


async def platform(bench: Bench) -> Figures:
    """The example service."""
    async with (
        bench.database() as database,
        bench.topic(partitions=3) as topic,
        serving(bench, "tests.load.served", database=database.name, topic=topic) as served,
    ):
        return await _figures(bench, served)


async def bare(bench: Bench, which: str) -> Figures:
    """A floor."""
    async with serving(bench, "", database="bench", bare=f"tests.bench.bare.{which}:app") as served:
        return await _figures(bench, served)


async def profile(bench: Bench) -> str:
    """What importing costs, of each library alone in a process of its own, and of the kit with all of them."""
    rows: list[str] = []
    for name in IMPORTED:
        taken = [await _imported(name) for _ in range(bench.runs)]
        used, seconds = (statistics.median(each[which] for each in taken) for which in range(2))
        rows.append(f"| `{name}` | {used:.1f} | {seconds * 1000:.0f} |")
    return "\n".join(
        [
            "What is imported, each alone in a process of its own: its memory (USS, beyond Python's and psutil's), and "
            "the time that it takes. What two of them share counts for both.",
            "",
            "| imported | MB | ms |",
            "| --- | --- | --- |",
            *rows,
        ]
    )


async def _imported(name: str) -> tuple[float, float]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", IMPORTING, name), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    check(process.returncode == 0, f"{name} could not be imported")
    used, seconds = told.split()
    return float(used), float(seconds)


async def run(bench: Bench) -> list[Row]:
    taken: list[tuple[Figures, Figures, Figures]] = []
    for _ in range(bench.runs):
        taken.append((await bare(bench, "alone"), await bare(bench, "clients"), await platform(bench)))
    alone, clients, whole = ([turn[which] for turn in taken] for which in range(3))
    rows: list[Row] = []
    for floor_name, floor, goal in (("FastAPI alone", alone, True), ("FastAPI with the clients", clients, False)):
        for name in ("idle", "loaded", "start_seconds"):
            ratios = [getattr(m, name) / getattr(f, name) for m, f in zip(whole, floor, strict=True)]
            ratio = statistics.median(ratios)
            unit = "s" if name == "start_seconds" else "MB"
            what = {"idle": "memory, idle", "loaded": "memory, under load", "start_seconds": "start"}[name]
            rows.append(
                Row(
                    "B8",
                    f"{what}, against {floor_name}",
                    f"{statistics.median(getattr(m, name) for m in whole):.1f} {unit}",
                    f"{statistics.median(getattr(f, name) for f in floor):.1f} {unit}",
                    f"{ratio:.2f}",
                    f"at most {GOAL}" if goal else "",
                    ratio <= GOAL if goal else None,
                    (max(ratios) - min(ratios)) / ratio,
                )
            )
    return rows
