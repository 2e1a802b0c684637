"""Records of the open data: its traps, and whatever else a file may hold."""

import copy
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from companies.register import Address, RegisterEntry
from companies.testing import business_id, full_record, record
from companies.ytj import NotUnderstood, entry_of
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

# Real records stand beside the project; a clone that stands alone has the made-up one.
SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "ytj_v3_sample_companies.json"
REAL: list[dict[str, Any]] = json.loads(SAMPLE.read_text("utf-8"))["companies"] if SAMPLE.exists() else []
SITUATIONS = {"0100130-4": "active", "3323553-5": "active", "2283132-3": "active", "0100002-9": "ceased"}


def test_a_record_becomes_an_entry():
    assert entry_of(record(7)) == RegisterEntry(
        business_id=business_id(7),
        name="Testikahvila Hämärä 7 Oy",
        form="16",
        form_name={"fi": "Osakeyhtiö"},
        business_line="56300",
        business_line_codes="TOL2025",
        business_line_name={"fi": "Kahvilat"},
        municipality="908",
        addresses=(
            Address(
                kind="street", line="Valtakatu 1", post_code="37600", city={"fi": "VALKEAKOSKI"}, municipality="908"
            ),
        ),
        registered_on="2012-05-02",  # pyright: ignore[reportArgumentType] - a date, as JSON has it
    )


@pytest.mark.parametrize("real", [*REAL, record()])
def test_the_situation_of_real_companies_is_read_right(real: dict[str, Any]):
    entry = entry_of(real)
    assert entry.situation == SITUATIONS.get(entry.business_id, "active")


def test_the_current_name_is_the_one_that_has_not_ended():
    names = [
        {"name": "Ennen Oy", "type": "1", "registrationDate": "2001-01-01", "endDate": "2020-01-01"},
        {"name": "Filial", "type": "3", "registrationDate": "2024-01-01"},
        {"name": "Nyt Oy", "type": "1", "registrationDate": "2020-01-01"},
        {"name": "Nu Ab", "type": "2", "registrationDate": "2020-01-01"},
        {"name": "Muu", "type": "9"},
    ]
    entry = entry_of(record(names=names))
    assert entry.name == "Nyt Oy"
    assert [(other.name, other.kind) for other in entry.other_names] == [
        ("Ennen Oy", "former"),
        ("Filial", "auxiliary"),
        ("Nu Ab", "parallel"),
        ("Muu", "other"),
    ]


def test_a_company_whose_every_name_has_ended_has_ceased_under_the_last_of_them():
    names = [
        {"name": "Viimeksi Oy", "type": "1", "registrationDate": "2001-01-01", "endDate": "2020-01-01"},
        {"name": "Ensin Oy", "type": "1", "registrationDate": "1991-01-01", "endDate": "2001-01-01"},
    ]
    entry = entry_of(record(names=names))
    assert (entry.name, entry.situation, str(entry.situation_since)) == ("Viimeksi Oy", "ceased", "2020-01-01")


TRADE_CEASED = [
    {"type": "1", "register": "1", "registrationDate": "2012-05-02", "endDate": "2024-06-30"},
    {"type": "4", "register": "1", "registrationDate": "2024-07-01"},
]
REVIVED = [*TRADE_CEASED[1:], {"type": "1", "register": "1", "registrationDate": "2025-01-01"}]
BANKRUPT = {"type": "KONK", "registrationDate": "2023-03-03"}
LIQUIDATION = {"type": "SELTILA", "registrationDate": "2023-02-02"}
RESTRUCTURING = {"type": "SANE", "registrationDate": "2023-01-01"}


@pytest.mark.parametrize(
    ("fields", "situation", "since"),
    [
        ({}, "active", None),
        ({"status": "1", "tradeRegisterStatus": "4"}, "active", None),
        ({"endDate": "2024-01-31"}, "ceased", "2024-01-31"),
        ({"endDate": ""}, "active", None),
        ({"registeredEntries": TRADE_CEASED}, "ceased", "2024-07-01"),
        ({"registeredEntries": REVIVED}, "active", None),
        ({"companySituations": [BANKRUPT]}, "bankrupt", "2023-03-03"),
        ({"companySituations": [LIQUIDATION]}, "in-liquidation", "2023-02-02"),
        ({"companySituations": [RESTRUCTURING]}, "in-restructuring", "2023-01-01"),
        ({"companySituations": [RESTRUCTURING, BANKRUPT]}, "bankrupt", "2023-03-03"),
        ({"companySituations": [RESTRUCTURING | {"endDate": "2024-01-01"}]}, "active", None),
        ({"companySituations": [BANKRUPT], "endDate": "2024-01-31"}, "ceased", "2024-01-31"),
        ({"companySituations": None, "registeredEntries": None}, "active", None),
    ],
)
def test_the_situation_is_read_from_dates_and_entries_never_from_the_status(
    fields: dict[str, Any], situation: str, since: str | None
):
    entry = entry_of(record(**fields))
    assert (entry.situation, entry.situation_since and str(entry.situation_since)) == (situation, since)


