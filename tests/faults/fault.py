"""What a fault is, and what came of one. The list of them all is ``faults.py``."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.rig import Rig


@dataclass(frozen=True)
class Outcome:
    """What a fault did, in counts, and what was wrong at once, with ids (the invariants come later). ``times`` is how
    often it took place: it may be less than was planned, and the run is then no success."""

    counts: Mapping[str, int | float | str] = field(default_factory=dict[str, int | float | str])
    wrong: tuple[str, ...] = ()
    times: int = 0


@dataclass(frozen=True)
class Fault:
    """``run(rig, random, amount)`` does it ``amount`` times, under load; ``full`` is how often the issue wants it.

    ``seconds`` is about how long one time takes: the plan of a run divides its minutes by it. ``least`` is the smallest
    amount that means anything. ``kills`` names what it needs to be ours: of an outside cluster it is not run.
    """

    code: str
    name: str
    run: "Callable[[Rig, Random, int], Awaitable[Outcome]]"
    full: int
    seconds: float
    least: int = 1
    kills: frozenset[str] = frozenset()
