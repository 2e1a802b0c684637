"""Where an import stands, in a document of the store: one that was killed goes on from there when it is run again.

A document is of one source in one state (a file's size, time and first bytes), of one selection, and of one form of the
entries. Any other is another import, which begins at the beginning.
"""

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database

from companies import register
from companies.reading import Read
from companies.selecting import Selection

Document = dict[str, Any]

COLLECTION = "register_imports"
KEPT_DAYS = 7
"""Who has not come back to an import by then begins anew."""

FIRST_BYTES = 65_536


@dataclass
class Report(Read):
    """What an import did. ``stopped`` says why it ended before its source's end; ``went_on_after`` how many records an
    earlier run had stored, whose counts are in these."""

    went_on_after: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    passed_by: int = 0
    """Companies of elsewhere."""

    refused: Counter[str] = field(default_factory=Counter[str])
    first_refused: dict[str, int] = field(default_factory=dict[str, int])
    """Reason: the number of the first record that was refused for it."""

    last_business_id: str | None = None
    stopped: str | None = None

    def refuse(self, reason: str) -> None:
        """Count a record that was not understood."""
        self.refused[reason] += 1
        self.first_refused.setdefault(reason, self.records)


COUNTED = ("new", "changed", "same", "passed_by", "last_business_id")


@dataclass(frozen=True)
class Place:
    """How far a source was stored: so many records, and for the API the place that was asked about, and the page."""

    records: int = 0
    asked: int = 0
    page: int = 0


class Checkpoint:
    """The document of one import."""

    def __init__(self, database: Database[Document], fingerprint: str, source: str) -> None:
        self._collection: Collection[Document] = database[COLLECTION]
        self._register: Collection[Document] = database[register.COLLECTION]
        self._id = fingerprint
        self._source = source

    def resume(self, report: Report) -> Place:
        """Where to go on, with the counts of before put into the report; the beginning when nothing is known.

        It is not believed when what it stored last is not in the register: somebody emptied that.
        """
        self._collection.delete_many({"at": {"$lt": datetime.now(UTC) - timedelta(days=KEPT_DAYS)}})
        found = self._collection.find_one({"_id": self._id})
        if found is None or (found["witness"] and not self._register.find_one({"_id": found["witness"]}, {"_id": 1})):
            return Place()
        for name in COUNTED:
            setattr(report, name, found[name])
        for each in found["refused"]:
            report.refused[each["reason"]] = each["times"]
            report.first_refused[each["reason"]] = each["first"]
        report.went_on_after = found["records"]
        return Place(found["records"], found["asked"], found["page"])

    def keep(self, report: Report, place: Place, witness: str | None) -> None:
        """So much is stored. ``witness`` is a company that is in the register by now."""
        refused = [
            {"reason": reason, "times": times, "first": report.first_refused[reason]}
            for reason, times in report.refused.items()
        ]
        kept: Document = {name: getattr(report, name) for name in COUNTED}
        kept |= {"source": self._source, "at": datetime.now(UTC), "refused": refused, "witness": witness}
        self._collection.replace_one({"_id": self._id}, {**kept, **vars(place)}, upsert=True)

    def remove(self) -> None:
        """All of the source is stored: the next run compares it anew."""
        self._collection.delete_one({"_id": self._id})


def of_file(database: Database[Document], path: Path, selection: Selection) -> Checkpoint:
    """The checkpoint of a file as it is now."""
    about = os.stat(path)
    with path.open("rb") as opened:
        first = sha256(opened.read(FIRST_BYTES)).hexdigest()
    state = f"file {first} {about.st_size} {about.st_mtime_ns}"
    return Checkpoint(database, _fingerprint(state, selection), path.name)


def of_api(database: Database[Document], address: str, selection: Selection) -> Checkpoint:
    """The checkpoint of an import from the open API."""
    return Checkpoint(database, _fingerprint(f"api {address}", selection), address)


def _fingerprint(state: str, selection: Selection) -> str:
    """With the entries' form in it: what another version stored has to be compared anew."""
    form = json.dumps(register.RegisterEntry.model_json_schema(), sort_keys=True)
    return sha256(f"{state}\n{selection}\n{form}".encode()).hexdigest()