def test_a_line_of_business_comes_with_its_classification():
    older = {"type": "56302", "typeCodeSet": "TOIMI3", "descriptions": [{"languageCode": "2", "description": "Kaféer"}]}
    entry = entry_of(record(mainBusinessLine=older))
    assert (entry.business_line, entry.business_line_codes, entry.business_line_name) == (
        "56302",
        "TOL2008",
        {"sv": "Kaféer"},
    )


@pytest.mark.parametrize(
    ("entry", "likely"),
    [
        ({"register": "7", "type": "41"}, True),
        ({"register": "7", "type": "42"}, True),
        ({"register": 7, "type": 41}, True),
        ({"register": "7", "type": "41", "endDate": "2020-01-01"}, False),
        ({"register": "7", "type": "43"}, False),
        ({"register": "6", "type": "41"}, False),
    ],
)
def test_a_regular_employer_is_a_likely_one(entry: dict[str, Any], likely: bool):
    assert entry_of(record(registeredEntries=[entry])).likely_employer is likely


def test_a_company_is_where_its_street_is_not_its_post():
    post = {"type": 2, "postOfficeBox": "12", "postOffices": [{"city": "ESPOO", "municipalityCode": "049"}]}
    street = record()["addresses"][0]
    entry = entry_of(record(addresses=[post, street, {"type": 9, "street": "?"}]))
    assert entry.municipality == "908"
    assert [(address.kind, address.line) for address in entry.addresses] == [
        ("postal", "PL 12"),
        ("street", "Valtakatu 1"),
    ]
    assert entry_of(record(addresses=[post])).municipality == "049"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (None, "record: model_type"),
        ([], "record: model_type"),
        ({}, "businessId: missing"),
        (record(businessId={"value": "0100130-5"}), "business-id-check-digit"),
        (record(names=[]), "name-missing"),
        (record(names=[{"name": "Vain toiminimi", "type": "3"}]), "name-missing"),
        (record(names=[{"name": "   ", "type": "1"}]), "name-missing"),
        (record(names=[{"name": "x" * 301, "type": "1"}]), "names.*.name: string_too_long"),
        (record(endDate="yesterday"), "endDate: date_from_datetime_parsing"),
        (record(registeredEntries=[{}] * 501), "registeredEntries: too_long"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_reason_that_quotes_nothing(bad: object, reason: str):
    with pytest.raises(NotUnderstood) as refusal:
        entry_of(bad)
    assert refusal.value.reason == reason


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A good record in which one thing, somewhere, was replaced by anything at all."""
    whole: Any = copy.deepcopy(record(names=[{"name": "Nyt Oy", "type": "1"}, {"name": "Nu Ab", "type": "2"}]))
    node = whole
    while True:
        keys = sorted(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw(st.sampled_from(keys))
        if not isinstance(node[key], dict | list) or not node[key] or draw(st.booleans()):
            node[key] = draw(ANYTHING)
            return whole
        node = node[key]


@settings(max_examples=300, deadline=None)
@given(mutated() | ANYTHING)
def test_whatever_a_record_holds_it_is_an_entry_or_a_refusal(anything: Any):
    with suppress(NotUnderstood):
        entry = entry_of(anything)
        assert RegisterEntry.model_validate_json(entry.model_dump_json()) == entry


SCHEMA = SAMPLE.with_name("ytj_v3_response.schema.json")


@pytest.mark.skipif(not SCHEMA.exists(), reason="the API's schema is not beside the project")
def test_what_is_made_up_is_of_the_real_schema_and_size():
    made = [full_record(number) for number in range(50)]
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate({"totalResults": 50, "companies": made})
    for each in [*made, record()]:
        assert entry_of(each).name
    assert 2_500 < len(json.dumps(made, ensure_ascii=False).encode()) / 50 < 4_500  # 1.45 GB of 461,000


def test_what_is_made_up_is_the_same_each_time_and_not_all_alike():
    assert full_record(3) == full_record(3)
    entries = [entry_of(full_record(number)) for number in range(60)]
    assert len({each.municipality for each in entries}) == 5
    assert {each.business_line_codes for each in entries} == {"TOL2008", "TOL2025"}
    assert {each.situation for each in entries} == {"active", "ceased"}
    assert {each.likely_employer for each in entries} == {True, False}
    assert {other.kind for each in entries for other in each.other_names} == {"former", "parallel", "auxiliary"}
