"""B9: the business register, 100,000 made-up companies of the real schema, by ``tyrsky register import``.

The floor parses the same file with the same parser and inserts each record as it is, in the same batches: no entry is
made of it, nothing is searched by, nothing is compared, and nobody could go on after a kill. The import is a process of
its own, as an operator starts it; the floor is a thread of the benchmark's.
"""

import asyncio
import os
import re
import signal
import statistics
import tempfile
import time
import zipfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ijson
from companies import register, resuming
from companies.importing import BATCH, import_register
from companies.testing import business_id, full_record, write_register
from companies.ytj import entry_of
from pymongo import MongoClient
from pymongo.asynchronous.database import AsyncDatabase

from deploy.local.part import program
from tests.bench.bench import Bench, Compared, Document, Row, check
from tests.bench.profiling import Load, profiled

RESIDENT_MB_MAX = 300
LOOK_SECONDS = 0.01
LOOKED_AT = 50


@dataclass(frozen=True)
class Imported:
    """One run of the command."""

    seconds: float
    resident_mb: float
    said: str


async def profile(bench: Bench) -> str:
    """Where the time of a first import goes."""
    async with _file(bench, bench.size(5_000, 1_000)) as (file, count):

        async def once() -> None:
            async with bench.database() as database:
                await asyncio.to_thread(_in_process, bench.mongo_uri, database.name, file)

        return await profiled(bench, None, Load(once, count, "record"))


def _in_process(mongo_uri: str, name: str, file: Path) -> None:
    with MongoClient[Document](mongo_uri) as client, file.open("rb") as opened:
        import_register(opened, client[name][register.COLLECTION])


async def run(bench: Bench) -> list[Row]:
    floors, firsts, agains, resumed = list[float](), list[Imported](), list[Imported](), list[Imported]()
    async with _file(bench, bench.size(100_000, 4_000)) as (file, count):
        for _ in range(bench.runs):
            async with bench.database() as database:
                floors.append(count / await asyncio.to_thread(_floor, bench.mongo_uri, database.name, file, count))
            async with bench.database() as database:
                firsts.append(await _import(bench, database, file, f"{count:,} new"))
                await _check(bench, database, count)
                agains.append(await _import(bench, database, file, f"{count:,} the same: nothing to do"))
            async with bench.database() as database:
                resumed.append(await _killed_and_resumed(bench, database, file, count))
                await _check(bench, database, count)
    first = Compared([count / each.seconds for each in firsts], floors)
    again = Compared([count / each.seconds for each in agains], floors)
    shares = [after.seconds / whole.seconds for after, whole in zip(resumed, firsts, strict=True)]
    resident = [each.resident_mb for each in (*firsts, *agains, *resumed)]
    return [
        _rate(f"records/s into the register, {count:,} new ones", first),
        _rate("the same file again: records/s compared, nothing written", again),
        Row(
            "B9",
            "going on after kill -9 in the middle, to the end",
            f"{statistics.median(each.seconds for each in resumed):.1f} s",
            f"{statistics.median(each.seconds for each in firsts):.1f} s from the beginning",
            f"{statistics.median(shares):.2f}",
            spread=(max(shares) - min(shares)) / statistics.median(shares),
        ),
        Row(
            "B9",
            "most memory (resident) of an import",
            f"{max(resident):.0f} MB",
            goal=f"at most {RESIDENT_MB_MAX} MB",
            met=max(resident) <= RESIDENT_MB_MAX,
        ),
    ]


def _rate(what: str, compared: Compared) -> Row:
    return Row(
        "B9",
        what,
        f"{compared.measure:,.0f}/s",
        f"{compared.floor:,.0f}/s parsed and inserted",
        f"{compared.ratio:.0%}",
        spread=compared.spread,
    )


@asynccontextmanager
async def _file(bench: Bench, count: int) -> AsyncGenerator[tuple[Path, int]]:
    with tempfile.TemporaryDirectory(prefix="tyrsky-bench-") as folder:
        file = Path(folder) / "all_companies.zip"
        await asyncio.to_thread(write_register, file, count, seed=bench.seed)
        yield file, count


def _floor(mongo_uri: str, name: str, file: Path, count: int) -> float:
    """Seconds to parse the file and insert every record."""
    began = time.perf_counter()
    with MongoClient[Document](mongo_uri, w="majority") as client, zipfile.ZipFile(file) as archive:
        collection, batch = client[name]["floor"], list[Any]()
        with archive.open(archive.namelist()[0]) as opened:
            for record in ijson.items(opened, "item", use_float=True):
                batch.append({"_id": record["businessId"]["value"], **record})
                if len(batch) == BATCH:
                    collection.insert_many(batch, ordered=False)
                    batch.clear()
        if batch:
            collection.insert_many(batch, ordered=False)
        seconds = time.perf_counter() - began
        check(collection.count_documents({}) == count, "the floor has not inserted every record")
    return seconds


async def _start(bench: Bench, database: AsyncDatabase[Document], file: Path) -> asyncio.subprocess.Process:
    environment = {**os.environ, "MONGO_URI": bench.mongo_uri, "MONGO_DATABASE": database.name}
    return await asyncio.create_subprocess_exec(
        *(program("tyrsky"), "register", "import", str(file), "--everything"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def _import(bench: Bench, database: AsyncDatabase[Document], file: Path, expected: str) -> Imported:
    began = time.perf_counter()
    process = await _start(bench, database, file)
    most, saying = 0.0, asyncio.create_task(process.communicate())
    while not saying.done():
        most = max(most, _resident_mb(process.pid))
        await asyncio.sleep(LOOK_SECONDS)
    said = (await saying)[0].decode()
    check(process.returncode == 0 and expected in said, f"an import ended with {process.returncode}: {said[-300:]}")
    return Imported(time.perf_counter() - began, most, said)


async def _killed_and_resumed(bench: Bench, database: AsyncDatabase[Document], file: Path, count: int) -> Imported:
    process = await _start(bench, database, file)
    imports = database[resuming.COLLECTION]
    while process.returncode is None:
        standing = await imports.find_one({}, {"records": 1})
        if standing is not None and standing["records"] >= count // 2:
            break
        await asyncio.sleep(LOOK_SECONDS)
    if process.returncode is None:
        process.kill()
    await process.communicate()
    check(process.returncode == -signal.SIGKILL, "the import that was to be killed ended by itself")
    after = await _import(bench, database, file, f"{count:,} new")
    found = re.search(r"went on after record ([0-9,]+)", after.said)
    check(found is not None and int(found[1].replace(",", "")) >= count // 2, "it did not go on where it was killed")
    return after


async def _check(bench: Bench, database: AsyncDatabase[Document], count: int) -> None:
    """All companies are there, and those that are looked at are as they are to be."""
    stored = database[register.COLLECTION]
    check(await stored.count_documents({}) == count, "not every company is in the register")
    for number in range(0, count, max(1, count // LOOKED_AT)):
        wanted = register.document(entry_of(full_record(number, bench.seed)))
        found = await stored.find_one({"_id": business_id(number)})
        check(found == {**wanted, "search_keys": list(wanted["search_keys"])}, "a company is not as it is to be")


def _resident_mb(pid: int) -> float:
    """The most memory that a process has had; none when it has gone."""
    try:
        told = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+([0-9]+) kB", told, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
