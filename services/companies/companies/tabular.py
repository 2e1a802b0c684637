"""Rows of a CSV file that people bring: UTF-8 with or without a byte order mark; ``,``, ``;`` or tabs. Bounded."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

FILE_BYTES_MAX = 10_000_000
ROWS_MAX = 50_000
COLUMNS_MAX = 100


class NotReadable(Exception):  # noqa: N818 - says what the file is
    """The file is no such table. Says why, in a clause that begins with "it"."""


def content(file: Path) -> bytes:
    """What is in a file, and a byte more than is taken of one that is too large."""
    with file.open("rb") as opened:
        return opened.read(FILE_BYTES_MAX + 1)


def rows_of(
    data: bytes, *, required: Sequence[str], called: Mapping[str, str] | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line, by the names of its columns; a row with another number of cells than the first line has
    none of them, for nothing that it tells could be relied on. ``called`` has other names of columns.

    :raises NotReadable: when it is no such table; rows before the place were given.
    """
    if len(data) > FILE_BYTES_MAX:
        raise NotReadable(f"it is larger than {FILE_BYTES_MAX:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotReadable("it is not UTF-8: save it as CSV UTF-8") from None
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=head.count), strict=True)
    try:
        columns = _columns(next(reader, []), required, called or {})
        for count, cells in enumerate(reader, start=1):
            if count > ROWS_MAX:
                raise NotReadable(f"it has more than {ROWS_MAX:,} rows")
            if any(cell.strip() for cell in cells):
                whole = len(cells) == len(columns)
                yield reader.line_num, _named(columns, cells) if whole else {}
    except csv.Error:
        raise NotReadable(f"it is no CSV in line {reader.line_num:,}") from None


def _columns(header: Sequence[str], required: Sequence[str], called: Mapping[str, str]) -> list[str]:
    names = [cell.strip().casefold() for cell in header]
    columns = [called.get(name, name) for name in names]
    if not {*required} <= {*columns} or len(header) > COLUMNS_MAX:
        raise NotReadable(f"its first line does not name the columns {' and '.join(required)}")
    return columns


def _named(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, cell in zip(columns, cells, strict=True):
        named.setdefault(name, cell.strip())
    return named
