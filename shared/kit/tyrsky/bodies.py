"""How much memory the bodies of requests may have, from their first byte until their request is answered.

All together have so much, and each caller a share of it: who leaves large bodies unfinished, or sends many, keeps none
from others. Small ones go on where there is no room for large ones, until there is twice as much.
"""

from collections import Counter
from collections.abc import Hashable

from tyrsky.admission import UNKNOWN

ALL_BYTES_MAX = 64_000_000

CALLER_SHARE = 1 / 4
"""All whom nobody knows are one caller here too."""

SMALL_BYTES = 64_000


class Bodies:
    """The bodies that are here."""

    def __init__(self) -> None:
        self._all = 0
        self._of: Counter[Hashable] = Counter()

    def change(self, caller: Hashable, size: int) -> None:
        """So much came, or went."""
        self._all += size
        self._of[caller] += size
        if not self._of[caller]:
            del self._of[caller]

    def refusal(self, caller: Hashable, size: int) -> str | None:
        """The code for a body that has grown to this size, when there is no room for it."""
        room = ALL_BYTES_MAX * (2 if size <= SMALL_BYTES else 1)
        if self._of[caller] > room * CALLER_SHARE:
            return "busy" if caller == UNKNOWN else "caller-busy"
        return "busy" if self._all > room else None


class Held:
    """What is here of one request's body."""

    def __init__(self, bodies: Bodies, caller: Hashable) -> None:
        self._bodies = bodies
        self._caller = caller
        self.size = 0

    def more(self, size: int) -> str | None:
        """So much more of it came; the code of a refusal when that is more than there is room for."""
        self.size += size
        self._bodies.change(self._caller, size)
        return self._bodies.refusal(self._caller, self.size)

    def release(self) -> None:
        """The request is answered."""
        self._bodies.change(self._caller, -self.size)
        self.size = 0
