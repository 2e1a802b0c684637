"""How deep lists and objects nest in JSON that comes in pieces, told before a parser sees them.

ijson has no limit, and its memory grows with the square of the depth. To count its events in Python takes several times
as long as to parse; this takes a fraction of that. It is right for JSON that is right; of any other the parser sees the
mistake before it comes to what lies behind.
"""

import re
from itertools import accumulate

OTHERS = bytes(each for each in range(256) if each not in b'[]{}"')
ESCAPE = re.compile(rb"\\.", re.DOTALL)
TEXT = re.compile(rb'"[^"]*(?:"|\Z)')
STEPS = [0] * 256
for _byte in b"[{":
    STEPS[_byte] = 1
for _byte in b"]}":
    STEPS[_byte] = -1


class Nesting:
    """Where a reader is: how deep, whether within a text, and what of an escape was cut off."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = False
        self._cut = b""

    def deepest(self, piece: bytes) -> int:
        """The most levels that are open at once in the next piece."""
        piece = self._cut + piece
        backslashes = len(piece) - len(piece.rstrip(b"\\"))
        self._cut = b"\\" if backslashes % 2 else b""
        piece = piece[: len(piece) - len(self._cut)]
        if b"\\" in piece:
            piece = ESCAPE.sub(b"", piece)
        marks = (b'"' if self._in_text else b"") + piece.translate(None, OTHERS)
        marks = marks.replace(b'""', b"")  # most texts; of two that touch it makes one, with what both have in it
        self._in_text = marks.count(b'"') % 2 == 1
        levels = list(accumulate(map(STEPS.__getitem__, TEXT.sub(b"", marks)), initial=self._depth))
        self._depth = levels[-1]
        return max(levels)
