"""The kit's clocks, ids and chance, while a simulation runs: all of them follow from the loop and the seed.

The kit is not told. Wherever one of its modules says ``datetime``, ``time`` or ``uuid4``, it finds what is here.
"""

import asyncio
import random
import sys
import time
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from random import Random
from types import SimpleNamespace
from typing import Any

from tests.simulation.loop import RUNNING_IN, Loop

EPOCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


def now() -> datetime:
    """What the wall clock of whoever asks shows."""
    process = RUNNING_IN.get()
    return EPOCH + timedelta(seconds=asyncio.get_running_loop().time() + (process.ahead if process else 0))


class _AnyDatetime(type(datetime)):  # pyright: ignore[reportUntypedBaseClass, reportGeneralTypeIssues]
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class SimulatedDatetime(datetime, metaclass=_AnyDatetime):
    """``datetime`` to the kit; what it makes are plain ones."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return now().astimezone(tz) if tz is not UTC else now()


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


@contextmanager
def simulated(loop: Loop, seed: int | str, more: Mapping[Any, Any] | None = None) -> Generator[None]:
    """Give the kit the loop's clock and the seed's chance, and take them back; and ``more`` in the place of others."""
    ids = Random(f"{seed} ids")
    theirs: dict[int, Any] = {
        id(datetime): SimulatedDatetime,
        id(time): SimpleNamespace(monotonic=_monotonic, time=lambda: now().timestamp(), perf_counter=_monotonic),
        id(time.monotonic): _monotonic,
        id(uuid.uuid4): lambda: uuid.UUID(int=ids.getrandbits(128), version=4),
    }
    theirs |= {id(real): instead for real, instead in (more or {}).items()}
    changed: list[tuple[Any, str, Any]] = []
    for name, module in list(sys.modules.items()):
        if name.startswith("tyrsky."):
            for attribute, value in list(vars(module).items()):
                if id(value) in theirs:
                    changed.append((module, attribute, value))
    chance = random.getstate()
    random.seed(f"{seed} chance")
    try:
        for module, attribute, value in changed:
            setattr(module, attribute, theirs[id(value)])
        yield
    finally:
        for module, attribute, value in changed:
            setattr(module, attribute, value)
        random.setstate(chance)
