"""``python -m tests.bench [--only B1,B3] [--quick] [--report docs/benchmarks.md]``: measure, print, and write the page.

``--profile docs/profiles`` does not measure how fast it is, but where the time goes.

Kafka and a store are started for the run alone, and nothing else, so that the machine is quiet. ``--mongo-uri`` and
``--kafka-bootstrap`` name others to measure, a cluster of yours, say; the environment does not, since what a shell has
there may be of something dear.
"""

import importlib
import shutil
import socket
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console

from deploy.local import kafka, launch, mongo
from deploy.local.stack import HOST, PORTS, ROOT, Stack
from deploy.local.supervising import Supervisor
from tests.bench import report
from tests.bench.bench import Bench, Row, Wrong

BENCHMARKS = {
    "B1": "b1_commands",
    "B2": "b2_hot",
    "B3": "b3_relay",
    "B4": "b4_consumer",
    "B5": "b5_telemetry",
    "B6": "b6_reads",
    "B7": "b7_growth",
    "B8": "b8_memory",
    "B9": "b9_register",
}
"""Each a module of this package with ``async def run(bench: Bench) -> list[Row]``, and ``profile(bench) -> str``."""

HEAP_MB = "2000"
"""Of the store: it takes all of a collection to sort a list, and B7 has 100,000 companies."""

MEASURED = ROOT / ".local-bench" / "measured.json"

console = Console(highlight=False, soft_wrap=True)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    only: Annotated[str, typer.Option(help="Some of them: B1,B3.")] = "",
    rounds: Annotated[int, typer.Option(help="Turns of measure and floor in a run.")] = 3,
    runs: Annotated[int, typer.Option(help="Runs, of which the spread is told.")] = 3,
    seed: Annotated[int, typer.Option(help="What chance begins with.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Small and short: whether it works, not how fast.")] = False,
    page: Annotated[Path | None, typer.Option("--report", help="The page to write.")] = None,
    profile: Annotated[Path | None, typer.Option(help="A folder for where the time goes, instead of how fast.")] = None,
    mongo_uri: Annotated[str, typer.Option(help="A store to measure; with --kafka-bootstrap.")] = "",
    kafka_bootstrap: Annotated[str, typer.Option(help="A Kafka to measure; with --mongo-uri.")] = "",
) -> None:
    """Measure; the exit code tells of wrong results alone."""
    codes = [code.strip().upper() for code in only.split(",") if code.strip()] or list(BENCHMARKS)
    if unknown := sorted(set(codes) - set(BENCHMARKS)):
        raise typer.BadParameter(f"there is no {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    if quick:
        rounds = runs = 1
    with parts(mongo_uri, kafka_bootstrap) as (store, bootstrap):
        bench = Bench(store, bootstrap, seed, rounds, runs, quick)
        wrong = uvloop.run(_all(bench, codes, page) if profile is None else _profiles(bench, codes, profile))
    raise typer.Exit(1 if wrong else 0)


async def _all(bench: Bench, codes: Sequence[str], page: Path | None) -> bool:
    about = await report.machine(bench)
    console.print("; ".join(f"{name}: {value}" for name, value in about.items()), report.HEAD, sep="\n")
    ran: dict[str, list[Row]] = {}
    wrong = False
    for code in codes:
        try:
            ran[code] = await _module(code).run(bench)
        except Wrong as error:
            wrong = True
            ran[code] = [Row(code, f"**wrong result**: {error}", "", met=False)]
        for row in ran[code]:
            console.print(report.line(row), markup=False)
            for remark in row.remarks:
                console.print(f"    {remark}", markup=False)
        if page is not None:  # after each: a run that is cut short leaves what it had
            page.write_text(report.page(report.remember(MEASURED, ran, about), about["commit"]))
    return wrong


async def _profiles(bench: Bench, codes: Sequence[str], folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    for code in codes:
        told = report.profile(code, await report.machine(bench), await _module(code).profile(bench))
        console.print(told, markup=False)
        (folder / f"{code.lower()}.md").write_text(told)
    return False  # what is wrong is raised


def _module(code: str) -> Any:
    return importlib.import_module(f"tests.bench.{BENCHMARKS[code]}")


@contextmanager
def parts(mongo_uri: str = "", bootstrap: str = "") -> Generator[tuple[str, str]]:
    """Where the store and Kafka are: as was said, or started here and stopped again."""
    if bool(mongo_uri) != bool(bootstrap):
        raise typer.BadParameter("--mongo-uri and --kafka-bootstrap go together: both, or neither")
    if mongo_uri:
        yield mongo_uri, bootstrap
        return
    folder = Path(tempfile.mkdtemp(prefix="tyrsky-bench-"))
    stack = Stack("test", folder, _free_ports())
    supervisor = Supervisor(stack)
    began = time.monotonic()
    try:
        launch.start(stack, [kafka.part(stack), mongo.part(stack, heap_mb=HEAP_MB)], supervisor, console)
        console.print(f"Kafka and the store answer after {time.monotonic() - began:.0f} s.")
        yield stack.mongo_uri, stack.address("kafka")
    finally:
        supervisor.shut_down()
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports() -> dict[str, int]:
    probes = {name: socket.socket() for name in PORTS}
    try:
        for probe in probes.values():
            probe.bind((HOST, 0))
        return {name: probe.getsockname()[1] for name, probe in probes.items()}
    finally:
        for probe in probes.values():
            probe.close()


if __name__ == "__main__":
    app()
