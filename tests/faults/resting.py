"""I5: how long it takes to come to rest. Pure: it is measured elsewhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.invariants import Verdict


@dataclass(frozen=True)
class Rest:
    """How long it took to come to rest after something, and how long it may."""

    what: str
    took: float
    allowed: float


def settles(rests: Sequence[Rest]) -> Verdict:
    """I5: outboxes and lag are 0 within what is allowed from the end of a fault."""
    wrong = [
        f"after {rest.what}: {rest.took:.1f} s, {rest.allowed:.0f} s are allowed"
        for rest in rests
        if not rest.took <= rest.allowed
    ]
    known = [rest.took for rest in rests if math.isfinite(rest.took)]
    return Verdict("I5", wrong, {"longest, s": round(max(known, default=0.0), 1), "times": len(rests)})
