"""Imports that were killed go on where they were; imports of some places alone."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from companies import resuming
from companies.importing import BATCH, import_register
from companies.register import COLLECTION
from companies.resuming import Report
from companies.selecting import EVERYWHERE, Selection
from companies.testing import business_id, record
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import AutoReconnect

pytestmark = pytest.mark.stack

Document = dict[str, Any]
Store = Database[Document]

BATCHES = 4
MANY = BATCH * BATCHES + 20
RECORDS = [record(number) for number in range(MANY)]
VALKEAKOSKI = Selection(frozenset({"908"}))


@pytest.fixture
def store(mongo_uri: str, database: str) -> Iterator[Store]:
    with MongoClient[Document](mongo_uri, tz_aware=True) as client:
        yield client[database]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "register.json"
    path.write_text(json.dumps(RECORDS))
    return path


class Killed(BaseException):
    """What is not caught, as a kill is not."""


class Dying(io.BytesIO):
    """A file whose reader is killed in the middle."""

    def __init__(self, data: bytes, after: float) -> None:
        super().__init__(data)
        self.after = int(len(data) * after)

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > self.after:
            raise Killed
        return super().read(size)


def imported(
    file: Path, store: Store, selection: Selection = EVERYWHERE, *, killed_after: float | None = None
) -> Report:
    checkpoint = resuming.of_file(store, file, selection)
    data = file.read_bytes()
    opened = io.BytesIO(data) if killed_after is None else Dying(data, killed_after)
    return import_register(opened, store[COLLECTION], selection=selection, checkpoint=checkpoint)


def killed(file: Path, store: Store, selection: Selection = EVERYWHERE) -> int:
    with pytest.raises(Killed):
        imported(file, store, selection, killed_after=0.6)
    return store[COLLECTION].count_documents({})


class Counting:
    """A register that counts what is compared."""

    def __init__(self, register: Any) -> None:
        self.register = register
        self.compared = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.register, name)

    def find(self, wanted: Document, fields: Document) -> Any:
        self.compared += len(wanted["_id"]["$in"])
        return self.register.find(wanted, fields)


def test_who_was_killed_goes_on_without_comparing_what_is_stored(file: Path, store: Store):
    there = killed(file, store)
    assert 0 < there < MANY
    assert there % BATCH == 0
    counting: Any = Counting(store[COLLECTION])
    checkpoint = resuming.of_file(store, file, EVERYWHERE)
    with file.open("rb") as opened:
        report = import_register(opened, counting, checkpoint=checkpoint)
    assert counting.compared == MANY - there
    assert report.went_on_after == there
    assert (report.records, report.new, report.same, report.stopped) == (MANY, MANY, 0, None)
    assert store[COLLECTION].count_documents({}) == MANY


def test_a_run_after_one_that_ended_compares_all_again(file: Path, store: Store):
    imported(file, store)
    assert store[resuming.COLLECTION].count_documents({}) == 0
    again = imported(file, store)
    assert (again.went_on_after, again.same, again.new) == (0, MANY, 0)


def test_what_was_refused_before_the_kill_is_told_after_it(file: Path, store: Store):
    file.write_text(json.dumps([record(9_000, names=[]), *RECORDS]))
    killed(file, store)
    report = imported(file, store)
    assert report.went_on_after > 0
    assert report.refused == {"name-missing": 1}
    assert report.first_refused == {"name-missing": 1}
    assert report.new == MANY


def another_time(file: Path, store: Store) -> None:
    os.utime(file, (1, 1))


def other_bytes(file: Path, store: Store) -> None:
    about = file.stat()
    file.write_bytes(file.read_bytes().replace(b"Valtakatu", b"Sivukatu_", 1))
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def more_bytes(file: Path, store: Store) -> None:
    about = file.stat()
    file.write_bytes(file.read_bytes() + b" ")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def emptied(file: Path, store: Store) -> None:
    store[COLLECTION].delete_many({})


def another_form(file: Path, store: Store) -> None:
    """What an older version of this program had left has another name."""
    kept = store[resuming.COLLECTION].find_one_and_delete({})
    assert kept is not None
    store[resuming.COLLECTION].insert_one({**kept, "_id": "of another form of entries"})


@pytest.mark.parametrize("meanwhile", [another_time, other_bytes, more_bytes, emptied, another_form])
def test_what_is_another_import_begins_at_the_beginning(meanwhile: Any, file: Path, store: Store):
    killed(file, store)
    meanwhile(file, store)
    report = imported(file, store)
    assert report.went_on_after == 0
    assert report.new + report.changed + report.same == MANY
    assert store[COLLECTION].count_documents({}) == MANY


def test_the_form_of_the_entries_is_in_the_name(file: Path, store: Store, monkeypatch: pytest.MonkeyPatch):
    killed(file, store)
    form = resuming.register.RegisterEntry.model_json_schema()
    monkeypatch.setattr(
        resuming.register.RegisterEntry, "model_json_schema", classmethod(lambda cls: {**form, "title": "Newer"})
    )
    assert imported(file, store).went_on_after == 0


def test_another_selection_is_another_import(file: Path, store: Store):
    killed(file, store)
    assert imported(file, store, VALKEAKOSKI).went_on_after == 0


def test_what_nobody_came_back_to_is_forgotten(file: Path, store: Store):
    killed(file, store)
    imports = store[resuming.COLLECTION]
    kept = imports.find_one({})
    assert kept is not None
    imports.update_one({}, {"$set": {"at": kept["at"].replace(year=kept["at"].year - 1)}})
    assert imported(file, store).went_on_after == 0
    assert imports.count_documents({}) == 0


def test_a_store_that_fails_leaves_what_it_has_and_a_place_to_go_on_from(
    file: Path, store: Store, monkeypatch: pytest.MonkeyPatch
):
    class Failing(Counting):
        def bulk_write(self, *given: Any, **named: Any) -> Any:
            if self.compared > BATCH * 2:
                raise AutoReconnect("gone")
            return self.register.bulk_write(*given, **named)

    failing: Any = Failing(store[COLLECTION])
    with pytest.raises(AutoReconnect), file.open("rb") as opened:
        import_register(opened, failing, checkpoint=resuming.of_file(store, file, EVERYWHERE))
    assert imported(file, store).went_on_after == BATCH * 2


def test_of_a_selection_what_is_elsewhere_is_passed_by(file: Path, store: Store):
    here = [record(0), record(1, addresses=[])]
    elsewhere = [moved(record(number), "091") for number in range(2, 12)]
    file.write_text(json.dumps([*here, *elsewhere]))
    report = imported(file, store, VALKEAKOSKI)
    assert (report.new, report.passed_by) == (1, 11)
    assert [each["_id"] for each in store[COLLECTION].find()] == [business_id(0)]


def test_what_is_there_is_kept_fresh_though_it_moved_elsewhere(file: Path, store: Store):
    file.write_text(json.dumps([record(0)]))
    imported(file, store, VALKEAKOSKI)
    file.write_text(json.dumps([moved(record(0), "091")]))
    report = imported(file, store, VALKEAKOSKI)
    assert (report.changed, report.passed_by) == (1, 0)
    found = store[COLLECTION].find_one({"_id": business_id(0)})
    assert found is not None
    assert found["municipality"] == "091"


def test_what_is_known_from_elsewhere_stays_and_when_the_api_was_asked_does_not(file: Path, store: Store):
    file.write_text(json.dumps([record(0)]))
    imported(file, store)
    store[COLLECTION].update_one({}, {"$set": {"size_class": "micro", "asked": {"etag": '"1"'}}})
    assert imported(file, store).same == 1
    file.write_text(json.dumps([moved(record(0), "091")]))
    assert imported(file, store).changed == 1
    found = store[COLLECTION].find_one({})
    assert found is not None
    assert found["size_class"] == "micro"
    assert "asked" not in found


def test_two_imports_of_the_same_at_once_end_well(file: Path, store: Store):
    class Raced(Counting):
        def find(self, wanted: Document, fields: Document) -> Any:
            found = list(self.register.find(wanted, fields))
            if self.register.count_documents({}) == 0:
                with file.open("rb") as opened:
                    import_register(opened, self.register)
            return found

    raced: Any = Raced(store[COLLECTION])
    with file.open("rb") as opened:
        report = import_register(opened, raced)
    assert report.stopped is None
    assert store[COLLECTION].count_documents({}) == MANY


def moved(record: Document, municipality: str) -> Document:
    [address] = record["addresses"]
    offices = [{"city": "HELSINKI", "languageCode": "1", "municipalityCode": municipality}]
    return record | {"addresses": [{**address, "postOffices": offices}]}
