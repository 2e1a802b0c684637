"""Size classes: by the Recommendation, and out of files."""

from collections.abc import Iterator
from typing import Any

import pytest
from companies.register import COLLECTION, document
from companies.sizing import size, size_class
from companies.tabular import NotReadable
from companies.testing import business_id, record
from companies.ytj import entry_of
from pymongo import MongoClient
from pymongo.collection import Collection

M = 1_000_000


@pytest.mark.parametrize(
    ("people", "turnover", "balance", "expected"),
    [
        (9, 2 * M, None, "micro"),
        (9, None, None, "micro"),
        (10, 2 * M, None, "small"),
        (9, 2 * M + 1, None, "small"),
        (9, 2 * M + 1, 2 * M, "micro"),
        (9, 2 * M + 1, 2 * M + 1, "small"),
        (49, 10 * M, None, "small"),
        (50, 10 * M, None, "medium"),
        (49, 10 * M + 1, None, "medium"),
        (249, 50 * M, 99 * M, "medium"),
        (249, 99 * M, 43 * M, "medium"),
        (249, 50 * M + 1, 43 * M + 1, "large"),
        (250, 0, 0, "large"),
        (0, 0, 0, "micro"),
    ],
)
def test_people_and_either_of_two_figures_make_the_class(
    people: int, turnover: int | None, balance: int | None, expected: str
):
    assert size_class(people, turnover, balance) == expected


@pytest.fixture
def register(mongo_uri: str, database: str) -> Iterator[Collection[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        collection = client[database][COLLECTION]
        collection.insert_many([document(entry_of(record(number))) for number in range(4)])
        yield collection


def row(number: int, *rest: str) -> str:
    return ";".join([business_id(number), *rest])


@pytest.mark.stack
def test_sizes_are_told_to_companies_of_the_register(register: Collection[dict[str, Any]]):
    header = "business_id;size_class;people;turnover_eur;balance_eur"
    rows = [row(0, "small", "", "", ""), row(1, "", "3", "100000", ""), row(9, "micro", "", "", "")]
    wrong = ["1;micro;;;", row(2, "huge", "", "", ""), row(2, "", "", "5", ""), row(3, "", "-1", "", ""), "x"]
    data = "\n".join([header, *rows, *wrong]).encode()
    report = size(register, data)
    assert (report.changed, report.same, report.unknown) == (2, 0, 1)
    assert [line for line, _ in report.errors] == [5, 6, 7, 8, 9]
    assert {each["_id"]: each.get("size_class") for each in register.find()} == {
        business_id(0): "small",
        business_id(1): "micro",
        business_id(2): None,
        business_id(3): None,
    }
    again = size(register, data)
    assert (again.changed, again.same) == (0, 2)


@pytest.mark.stack
def test_a_file_that_cannot_be_read_tells_nothing(register: Collection[dict[str, Any]]):
    with pytest.raises(NotReadable):
        size(register, f'business_id,size_class\n{business_id(0)},micro\n"'.encode())
    assert register.count_documents({"size_class": "micro"}) == 0
