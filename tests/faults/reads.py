"""What people are shown never goes back (part of I4): pure, as ``invariants.py``.

The store is read from its primary, so that whoever asks sees all that anybody had been told before.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

from tests.faults.invariants import Verdict
from tests.faults.ledger import Look, Wish


class _Known:
    """Versions of one aggregate that anybody was told of, and when."""

    def __init__(self, told: Sequence[tuple[float, int]]) -> None:
        ordered = sorted(told)
        self._when = [at for at, _ in ordered]
        self._highest = list(accumulate((version for _, version in ordered), max))

    def before(self, moment: float) -> int:
        """The highest that somebody had been told before a moment; 0 when nobody had been told any."""
        number = bisect_left(self._when, moment)
        return self._highest[number - 1] if number else 0


def shown_goes_on(wishes: Iterable[Wish], looks: Iterable[Look]) -> Verdict:
    """Each look at an aggregate shows at least the version that anybody had been told of, by an acknowledgement or by
    another look, before it was asked for. So does what a command was answered, unless it was asked for repeatedly: it
    is then what it was the first time."""
    told, shown = defaultdict[str, list[tuple[float, int]]](list), list(looks)
    for wish in wishes:
        if wish.acknowledged and wish.about and wish.version:
            told[wish.about].append((wish.answered_at, wish.version))
            if wish.tries == 1 and not wish.replayed:
                shown.append(Look(wish.about, wish.asked.wish, wish.version, wish.asked_at, wish.answered_at))
    for look in shown:
        told[look.path].append((look.answered_at, look.version))
    known = {path: _Known(each) for path, each in told.items()}
    wrong = [
        f"{look.path}: {look.client} was shown version {look.version}, after somebody had been told of {before}"
        for look in shown
        if (before := known[look.path].before(look.asked_at)) > look.version
    ]
    return Verdict("I4", wrong, {"versions shown": len(shown)})
