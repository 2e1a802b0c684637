"""Which faults fit into the minutes, and how much of each: the same for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.faults.fault import Fault

REST_SECONDS = 25
"""About what one segment takes besides its fault: settling and checking."""


@dataclass(frozen=True)
class Planned:
    """A fault and how much of it; ``amount`` 0 with the reason why it is not run."""

    fault: Fault
    amount: int
    why_not: str = ""


def plan(
    faults: Sequence[Fault],
    *,
    minutes: float,
    random: Random,
    outside: frozenset[str],
    full: bool,
    rest: float = REST_SECONDS,
) -> list[Planned]:
    """Divide the minutes: all faults scaled alike, none below its least. What does not fit is left out by dice.
    ``rest`` is what each takes besides itself."""
    possible = [fault for fault in faults if not fault.kills & outside]
    if not full:
        dice = random.sample(possible, len(possible))
        while dice and _seconds(dice, 0.0, rest) > minutes * 60 and len(dice) > 1:
            dice.pop()
        possible = [fault for fault in possible if fault in dice]
    scale = 1.0 if full else _largest_scale(possible, minutes * 60, rest)
    return [_planned(fault, possible, scale, outside) for fault in faults]


def _planned(fault: Fault, possible: Sequence[Fault], scale: float, outside: frozenset[str]) -> Planned:
    if fault.kills & outside:
        return Planned(fault, 0, f"outside: {', '.join(sorted(fault.kills & outside))}")
    if fault not in possible:
        return Planned(fault, 0, "no time for it")
    return Planned(fault, _amount(fault, scale))


def _amount(fault: Fault, scale: float) -> int:
    return min(fault.full, max(fault.least, int(fault.full * scale)))


def _seconds(faults: Sequence[Fault], scale: float, rest: float) -> float:
    return sum(_amount(fault, scale) * fault.seconds + rest for fault in faults)


def _largest_scale(faults: Sequence[Fault], seconds: float, rest: float) -> float:
    if _seconds(faults, 1.0, rest) <= seconds:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if _seconds(faults, middle, rest) <= seconds else (low, middle)
    return low
