"""``python -m tests.load [--minutes 10] [--report docs/load.md]``: load and limits, each promise with what was seen.

Kafka and a store are started for the run alone; ``--mongo-uri`` and ``--kafka-bootstrap`` name others.
"""

import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psutil
import typer
import uvloop
from rich.console import Console

from tests.bench.__main__ import parts
from tests.bench.bench import Bench
from tests.commit import current_commit
from tests.load import overload, slow, soak, streams
from tests.load.findings import Findings
from tests.load.running import Running, running

DOORS = ("service", "gateway")
PAGE = Path(__file__).parent / "page.md"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False, soft_wrap=True)


@app.command()
def main(
    minutes: Annotated[float, typer.Option(help="How long the soak is; the rest takes some twenty-two minutes.")] = 10,
    only: Annotated[str, typer.Option(help="Some of it: overload,slow,soak.")] = "overload,slow,soak",
    page: Annotated[Path | None, typer.Option("--report", help="The page to write.")] = None,
    mongo_uri: Annotated[str, typer.Option(help="A store to use; with --kafka-bootstrap.")] = "",
    kafka_bootstrap: Annotated[str, typer.Option(help="A Kafka to use; with --mongo-uri.")] = "",
) -> None:
    """Load the platform, and say what held."""
    with parts(mongo_uri, kafka_bootstrap) as (store, bootstrap):
        found = uvloop.run(_all(Bench(store, bootstrap), minutes, only.split(",")))
    broken = [each for findings in found for each in findings.broken()]
    if page is not None:
        page.write_text(written(found, broken))
    for each in broken:
        console.print(f"NOT HELD: {each}", markup=False)
    raise typer.Exit(1 if broken else 0)


async def _all(bench: Bench, minutes: float, which: list[str]) -> list[Findings]:
    found: list[Findings] = []
    async with running(bench) as place:
        await place.warm()
        async for findings in _scenarios(place, minutes, which):
            console.print(findings.section() + "\n", markup=False)
            found.append(findings)
    return found


async def _scenarios(place: Running, minutes: float, which: list[str]) -> AsyncGenerator[Findings]:
    if "overload" in which:
        for door in DOORS:
            yield await overload.overload(place, door, seconds=20)
            yield await overload.greedy(place, door, seconds=15)
    if "slow" in which:
        for door in DOORS:
            yield await slow.slow_heads(place, door, seconds=10, count=200, wait=True)
            yield await slow.slow_bodies(place, door, seconds=10, count=200, wait=True)
            yield await slow.slow_readers(place, door, seconds=10, count=100, wait=True)
            yield await slow.silent(place, door, seconds=10, count=500, until=slow.SILENT_SECONDS[door])
            yield await slow.vanished(place, door, seconds=10, count=200, wait=True)
            yield await slow.idle(place, door, seconds=10, count=1_000)
            yield await streams.idle_streams(place, door, seconds=10, count=1_000, wait=True)
    if "soak" in which:
        yield await soak.soak(place, seconds=minutes * 60)


def written(found: list[Findings], broken: list[str]) -> str:
    """The page."""
    head = PAGE.read_text().format(
        commit=current_commit(),
        taken=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        machine=f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GB",
        verdict=f"Not held: {len(broken)}." if broken else "All of it held.",
    )
    return "\n\n".join([head.strip(), *(findings.section() for findings in found)]) + "\n"


if __name__ == "__main__":
    app()
