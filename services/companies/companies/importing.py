"""Puts records of the register's open data into the register: in batches, and as often as one likes.

What is there already and is the same is left alone. A company of elsewhere is passed by, unless the register has it
already: that one has moved, or is in somebody's care.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Any

from pymongo import InsertOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from companies.reading import Unreadable, records
from companies.register import INDEXES, RegisterEntry, document, update
from companies.resuming import Checkpoint, Place, Report
from companies.selecting import EVERYWHERE, Selection
from companies.ytj import NotUnderstood, entry_of

Document = dict[str, Any]

BATCH = 500
"""So many entries are compared and written at once."""

DUPLICATE_KEY = 11000


class Importing:
    """One import: takes records, and stores them."""

    def __init__(
        self,
        register: Collection[Document],
        report: Report,
        *,
        selection: Selection = EVERYWHERE,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        for keys in INDEXES:
            register.create_index(keys)
        self.report = report
        self._register = register
        self._selection = selection
        self._checkpoint = checkpoint
        self._batch: dict[str, RegisterEntry] = {}
        self._place = Place()
        self._through = 0
        self._witness: str | None = None

    def take(self, record: object) -> None:
        """One more record, the ``report.records``-th. A company that comes twice is stored twice, in order."""
        try:
            entry = entry_of(record)
        except NotUnderstood as refusal:
            self.report.refuse(refusal.reason)
        else:
            if entry.business_id in self._batch:
                self.store(replace(self._place, records=self._through))
            self._batch[entry.business_id] = entry
            self.report.last_business_id = entry.business_id
        self._through = self.report.records
        if len(self._batch) == BATCH:
            self.store(replace(self._place, records=self._through))

    def store(self, place: Place) -> None:
        """Compare what was taken with what is there, write what is otherwise, and remember how far that is."""
        if self._batch:
            self._store(list(self._batch.values()))
            self._batch.clear()
        self._place = place
        if self._checkpoint is not None:
            self._checkpoint.keep(self.report, place, self._witness)

    def _store(self, entries: Sequence[RegisterEntry]) -> None:
        asked = [entry.business_id for entry in entries]
        known = {each["_id"]: each["digest"] for each in self._register.find({"_id": {"$in": asked}}, {"digest": 1})}
        new: list[Document] = []
        changed: list[Document] = []
        for entry in entries:
            wanted = document(entry)
            if entry.business_id in known:
                if known[entry.business_id] != wanted["digest"]:
                    changed.append(wanted)
                self._witness = entry.business_id
            elif self._selection.takes(entry):
                new.append(wanted)
                self._witness = entry.business_id
        if changed or new:
            self._write(new, changed)
        self.report.new += len(new)
        self.report.changed += len(changed)
        self.report.same += len(known) - len(changed)
        self.report.passed_by += len(entries) - len(known) - len(new)

    def _write(self, new: Sequence[Document], changed: Sequence[Document]) -> None:
        updates = [_upsert(each) for each in changed]
        try:
            self._register.bulk_write([*map(InsertOne, new), *updates], ordered=False)
        except BulkWriteError as error:  # somebody else imports the same
            if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise
            self._register.bulk_write([*map(_upsert, new), *updates], ordered=False)


def _upsert(wanted: Document) -> UpdateOne:
    return UpdateOne({"_id": wanted["_id"]}, update(wanted), upsert=True)


def import_register(
    file: IO[bytes],
    register: Collection[Document],
    *,
    selection: Selection = EVERYWHERE,
    checkpoint: Checkpoint | None = None,
) -> Report:
    """Put every company of the file into the register, as far as the file can be read."""
    report = Report()
    importing = Importing(register, report, selection=selection, checkpoint=checkpoint)
    stored = checkpoint.resume(report).records if checkpoint else 0
    try:
        for record in records(file, report):
            if report.records > stored:
                importing.take(record)
    except Unreadable as error:
        report.stopped = str(error)
    importing.store(Place(report.records))
    if not report.records and not report.stopped:
        report.stopped = "it holds no list of companies"
    if checkpoint is not None:  # it was for who is killed; what stopped would only stop there again
        checkpoint.remove()
    return report
