"""Files of the register, whole, cut, broken, doubled and hostile, into a real store."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from companies.importing import BATCH, import_register
from companies.reading import RECORD_BYTES_MAX
from companies.register import COLLECTION, RegisterEntry
from companies.resuming import Report
from companies.testing import business_id, record
from companies.ytj import entry_of
from pymongo import MongoClient
from pymongo.collection import Collection

pytestmark = pytest.mark.stack

MANY = BATCH + 20
RECORDS = [record(number) for number in range(MANY)]
LIST = json.dumps(RECORDS, ensure_ascii=False).encode()
PAGE = json.dumps({"totalResults": MANY, "companies": RECORDS}).encode()


@pytest.fixture
def register(mongo_uri: str, database: str) -> Iterator[Collection[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        yield client[database][COLLECTION]


Register = Collection[dict[str, Any]]


def zipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data_20260804.json", data)
    return packed.getvalue()


def imported(data: bytes, register: Register) -> Report:
    return import_register(io.BytesIO(data), register)


@pytest.mark.parametrize(
    "data", [LIST, PAGE, zipped(LIST), b"\xef\xbb\xbf  " + PAGE], ids=["list", "page", "zip", "byte order mark"]
)
def test_every_company_of_a_file_is_in_the_register(data: bytes, register: Register):
    report = imported(data, register)
    assert (report.records, report.new, report.changed, report.same) == (MANY, MANY, 0, 0)
    assert (report.stopped, report.last_business_id) == (None, business_id(MANY - 1))
    stored = {each["_id"]: RegisterEntry.model_validate(each) for each in register.find()}
    assert stored == {business_id(number): entry_of(record(number)) for number in range(MANY)}


def test_a_second_run_changes_nothing_and_says_so(register: Register):
    imported(LIST, register)
    before = list(register.find())
    report = imported(LIST, register)
    assert (report.new, report.changed, report.same) == (0, 0, MANY)
    assert list(register.find()) == before


def test_what_changed_is_changed_and_the_rest_is_left(register: Register):
    imported(LIST, register)
    report = imported(json.dumps([record(0, endDate="2026-08-01"), record(1)]).encode(), register)
    assert (report.new, report.changed, report.same) == (0, 1, 1)
    found = register.find_one({"_id": business_id(0)})
    assert found is not None
    assert found["situation"] == "ceased"


def test_a_company_that_comes_twice_is_there_once(register: Register):
    report = imported(json.dumps([record(0), record(0), record(1)]).encode(), register)
    assert (report.new, report.same) == (2, 1)


def test_a_refused_record_is_counted_with_its_reason_and_the_rest_goes_on(register: Register):
    wrong = record(businessId={"value": "0100130-5"})
    report = imported(json.dumps([record(0), wrong, {"names": []}, wrong, record(1)]).encode(), register)
    assert report.new == 2
    assert report.refused == {"business-id-check-digit": 2, "businessId: missing": 1}
    assert report.first_refused == {"business-id-check-digit": 2, "businessId: missing": 3}


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.999])
def test_of_a_file_cut_in_the_middle_what_was_read_is_kept(cut: float, register: Register):
    data = LIST[: int(len(LIST) * cut)]
    whole = data.count(b'"businessId"') - 1  # the last one is broken off
    report = imported(data, register)
    assert report.stopped == "the JSON is cut or broken"
    assert report.bytes_of_json == len(data)
    assert (report.records, report.new, report.last_business_id) == (whole, whole, business_id(whole - 1))
    assert register.count_documents({}) == whole
    assert imported(LIST, register).same == whole


def test_of_a_cut_archive_too_what_was_read_is_kept(register: Register):
    packed = zipped(LIST)
    report = imported(packed[: len(packed) // 2], register)
    assert report.stopped == "the zip is cut or broken"
    assert 0 < report.new < MANY
    assert report.last_business_id == business_id(report.new - 1)


FLAT = b'{"names":[' + b"[]," * 100_000 + b"[]]}"
HOSTILE = {
    "empty": (b"", "the JSON is cut or broken"),
    "no list": (b'{"message": "Too many requests"}', "it holds no list of companies"),
    "a text": (b"<html>not here</html>", "the JSON is cut or broken"),
    "not a number": (b"[NaN]", "the JSON is cut or broken"),
    "broken within": (LIST[:1000] + b"\xff\xfe{" + LIST[1000:], "the JSON is cut or broken"),
    "a number of 5,000 digits": (b"[" + b"9" * 5_000 + b"]", "the JSON is cut or broken"),
    "a number beyond all": (b"[1e999999999]", "the JSON is cut or broken"),
    "more behind it": (LIST + b"[]", "the JSON is cut or broken"),
    "endless text": (b'["' + b"x" * (RECORD_BYTES_MAX * 2), "no record ends within 2,000,000 bytes"),
    "endless number": (b"[" + b"1" * (RECORD_BYTES_MAX * 2), "no record ends within 2,000,000 bytes"),
    "endless depth": (b'[{"names":' + b"[" * 1_000_000, "lists and objects nest deeper than 30 levels"),
    "bomb": (zipped(b'["' + b" " * (RECORD_BYTES_MAX * 50)), "no record ends within 2,000,000 bytes"),
    "not quite a zip": (b"PK\x03\x04" + b"\0" * 10, "the zip is cut or broken"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_stops_the_import_and_nothing_else(name: str, register: Register):
    data, reason = HOSTILE[name]
    assert imported(data, register).stopped == reason


@pytest.mark.parametrize("one", [b"3", b"null", b'"text"', b"[[]]", FLAT], ids=["3", "null", "text", "list", "lists"])
def test_a_strange_record_is_one_refusal(one: bytes, register: Register):
    report = imported(b"[" + one + b"," + json.dumps(record(0)).encode() + b"]", register)
    assert (report.refused.total(), report.new) == (1, 1)


def folder_first(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/", b"")
        archive.writestr("data/data_20260804.json", data)
        archive.writestr("more.json", b"[]")
    return packed.getvalue()


def test_of_a_zip_the_first_file_is_read(register: Register):
    assert imported(folder_first(LIST), register).new == MANY


def locked(data: bytes) -> bytes:
    """A zip that says that its file is encrypted."""
    packed = bytearray(zipped(data))
    packed[6] |= 1
    return bytes(packed)


def test_a_locked_zip_is_said_to_be_broken(register: Register):
    assert imported(locked(LIST), register).stopped == "the zip is cut or broken"


def test_a_zip_of_endless_records_has_an_end(register: Register, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("companies.reading.RECORDS_MAX", 1_000)
    report = imported(zipped(b"[" + b"{}," * 1_000_000 + b"{}]"), register)
    assert report.stopped == "there are more than 1,000 records"
    assert report.refused == {"businessId: missing": 1_000}


def test_a_file_that_is_doubled_is_refused_from_its_second_half_on(register: Register):
    report = imported(PAGE + PAGE, register)
    assert (report.stopped, report.new) == ("the JSON is cut or broken", MANY)
