"""Records out of a file of the register's open data: streaming, and in bounded memory whatever the file holds.

The file is JSON, ``{"companies": [...]}`` or a bare list, or a zip of one such file. It may be cut or broken anywhere:
what came before is given, and :class:`Unreadable` says why it ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import IO

import ijson
from stream_unzip import UnzipError, stream_unzip

from companies.nesting import Nesting

CHUNK_BYTES = 65_536
RECORD_BYTES_MAX = 2_000_000
"""No company's record comes near; a file with a longer one is not what it says it is."""

RECORDS_MAX = 5_000_000
"""The register has under a million; a zip of a few megabytes can hold an endless list."""

DEPTH_MAX = 30
"""A record nests five deep."""

ZIP_BEGINS = b"PK\x03\x04"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Unreadable(Exception):  # noqa: N818 - says what the file is
    """From here on the file cannot be read."""


@dataclass
class Read:
    """How much was read: whole records, and bytes of JSON."""

    records: int = 0
    bytes_of_json: int = 0


def records(file: IO[bytes], read: Read) -> Iterator[object]:
    """Every record of the file; ``read`` counts them.

    :raises Unreadable: where the file is cut, broken, or not what it says it is.
    """
    record_began, nesting = 0, Nesting()

    def limited() -> Iterator[bytes]:
        for chunk in _json(file):
            read.bytes_of_json += len(chunk)
            if read.bytes_of_json - record_began > RECORD_BYTES_MAX:
                raise Unreadable(f"no record ends within {RECORD_BYTES_MAX:,} bytes")
            if nesting.deepest(chunk) > DEPTH_MAX:
                raise Unreadable(f"lists and objects nest deeper than {DEPTH_MAX} levels")
            yield chunk

    chunks = limited()
    head = next(chunks, b"").removeprefix(BYTE_ORDER_MARK).lstrip()
    where = "item" if head.startswith(b"[") else "companies.item"
    try:
        # use_float: a number of thousands of digits is an error, where ijson 3.6 would crash the process without it.
        for record in ijson.items(ijson.from_iter(chain([head], chunks)), where, use_float=True):
            if read.records == RECORDS_MAX:
                raise Unreadable(f"there are more than {RECORDS_MAX:,} records")
            read.records += 1
            record_began = read.bytes_of_json
            yield record
    except (ijson.JSONError, ValueError) as error:  # the parser's own words quote the file
        raise Unreadable("the JSON is cut or broken") from error


def _json(file: IO[bytes]) -> Iterator[bytes]:
    """The file's bytes, unpacked if it is a zip: as they are read, so that a cut archive too gives what it has."""
    chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
    head = next(chunks, b"")
    if not head.startswith(ZIP_BEGINS):
        yield from chain([head], chunks)
        return
    try:
        for name, _size, unpacked in stream_unzip(chain([head], chunks)):
            yield from unpacked
            if not name.endswith(b"/"):
                return  # one file: what else there is, is not for us
    except UnzipError as error:
        raise Unreadable("the zip is cut or broken") from error
