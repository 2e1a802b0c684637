"""Receipts: proofs, in an aggregate's own document, of the last commands that were carried out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Self

from bson import encode

Document = dict[str, Any]

KEPT = 500
"""How many receipts an aggregate keeps: enough for all that were under way when a process died. Each answer that was
given is remembered for a day elsewhere, see tyrsky.remembering."""

BYTES_MAX = 4 * 2**20
"""How much the answers in them may take: the document has 16 MB for everything."""

AGE_MAX = timedelta(hours=26)
"""How old a receipt may be when something else is written: older than an answer that is still remembered elsewhere, so
that whoever erases somebody finds here each answer that is left."""


@dataclass(frozen=True)
class Receipt:
    """Proof that a command was carried out, with the answer that was given. ``key`` is the command's id."""

    key: str
    fingerprint: str
    version: int
    answer: Document | None
    at: datetime | None = None
    bytes: int = 0
    """What the answer takes in the store."""

    @classmethod
    def of(cls, document: Document) -> Self:
        """As it was kept, also by an earlier version, which did not measure it, or by a later one, which has more to
        tell."""
        return cls(**{name: document[name] for name in NAMES if name in document}).measured()

    def measured(self) -> Self:
        """With its ``bytes``."""
        return replace(self, bytes=len(encode(self.answer))) if self.answer and not self.bytes else self

    def forgotten(self) -> Self:
        """That it was answered, and not what."""
        return replace(self, answer=None, bytes=0)


NAMES = [each.name for each in fields(Receipt)]


def kept(before: Sequence[Receipt], new: Sequence[Receipt], now: datetime) -> list[Document]:
    """The receipts that a document keeps: all new ones, and of those before the young and last, as far as there is
    room."""
    fresh = [each.measured() for each in new[-KEPT:]]
    room = BYTES_MAX - sum(each.bytes for each in fresh)
    older: list[Receipt] = []
    young = (each for each in reversed(before) if each.at and each.at > now - AGE_MAX)
    for each in islice(young, KEPT - len(fresh)):
        room -= each.bytes
        if room >= 0 or not each.bytes:  # one without an answer takes next to nothing
            older.append(each)
    return [vars(each) for each in (*reversed(older), *fresh)]
