"""Sheets of companies, as people send them and as they get them."""

import csv
import io
from typing import Any

import pytest
from companies.field import Choice, Field, Labels
from companies.sheets import CELL_MAX, FORMULA, ROWS_MAX, read_sheet, written
from companies.testing import business_id
from hypothesis import given as anything
from hypothesis import strategies as st
from tyrsky.aggregate import Rejected

A, B = business_id(1), business_id(2)
IT, CARE = (Choice(value=value, labels=Labels(fi=value)) for value in ("it", "care"))
FIELDS = {
    "size": Field(key="size", kind="number", labels=Labels(fi="Koko")),
    "sector": Field(key="sector", kind="choices", labels=Labels(fi="Ala"), choices=(IT, CARE)),
}


def wrong(text: str) -> list[tuple[int, str | None]]:
    return [(row.number, row.wrong.code if row.wrong else None) for row in read_sheet(text, FIELDS)]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_sheet_is_read_however_it_was_saved(delimiter: str, mark: str, end: str):
    head = ["business_id", "name", "tags", "field.size", "field.sector"]
    lines = [head, [A.replace("-", ""), "Suutari Aino", "a|b", "12.5", "it|care"], ["", "", "", "", ""], [B]]
    one, other = read_sheet(mark + end.join(delimiter.join(cells) for cells in lines), FIELDS)
    assert (one.number, one.business_id, one.wrong) == (2, A, None)
    assert one.said == {"name": "Suutari Aino", "tags": ["a", "b"]}
    assert one.fields == {"size": 12.5, "sector": ["it", "care"]}
    assert (other.number, other.business_id, other.said, other.fields) == (4, B, {}, {})


def test_each_row_is_told_what_is_wrong_with_it_and_the_others_stand():
    rows = [f"{A};1", "1234567-8;2", f"{A};3", f"{B};paljon", f"{B};1;2", f"{business_id(3)};4"]
    assert wrong("\n".join(["business_id;field.size", *rows])) == [
        (2, None),
        (3, "business-id-check-digit"),
        (4, "row-twice"),
        (5, "field-value-wrong"),
        (6, "row-wrong"),
        (7, None),
    ]
    assert wrong(f"business_id;name\n{A};{'x' * (CELL_MAX + 1)}") == [(2, "row-wrong")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *[(text, "sheet-wrong") for text in ("", "\n\n", "name\nx", 'business_id\n"a', "\x00")],
        ("business_id;business_id", "sheet-wrong"),
        *[(f"business_id;{column}", "sheet-column-unknown") for column in ("colour", "field.colour", "")],
        ("business_id\n" + "x\n" * (ROWS_MAX + 1), "sheet-long"),
        (";".join(["business_id", *(f"c{n}" for n in range(100))]), "sheet-wrong"),
    ],
)
def test_a_sheet_that_is_none_is_refused(text: str, code: str):
    with pytest.raises(Rejected, match=code):
        read_sheet(text, FIELDS)


def cells_of(rows: list[list[Any]]) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(written(rows)), newline=""), delimiter=";"))


def test_a_sheet_is_written():
    rows = cells_of([["a;b", None, True, -2.5, ("x", "y"), 'he said "ä"\nand went']])
    assert rows == [["a;b", "", "true", "-2.5", "x|y", 'he said "ä"\nand went']]


@anything(st.lists(st.text(), min_size=1))
def test_no_cell_is_taken_for_a_formula(texts: list[str]):
    (row,) = cells_of([list(texts)]) or [[""]]
    assert not [cell for cell in row if cell.startswith(FORMULA)]
    assert [cell.removeprefix("'") for cell in row] == [text.removeprefix("'") for text in texts]
