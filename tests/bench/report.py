"""The page that a run leaves behind: ``docs/benchmarks.md``. Each benchmark's explanation is a file in ``notes/``."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from deploy.local.stack import ROOT
from tests.bench.bench import REPEATABLE, Bench, Document, Row
from tests.commit import current_commit

EMBEDDED = "embedded server (mongo-java-server on H2), commits before it answers"
NOTES = Path(__file__).parent / "notes"
PROFILES = ROOT / "docs" / "profiles"
HEAD = (
    "| | what | measure | floor | ratio | goal | met | spread | commit |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def line(row: Row, commit: str = "") -> str:
    """A row of the table, and the commit that it was measured at."""
    met = {True: "yes", False: "**no**", None: "-"}[row.met]
    cells = [row.code, row.what, row.measure, row.floor, row.ratio, row.goal, met, _spread(row.spread), commit]
    return "| " + " | ".join(cell or "-" for cell in cells) + " |"


def _spread(spread: float | None) -> str:
    if spread is None:
        return "-"
    return f"{spread:.0%}" if spread <= REPEATABLE else f"{spread:.0%}: **not repeatable**"


def remember(file: Path, ran: Mapping[str, Sequence[Row]], about: Mapping[str, str]) -> dict[str, Any]:
    """All that was measured, this time and before: a run of some benchmarks leaves the others' rows as they were."""
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for code, rows in ran.items():
        kept[code] = {"about": dict(about), "rows": [asdict(row) for row in rows]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=1))
    return kept


def page(kept: Mapping[str, Any], commit: str) -> str:
    """The whole page, as of a run at ``commit``: rows that were measured at another are told by it."""
    parts = [(NOTES / "head.md").read_text().strip()]
    order = sorted(kept, key=lambda code: int(code[1:]))
    taken = {code: _of_commit(kept[code]["about"].get("commit", "unknown"), commit) for code in order}
    parts.append("\n".join([HEAD, *(line(Row(**row), taken[code]) for code in order for row in kept[code]["rows"])]))
    if older := [code for code in order if taken[code] != commit]:
        parts.append(f"**Measured at another commit than the last run's ({commit}): {', '.join(older)}.**")
    parts.append("\n".join(_machines(kept, order)))
    for code in order:
        note = NOTES / f"{code.lower()}.md"
        remarks = [remark for row in kept[code]["rows"] for remark in row["remarks"]]
        said = [note.read_text().strip()] if note.exists() else []
        said += ["\n".join(["In this run:", "", *(f"- {remark}" for remark in remarks)])] if remarks else []
        if (PROFILES / note.name).exists():
            said.append(f"Where the time goes: [profile of {code}](profiles/{note.name}).")
        if said:
            parts.append("\n\n".join([f"## {code}", *said]))
    return "\n\n".join(parts) + "\n"


def profile(code: str, about: Mapping[str, str], tables: str) -> str:
    """A page of where the time goes."""
    taken = "; ".join(f"{name}: {told}" for name, told in about.items())
    made = f"Made by `make bench PROFILE=1 ONLY={code}`. {taken}."
    return "\n\n".join([f"# {code}: where the time goes", made, tables]) + "\n"


def _of_commit(measured: str, now: str) -> str:
    return measured if measured == now else f"**{measured}**"


def _machines(kept: Mapping[str, Any], order: Sequence[str]) -> list[str]:
    """What the figures were taken on; benchmarks of one run share their lines."""
    by_machine: dict[str, list[str]] = {}
    for code in order:
        said = "; ".join(f"{name}: {value}" for name, value in kept[code]["about"].items())
        by_machine.setdefault(said, []).append(code)
    return [f"- {', '.join(codes)}: {said}." for said, codes in by_machine.items()]


async def machine(bench: Bench) -> dict[str, str]:
    """What the figures depend on, besides the code."""
    async with AsyncMongoClient[Document](bench.mongo_uri) as client:
        try:
            told: Document = await client.admin.command("buildInfo")
            store = f"MongoDB {told['version']}"
        except OperationFailure:  # which the embedded server does not know
            store = EMBEDDED
    return {
        "commit": current_commit(),
        "taken": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cores": f"{os.cpu_count()} ({_processor()})",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "Python": platform.python_version(),
        "Kafka": "4.3.1, one node" if store == EMBEDDED else "as given",
        "store": store,
        "seed": str(bench.seed),
        "runs": f"{bench.runs} of {bench.rounds} rounds" + (", quick" if bench.quick else ""),
    }


def _processor() -> str:
    for each in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if each.startswith("model name"):
            return each.partition(":")[2].strip()
    return platform.machine()
