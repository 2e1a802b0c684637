"""Official classifications out of their files: the traps of what is published, and whatever else a file may hold."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from companies.classification import COLLECTION, Class, Kind
from companies.classifying import Report, classes_of, classify
from companies.tabular import COLUMNS_MAX, FILE_BYTES_MAX, ROWS_MAX, NotReadable
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.collection import Collection

Document = dict[str, Any]

# The official files stand beside the project; a clone that stands alone has the rows below.
DATA = Path(__file__).parents[4] / "shared" / "data"

REGIONS = (
    "code,level,parent,name_fi,name_sv,name_en\n06,1,,Pirkanmaa,Birkaland,Pirkanmaa\n19,1,,Lappi,Lappland,Lapland\n"
)
MUNICIPALITIES = (
    "code,name_fi,name_sv,name_en,region_code,region_fi,elinvoimakeskus_fi\n"
    "020,Akaa,Akaa,Akaa,06,Pirkanmaa,Sisä-Suomen elinvoimakeskus\n"
    "908,Valkeakoski,Valkeakoski,Valkeakoski,06,Pirkanmaa,Sisä-Suomen elinvoimakeskus\n"
)
TOL2008 = (
    "code,level,parent,name_fi,name_sv,name_en\n"
    "SSSSS,0.0,,Toimialat yhteensä,Näringsgrenindelning total,Industries total\n"
    'I,1.0,SSSSS,"Majoitus- ja ravitsemistoiminta",Hotell- och restaurangverksamhet,Accommodation and food\n'
    "56,2.0,I,Ravitsemistoiminta,Restaurang,Food and beverage service activities\n"
)
TOL2025 = "code,level,parent,name_fi,name_en\n56,2,I,Ravitsemistoiminta,Food\nI,1,,Majoitus,Accommodation\n"
TITLES = (
    "code,name_fi,name_sv,name_en\n00000,------,------,\n10225,Ympäristönhuoltaja,Miljöskötare,\n"
    "10013,Yhdistelmäajoneuvonkuljettaja,Kombinationsfordonsförare,Articulated Vehicle Driver \n4,Mikromekaanikko,,\n"
)


def read(kind: Kind, text: str | bytes) -> tuple[dict[str, Class], Report]:
    report = Report()
    found, _ = classes_of(kind, text.encode() if isinstance(text, str) else text, report)
    return {each.code: each for each in found}, report


def refused(kind: Kind, *rows: str, header: str = "code,level,parent,name_fi") -> list[tuple[int, str]]:
    return read(kind, "\n".join([header, *rows]))[1].errors


def test_municipalities_lie_in_regions():
    found, report = read("municipality", MUNICIPALITIES)
    assert found["908"] == Class(
        kind="municipality",
        code="908",
        parent="06",
        names={"fi": "Valkeakoski", "sv": "Valkeakoski", "en": "Valkeakoski"},
    )
    assert (report.rows, report.refused) == (2, 0)


def test_levels_with_decimals_are_levels_and_totals_are_no_classes():
    found, report = read("tol2008", TOL2008)
    assert {code: (each.level, each.parent) for code, each in found.items()} == {"I": (1, None), "56": (2, "I")}
    assert report.passed_by == {"total": 1}
    assert report.refused == 0


def test_a_language_that_is_missing_is_told_and_finnish_stands_in_for_it():
    found, report = read("tol2025", TOL2025)
    assert report.untranslated == {"sv": 2}
    assert found["56"].called("en") == ("Food", "en")
    assert found["56"].called("sv") == ("Ravitsemistoiminta", "fi")


def test_what_lies_above_may_come_later_in_the_file():
    assert read("tol2025", TOL2025)[0]["56"].parent == "I"


def test_placeholders_are_passed_by_and_blanks_about_names_are_not_theirs():
    found, report = read("qualification-title", TITLES)
    assert report.passed_by == {"placeholder": 1}
    assert set(found) == {"10225", "10013", "4"}
    assert found["10013"].names["en"] == "Articulated Vehicle Driver"
    assert report.untranslated == {"en": 2, "sv": 1}


@pytest.mark.parametrize("wrap", ["{}", "\ufeff{}"])
@pytest.mark.parametrize("by", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_is_read_however_a_spreadsheet_has_saved_it(wrap: str, by: str, end: str):
    text = wrap.format(REGIONS.replace(",", by).replace("\n", end))
    assert set(read("region", text)[0]) == {"06", "19"}


def test_codes_in_quotes_and_columns_in_another_order():
    found, _ = read("tol2008", "NAME_FI;Code;whatever\n\"Ravitsemistoiminta; muu\";'56';x\n")
    assert found["56"].names == {"fi": "Ravitsemistoiminta; muu"}


def test_nothing_lies_in_itself_also_where_there_are_no_levels():
    assert refused("tol2008", "I,,Majoitus", "56,56,Ravitsemis", header="code,parent,name_fi") == [(3, "parent-wrong")]


def test_a_code_whose_zeros_a_spreadsheet_has_eaten_is_refused():
    assert refused("municipality", "20,,,Akaa", "908,,,Valkeakoski") == [(2, "code-wrong")]


WRONG = {
    "no code": (",1,,Nimi", "code-missing"),
    "a code of something else": ("5610,1,,Nimi", "code-wrong"),
    "twice": ("06,1,,Pirkanmaa", "code-twice"),
    "a level that is none": ("07,1.5,,Nimi", "level-wrong"),
    "a level in words": ("07,yksi,,Nimi", "level-wrong"),
    "a level of many digits": ("07,11,,Nimi", "level-wrong"),
    "in nothing": ("07,2,99,Nimi", "parent-wrong"),
    "in itself": ("07,2,07,Nimi", "parent-wrong"),
    "in what is not above it": ("07,1,06,Nimi", "parent-wrong"),
    "in no code": ("07,2,!,Nimi", "parent-wrong"),
    "no name": ("07,1,,", "name-missing"),
    "a long name": (f"07,1,,{'x' * 301}", "name-wrong"),
    "a name that is not seen": ("07,1,,Ni\u202emi", "name-wrong"),
    "a name with a zero": ("07,1,,Ni\0mi", "name-wrong"),
    "short": ("07,1", "code-missing"),
    "long": ("07,1,,Nimi,x", "code-missing"),
}


@pytest.mark.parametrize("which", WRONG)
def test_a_row_that_is_wrong_is_told_by_its_line_and_spoils_no_other(which: str):
    row, reason = WRONG[which]
    found, report = read("region", f"code,level,parent,name_fi\n06,1,,Pirkanmaa\n{row}\n19,1,,Lappi\n")
    assert report.errors == [(3, reason)]
    assert {"06", "19"} <= set(found)
    assert report.refused == 1


NOT_READABLE = {
    "empty": b"",
    "another table": b"nimi,koodi\nx,1\n",
    "no rows": b"code,name_fi\n",
    "of another classification": b"code,name_fi\n10225,Nimi\n",
    "latin 1": "code,name_fi\n06,Päijät-Häme\n".encode("latin-1"),
    "a spreadsheet": b"PK\x03\x04\x14\x00\x08\x08",
    "too large": b"code,name_fi\n" + (b"06," + b"x" * 120_000 + b"\n") * (FILE_BYTES_MAX // 120_000 + 1),
    "too many rows": b"code,name_fi\n" + b"06,x\n" * (ROWS_MAX + 1),
    "too many columns": b"code,name_fi," + b"x," * COLUMNS_MAX + b"\n06,x\n",
    "an endless cell": b'code,name_fi\n06,"' + b"x" * 1_000_000,
    "broken quotes": b'code,name_fi\n06,"Pirkan"maa"\n',
    "an open quote": b'code,name_fi\n06,"Pirkanmaa\n19,Lappi\n',
}


@pytest.mark.parametrize("which", NOT_READABLE)
def test_what_is_no_such_file_is_refused_whole(which: str):
    with pytest.raises(NotReadable):
        read("region", NOT_READABLE[which])


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
@example("\r")
@example('"')
def test_whatever_a_file_holds_it_is_classes_or_a_refusal(text: str):
    with suppress(NotReadable):
        found, report = read("region", "code,level,parent,name_fi\n06,1,,Pirkanmaa\n" + text)
        assert len(found) + report.refused + report.passed_by.total() == report.rows


OFFICIAL: dict[str, tuple[Kind, int]] = {
    "fi_municipalities_2025.csv": ("municipality", 308),
    "maakunta_2025_fi_sv_en.csv": ("region", 19),
    "tol2008_fi_sv_en.csv": ("tol2008", 111),
    "tol2025_fi_en.csv": ("tol2025", 109),
    "koulutusala_2016_fi_sv_en.csv": ("field-of-education", 44),
    "tutkintonimikkeet_fi_sv_en.csv": ("qualification-title", 459),
}


@pytest.mark.skipif(not DATA.exists(), reason="the official files are not beside the project")
@pytest.mark.parametrize("name", OFFICIAL)
def test_every_official_file_is_read_without_a_refusal(name: str):
    kind, classes = OFFICIAL[name]
    found, report = read(kind, (DATA / name).read_bytes())
    assert report.errors == []
    assert len(found) == classes
    assert report.rows == classes + report.passed_by.total()


@pytest.fixture
def collection(mongo_uri: str, database: str) -> Iterator[Collection[Document]]:
    with MongoClient[Document](mongo_uri) as client:
        yield client[database][COLLECTION]


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.new, report.changed, report.same, report.gone


@pytest.mark.stack
def test_an_import_says_what_is_new_changed_the_same_and_gone(collection: Collection[Document]):
    assert counts(classify(collection, "region", REGIONS.encode())) == (2, 0, 0, 0)
    before = list(collection.find())
    assert counts(classify(collection, "region", REGIONS.encode())) == (0, 0, 2, 0)
    assert list(collection.find()) == before
    other = REGIONS.replace("Lapland", "Sápmi").replace("06,1,,Pirkanmaa,Birkaland,Pirkanmaa\n", "05,1,,Kanta-Häme,,\n")
    assert counts(classify(collection, "region", other.encode())) == (1, 1, 0, 1)
    assert {each["code"]: each["gone"] for each in collection.find()} == {"05": False, "06": True, "19": False}
    assert counts(classify(collection, "region", REGIONS.encode())) == (0, 2, 0, 1)


@pytest.mark.stack
def test_classifications_do_not_touch_one_another(collection: Collection[Document]):
    classify(collection, "tol2008", TOL2008.encode())
    assert counts(classify(collection, "tol2025", TOL2025.encode())) == (2, 0, 0, 0)
    assert collection.count_documents({"gone": True}) == 0
    assert collection.count_documents({}) == 4


@pytest.mark.stack
def test_a_row_that_is_wrong_now_is_not_gone(collection: Collection[Document]):
    classify(collection, "region", REGIONS.encode())
    report = classify(collection, "region", REGIONS.replace("19,1,,Lappi", "19,x,,Lappi").encode())
    assert (report.refused, report.gone) == (1, 0)


@pytest.mark.stack
def test_of_a_cut_file_nothing_is_gone_until_that_is_said(collection: Collection[Document]):
    rows = "".join(f"{number:03},Kunta {number:03}\n" for number in range(100))
    classify(collection, "municipality", f"code,name_fi\n{rows}".encode())
    cut = f"code,name_fi\n{rows[: len(rows) // 2]}".encode()
    report = classify(collection, "municipality", cut)
    assert (report.gone, report.held) == (0, 50)
    assert collection.count_documents({"gone": True}) == 0
    assert classify(collection, "municipality", cut, gone=True).gone == 50


@pytest.mark.stack
def test_a_file_that_cannot_be_read_changes_nothing(collection: Collection[Document]):
    classify(collection, "region", REGIONS.encode())
    with pytest.raises(NotReadable):
        classify(collection, "region", b'code,name_fi\n05,Kanta\n06,"')
    assert {each["code"] for each in collection.find()} == {"06", "19"}
