"""Companies as a sheet (CSV): read with what is wrong in each row, and written so that no cell is taken for a formula.

A sheet has a head: ``business_id`` is needed; ``name``, ``municipality``, ``business_line`` (of those that the register
does not have), ``tags`` and ``relations`` (several, with ``|`` between), ``owner`` and ``field.<key>`` may be there.
Pure.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tyrsky.aggregate import Rejected

from companies.field import Field, read
from companies.register import parse_business_id

ROWS_MAX = 500
CELL_MAX = 2_000
COLUMNS_MAX = 80

PLAIN = ("business_id", "name", "municipality", "business_line", "owner")
SEVERAL = ("tags", "relations")
FIELD = "field."

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""


@dataclass(frozen=True)
class Row:
    """A row of a sheet: its number (the head's is 1), what it says, and what is wrong with it."""

    number: int
    business_id: str = ""
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    wrong: Rejected | None = None


def read_sheet(text: str, fields: Mapping[str, Field]) -> list[Row]:
    """The rows of a sheet, with semicolons or commas; empty rows are passed by.

    :raises Rejected: ``sheet-wrong`` when its head is none, ``sheet-long``.
    """
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=_delimiter(text), strict=True)
    try:
        head = [cell.strip() for cell in next(lines, [])]
        _check_head(head, fields)
        rows: list[Row] = []
        seen: dict[str, int] = {}
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == ROWS_MAX:
                raise Rejected("sheet-long", most=ROWS_MAX)
            rows.append(_row(lines.line_num, head, cells, fields, seen))
    except csv.Error:
        raise Rejected("sheet-wrong", line=lines.line_num) from None
    return rows


def _delimiter(text: str) -> str:
    head = text.partition("\n")[0]
    return max(";,\t", key=head.count)


def _check_head(head: list[str], fields: Mapping[str, Field]) -> None:
    own = [name.removeprefix(FIELD) for name in head if name.startswith(FIELD)]
    others = [name for name in head if not name.startswith(FIELD)]
    if "business_id" not in head or len(set(head)) < len(head) or len(head) > COLUMNS_MAX:
        raise Rejected("sheet-wrong", line=1)
    unknown = [name for name in others if name not in PLAIN + SEVERAL] + [key for key in own if key not in fields]
    if unknown:
        raise Rejected("sheet-column-unknown", columns=[name[:40] for name in unknown[:10]])


def _row(number: int, head: list[str], cells: list[str], fields: Mapping[str, Field], seen: dict[str, int]) -> Row:
    if len(cells) > len(head) or any(len(cell) > CELL_MAX for cell in cells):
        return Row(number, wrong=Rejected("row-wrong"))
    said = {name: cell.strip() for name, cell in zip(head, cells, strict=False) if cell.strip()}
    try:
        business_id = parse_business_id(said.pop("business_id", ""))
        if business_id in seen:
            raise Rejected("row-twice", field="business_id", row=seen[business_id])
        seen[business_id] = number
        own = {name.removeprefix(FIELD): said.pop(name) for name in list(said) if name.startswith(FIELD)}
        values = {key: _value(fields[key], text) for key, text in own.items()}
    except Rejected as wrong:
        return Row(number, wrong=wrong)
    several = {name: _parts(said.pop(name)) for name in SEVERAL if name in said}
    return Row(number, business_id, {**said, **several}, values)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


def _value(field: Field, text: str) -> Any:
    texts = _parts(text) if field.kind == "choices" else [text]
    values = [read(field, each) for each in texts]
    if any(value is None for value in values):
        raise Rejected("field-value-wrong", field=f"{FIELD}{field.key}", kind=field.kind)
    return values if field.kind == "choices" else values[0]


def written(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Rows as lines of a sheet, with semicolons, as spreadsheets in Finland and Sweden read it."""
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=";", lineterminator="\r\n").writerow([_cell(value) for value in row])
        yield line.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.15g}"  # a number of ours, and no formula though it may begin with a minus
        case list() | tuple():
            text = "|".join(str(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
