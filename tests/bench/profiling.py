"""Where the time goes: of each benchmark, by ``python -m tests.bench --profile FOLDER``.

The benchmark's load is on the service twice, for some seconds each: while nobody looks, to count the processors' time
of all processes, and while py-spy looks at the service's stack again and again. It may where the system lets it: on
Linux as root, or with ``kernel.yama.ptrace_scope`` 0. Where the kit runs in the benchmark's own process, that is the
one that is looked at.
"""

import asyncio
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from deploy.local.part import program
from deploy.local.stack import ROOT
from tests.bench.bench import Bench
from tests.bench.serving import Served

SECONDS, SECONDS_QUICK = 20, 2
LOOKS_A_SECOND = 200
OWN_LEAST = 0.005
"""Who has less of the time is not told of."""

INSTALLED = "/site-packages/"
LIBRARY = re.compile(r"/lib/python3\.\d+/(\w+)")


@dataclass(frozen=True)
class Load:
    """What is done again and again, and how many of ``what`` it is each time."""

    once: Callable[[], Awaitable[object]]
    count: int
    what: str = "request"


async def profiled(bench: Bench, served: Served | None, load: Load) -> str:
    """Where the time goes of the service, or of the kit in this process, under this load, as tables."""
    seconds = bench.size(SECONDS, SECONDS_QUICK)
    looked_at = {"the service": served.pid, "the load": os.getpid()} if served else {"this process": os.getpid()}
    await load.once()
    used = await _processors_time(bench, looked_at, load, seconds)
    stacks = await _stacks(next(iter(looked_at.values())), load, seconds)
    return f"{_processes(used, load.what)}\n\n{table(stacks, next(iter(looked_at)))}"


async def _processors_time(bench: Bench, ours: Mapping[str, int], load: Load, seconds: float) -> dict[str, float]:
    """Milliseconds that each process computed for one request. Parts on other machines are not known, nor are processes
    that come and go with the load."""
    addresses = {"the store": urlsplit(bench.mongo_uri).netloc, "Kafka": bench.bootstrap}
    parts = {**ours, **{name: pid for name, address in addresses.items() if (pid := _listener(address))}}
    before, began, done = {name: _computed(pid) for name, pid in parts.items()}, time.monotonic(), 0
    while time.monotonic() - began < seconds:
        await load.once()
        done += load.count
    return {name: (_computed(pid) - before[name]) / done * 1000 for name, pid in parts.items()}


def _computed(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return used.user + used.system


def _listener(address: str) -> int | None:
    """The process here that listens at an address."""
    port = address.rpartition(":")[2]
    for each in psutil.net_connections("tcp"):
        if each.status == psutil.CONN_LISTEN and each.laddr and str(each.laddr.port) == port:
            return each.pid
    return None


async def _stacks(pid: int, load: Load, seconds: float) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stacks"
        looks = ["--rate", str(LOOKS_A_SECOND), "--duration", str(int(seconds))]
        shape = ["--format", "raw", "--full-filenames", "--output", str(file)]
        spy = await asyncio.create_subprocess_exec(
            *(program("py-spy"), "record", "--pid", str(pid), *looks, *shape),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        said = asyncio.create_task(spy.communicate())
        while not said.done():
            await load.once()
        if spy.returncode:
            raise PermissionError((await said)[1].decode())
        return file.read_text()


def shares(stacks: str) -> dict[str, tuple[float, float]]:
    """Of each module of ours and each library the share of the time that is its own, and that with what it calls.

    ``stacks`` is a line for each: the frames from the outermost on, and how often it was seen."""
    own, whole = Counter[str](), Counter[str]()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        places = [_place(frame) for frame in stack.split(";")]
        own[places[-1]] += int(count)
        for place in set(places):
            whole[place] += int(count)
    looks = own.total()
    return {place: (own[place] / looks, seen / looks) for place, seen in whole.items()}


def _place(frame: str) -> str:
    """The module of ours, or the library, out of ``function (file:line)``."""
    file = frame.rpartition(" (")[2].rpartition(":")[0]
    if INSTALLED in file:
        return file.rpartition(INSTALLED)[2].partition("/")[0].removesuffix(".py")
    path = Path(file)
    if ROOT not in path.parents:
        library = LIBRARY.search(file)
        return f"Python's {library[1] if library else 'own'}"
    names = [path.stem]
    while (path.parent / "__init__.py").exists():
        path = path.parent
        names.insert(0, path.name)
    return ".".join(names)


def table(stacks: str, process: str) -> str:
    """The shares of a process that count, the largest first."""
    found = shares(stacks)
    told = {place: each for place, each in found.items() if each[0] >= OWN_LEAST}
    kit = sum(own for place, (own, _) in found.items() if place.startswith("tyrsky"))
    rest = sum(own for place, (own, _) in found.items() if place not in told)
    rows = sorted(told.items(), key=lambda each: each[1], reverse=True)
    return "\n".join(
        [
            f"Shares of the time in which {process} computed, of each module of ours and each library: what is its "
            "own, and that with what it calls. What is written in C counts as its caller's own.",
            "",
            "| where | own | with what it calls |",
            "| --- | --- | --- |",
            *(f"| {place} | {own:.1%} | {whole:.1%} |" for place, (own, whole) in rows),
            f"| all others | {rest:.1%} | - |",
            "",
            f"All modules of the kit (`tyrsky`) have {kit:.1%} of their own.",
        ]
    )


def _processes(used: Mapping[str, float], what: str) -> str:
    rows = [f"| {name} | {milliseconds:.2f} |" for name, milliseconds in used.items()]
    head = [f"Processors' time of one {what}, while no profiler looks:", "", "| of | ms |", "| --- | --- |"]
    return "\n".join([*head, *rows, f"| together | {sum(used.values()):.2f} |"])
