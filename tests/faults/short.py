"""The short run: three minutes from the first process to the last, of two faults that are always there and others by
dice."""

from collections.abc import Sequence
from random import Random

from tests.faults.fault import Fault
from tests.faults.planning import Planned, plan

SECONDS = 180.0
END_SECONDS = 35
"""About how long the last mails, the check and the stopping of all parts take."""

REST_SECONDS = 12
"""About what a fault takes besides itself: all is checked once, at the end."""

ALWAYS = ("F1", "F3")
OTHERS_SECONDS = 32


def chosen(every: Sequence[Fault], random: Random) -> Sequence[Fault]:
    """Which faults it has: always the same two, and one or two of those for which there is time."""
    left, codes = float(OTHERS_SECONDS), set[str](ALWAYS)
    for fault in random.sample(every, len(every)):
        if fault.code not in codes and fault.least * fault.seconds <= left:
            codes.add(fault.code)
            left -= fault.least * fault.seconds
    return [fault for fault in every if fault.code in codes]


def planned(faults: Sequence[Fault], random: Random, outside: frozenset[str], gone: float) -> list[Planned]:
    """How much of each, when so many seconds are gone since the start: the least of it on a machine that is slow."""
    least = sum(fault.least * fault.seconds + REST_SECONDS for fault in faults)
    seconds = max(least, SECONDS - END_SECONDS - gone)
    return plan(faults, minutes=seconds / 60, random=random, outside=outside, full=False, rest=REST_SECONDS)
