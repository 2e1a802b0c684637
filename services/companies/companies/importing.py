"""Reads a file of the register's open data into the register: streaming, in batches, and as often as one likes.

The file is JSON, ``{"companies": [...]}`` or a bare list, or a zip of one such file. It may be cut or broken anywhere:
what came before is kept, and the report says where it stopped. Memory is bounded whatever the file holds.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import IO, Any

import ijson
from pymongo import ReplaceOne
from pymongo.collection import Collection
from stream_unzip import UnzipError, stream_unzip

from companies.register import INDEXES, RegisterEntry, document
from companies.ytj import NotUnderstood, entry_of

Document = dict[str, Any]

BATCH = 500
"""So many entries are compared and written at once."""

CHUNK_BYTES = 65_536
RECORD_BYTES_MAX = 2_000_000
"""No company's record comes near; a file with a longer one is not what it says it is."""

DEPTH_MAX = 30
"""A record nests five deep."""

ZIP_BEGINS = b"PK\x03\x04"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Unreadable(Exception):  # noqa: N818 - says what the file is
    """From here on the file cannot be read."""


@dataclass
class Report:
    """What an import did. ``stopped`` says why it ended before the file's end."""

    records: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    first_refused: dict[str, int] = field(default_factory=dict[str, int])
    """Reason: the number of the first record that was refused for it."""
    last_business_id: str | None = None
    bytes_of_json: int = 0
    stopped: str | None = None

    def refuse(self, reason: str) -> None:
        """Count a record that was not understood."""
        self.refused[reason] += 1
        self.first_refused.setdefault(reason, self.records)


def import_register(file: IO[bytes], register: Collection[Document]) -> Report:
    """Put every company of the file into the register. What is there already and is the same is left alone."""
    for keys in INDEXES:
        register.create_index(keys)
    report = Report()
    batch: dict[str, RegisterEntry] = {}
    try:
        for record in _records(file, report):
            try:
                entry = entry_of(record)
            except NotUnderstood as refusal:
                report.refuse(refusal.reason)
                continue
            if len(batch) == BATCH or entry.business_id in batch:
                _store(batch, register, report)
                batch.clear()
            batch[entry.business_id] = entry
            report.last_business_id = entry.business_id
    except Unreadable as error:
        report.stopped = str(error)
    _store(batch, register, report)
    if not report.records and not report.stopped:
        report.stopped = "it holds no list of companies"
    return report


def _store(batch: dict[str, RegisterEntry], register: Collection[Document], report: Report) -> None:
    known = {each["_id"]: each["digest"] for each in register.find({"_id": {"$in": list(batch)}}, {"digest": 1})}
    writes: list[ReplaceOne[Document]] = []
    for business_id, entry in batch.items():
        wanted = document(entry)
        if business_id not in known:
            report.new += 1
        elif known[business_id] != wanted["digest"]:
            report.changed += 1
        else:
            report.same += 1
            continue
        writes.append(ReplaceOne({"_id": business_id}, wanted, upsert=True))
    if writes:
        register.bulk_write(writes, ordered=False)


def _records(file: IO[bytes], report: Report) -> Iterator[object]:
    """Every record of the file; the report counts them, and the bytes of JSON that were read."""
    record_began = 0

    def limited() -> Iterator[bytes]:
        for chunk in _json(file):
            report.bytes_of_json += len(chunk)
            if report.bytes_of_json - record_began > RECORD_BYTES_MAX:
                raise Unreadable(f"no record ends within {RECORD_BYTES_MAX:,} bytes")
            yield chunk

    chunks = limited()
    head = next(chunks, b"").removeprefix(BYTE_ORDER_MARK).lstrip()
    where = "item" if head.startswith(b"[") else "companies.item"
    try:
        # use_float: a number of thousands of digits is an error, where ijson 3.6 would crash the process without it.
        events = ijson.basic_parse(ijson.from_iter(chain([head], chunks)), use_float=True)
        for record in ijson.items(ijson.parse(_shallow(events)), where):
            report.records += 1
            record_began = report.bytes_of_json
            yield record
    except (ijson.JSONError, ValueError) as error:  # the parser's own words quote the file
        raise Unreadable("the JSON is cut or broken") from error


def _shallow(events: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The parser's events, as long as they do not nest deep: its memory grows with the square of the depth."""
    depth = 0
    for event in events:
        if event[0] in ("start_map", "start_array"):
            depth += 1
            if depth > DEPTH_MAX:
                raise Unreadable(f"lists and objects nest deeper than {DEPTH_MAX} levels")
        elif event[0] in ("end_map", "end_array"):
            depth -= 1
        yield event


def _json(file: IO[bytes]) -> Iterator[bytes]:
    """The file's bytes, unpacked if it is a zip: as they are read, so that a cut archive too gives what it has."""
    chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
    head = next(chunks, b"")
    if not head.startswith(ZIP_BEGINS):
        yield from chain([head], chunks)
        return
    try:
        for _name, _size, unpacked in stream_unzip(chain([head], chunks)):
            yield from unpacked
            return  # one file: what else there is, is not for us
    except UnzipError as error:
        raise Unreadable("the zip is cut or broken") from error
