"""The rig's hands in a service's process: what ``launched`` is to do there, and what it says that it did."""

import asyncio
import itertools
import json
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx2
import psutil

from tests.faults.control import Happened, Wanted
from tests.faults.rig import Rig

TOLD_SECONDS = 30
LOOK_SECONDS = 0.05

_numbers = itertools.count(int(time.time()))


class NotDone(Exception):  # noqa: N818 - it reads as it is meant
    """The fault did not take place, so the run proves nothing of it."""


def control_file(folder: Path, instance: str) -> Path:
    """Where an instance is told what to do; ``folder`` is the stack's."""
    return folder / "control" / f"{instance}.json"


def want(rig: Rig, instance: str, **wanted: Any) -> int:
    """Say what an instance is to do from now on, in place of all that was said before; the wish's number."""
    number = next(_numbers)
    file = control_file(rig.stack.folder, instance)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".draft")
    new.write_text(json.dumps({"number": number, **wanted}))
    new.replace(file)
    return number


def told(rig: Rig, instance: str) -> Happened | None:
    """What an instance says that it did."""
    try:
        said: Any = json.loads(control_file(rig.stack.folder, instance).with_suffix(".told").read_text())
    except (FileNotFoundError, ValueError):
        return None
    wanted = Wanted(**said.pop("wanted"))
    return Happened(**said, wanted=wanted)


async def obey(rig: Rig, instance: str, **wanted: Any) -> int:
    """Say what an instance is to do, and wait until it says that this holds; the wish's number. Raises NotDone."""
    number = want(rig, instance, **wanted)
    until = time.monotonic() + TOLD_SECONDS
    while time.monotonic() < until:
        happened = told(rig, instance)
        if happened and happened.number == number and happened.pid == await rig.pid(instance):
            return number
        await asyncio.sleep(LOOK_SECONDS)
    raise NotDone(f"{instance} did not do {wanted} within {TOLD_SECONDS} s")


async def stopped(rig: Rig, instance: str, number: int, seconds: float = TOLD_SECONDS) -> Happened:
    """Wait until an instance has stopped itself for a wish; what it tells of that. Raises NotDone."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        happened = told(rig, instance)
        if happened and happened.stopped_for == number and is_stopped(happened.pid):
            rig.hurt(instance)
            return happened
        await asyncio.sleep(LOOK_SECONDS)
    raise NotDone(f"{instance} did not stop where it was to within {seconds:.0f} s")


async def died(rig: Rig, instance: str, number: int, seconds: float = TOLD_SECONDS) -> None:
    """Wait until an instance has died for a wish. Raises NotDone."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        happened = told(rig, instance)
        if happened and happened.stopped_for == number and happened.stopped != await rig.pid(instance):
            rig.hurt(instance, ended=happened.stopped)
            return
        await asyncio.sleep(LOOK_SECONDS)
    raise NotDone(f"{instance} did not die where it was to within {seconds:.0f} s")


def is_stopped(pid: int) -> bool:
    """Whether a process stands still."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


async def clock_of(rig: Rig, instance: str) -> float:
    """How many seconds an instance's clock is ahead of ours, by the ``Date`` that its server writes on answers."""
    async with httpx2.AsyncClient(timeout=5) as http:
        answer = await http.get(f"http://{rig.stack.address(instance)}/livez")
    return parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()
