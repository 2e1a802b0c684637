"""The register out of the open API, page by page, into a real store."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from companies import classification, resuming
from companies.api_import import import_from_api
from companies.register import COLLECTION
from companies.resuming import Report
from companies.selecting import EVERYWHERE, NotSelectable, Selection, Wanted, names_of, select
from companies.testing import record
from companies.ytj_api import Asking, YtjApi
from companies.ytj_stand_in import Scripted, YtjStandIn, body
from pymongo import MongoClient
from pymongo.database import Database

pytestmark = pytest.mark.stack

Document = dict[str, Any]
Store = Database[Document]

MANY = 230


@pytest.fixture
def store(mongo_uri: str, database: str) -> Iterator[Store]:
    with MongoClient[Document](mongo_uri, tz_aware=True) as client:
        yield client[database]


@pytest.fixture
def server() -> Iterator[YtjStandIn]:
    with YtjStandIn(record(number) for number in range(MANY)) as running:
        yield running


async def imported(
    server: YtjStandIn, store: Store, selection: Selection = EVERYWHERE, told: list[Any] | None = None
) -> Report:
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    def tell(read: int, expected: int | None) -> None:
        if told is not None:
            told.append((read, expected))

    asking = Asking(server.address, per_second=1_000_000, attempts=2)
    async with YtjApi(asking, sleep=sleep) as api:
        return await import_from_api(api, asking.address, store, selection, tell)


def classify(store: Store, *classes: classification.Class) -> None:
    store[classification.COLLECTION].insert_many([classification.document(each) for each in classes])


AKAA = classification.Class(kind="municipality", code="020", parent="06", names={"fi": "Akaa"})
VALKEAKOSKI = classification.Class(kind="municipality", code="908", parent="06", names={"fi": "Valkeakoski"})
ESPOO = classification.Class(kind="municipality", code="049", parent="01", names={"fi": "Espoo", "sv": "Esbo"})


async def test_every_page_is_in_the_register_and_how_far_it_is_is_told(server: YtjStandIn, store: Store):
    told: list[Any] = []
    report = await imported(server, store, told=told)
    assert (report.records, report.new, report.stopped) == (MANY, MANY, None)
    assert told == [(100, MANY), (200, MANY), (MANY, MANY)]
    again = await imported(server, store)
    assert (again.new, again.same) == (0, MANY)
    assert store[COLLECTION].count_documents({}) == MANY


async def test_an_import_that_the_api_ended_goes_on_at_its_page(server: YtjStandIn, store: Store):
    whole = server.answer({"page": "1"})
    server.script.extend([Scripted(body=whole), Scripted(503), Scripted(503)])
    stopped = await imported(server, store)
    assert stopped.stopped == "it answered 503"
    assert store[COLLECTION].count_documents({}) == 100
    asked = len(server.asked)
    told: list[Any] = []
    report = await imported(server, store, told=told)
    assert [each.query["page"] for each in server.asked[asked:]] == ["2", "3"]
    assert (report.went_on_after, report.records, report.new) == (100, MANY, MANY)
    assert told[-1] == (MANY, MANY)
    assert store[resuming.COLLECTION].count_documents({}) == 0


async def test_a_company_that_comes_twice_is_there_once(server: YtjStandIn, store: Store):
    server.records = [record(0), record(0), record(1)]
    report = await imported(server, store)
    assert (report.new, report.same) == (2, 1)


async def test_strange_records_are_refusals(server: YtjStandIn, store: Store):
    server.script.append(Scripted(body=body([3, None, {"names": 1}, record(0)])))
    report = await imported(server, store)
    assert (report.new, report.refused.total(), report.stopped) == (1, 3, None)


async def test_a_short_page_in_the_middle_is_not_the_end(server: YtjStandIn, store: Store):
    server.script.append(Scripted(body=body([record(number) for number in range(99)], MANY)))
    report = await imported(server, store)
    assert [each.query["page"] for each in server.asked] == ["1", "2", "3"]
    assert report.records == MANY - 1


async def test_without_a_total_a_short_page_is_the_last(server: YtjStandIn, store: Store):
    for records in (range(100), range(100, 130)):
        told = [record(number) for number in records]
        server.script.append(Scripted(body=json.dumps({"companies": told}).encode()))
    assert (await imported(server, store)).new == 130
    assert len(server.asked) == 2


async def test_a_total_without_an_end_ends_with_an_empty_page(server: YtjStandIn, store: Store):
    server.script.append(Scripted(body=body([record(0)], 9_999_999)))
    server.script.append(Scripted(body=body([], 9_999_999)))
    assert (await imported(server, store)).new == 1


async def test_a_full_page_without_an_end_is_left(server: YtjStandIn, store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("companies.api_import.PAGES_MAX", 2)
    report = await imported(server, store)
    assert report.stopped == "there are more than 2 pages"


async def test_municipalities_are_asked_for_by_name_and_kept_by_code(server: YtjStandIn, store: Store):
    classify(store, AKAA, VALKEAKOSKI, ESPOO)
    elsewhere = record(500)
    elsewhere["addresses"][0]["postOffices"][0]["municipalityCode"] = "887"
    server.records.append(elsewhere)
    report = await imported(server, store, Selection(frozenset({"020", "049", "908"})))
    assert [each.query["location"] for each in server.asked] == ["Akaa", "Espoo", "Esbo", *["Valkeakoski"] * 3]
    assert (report.new, report.passed_by) == (MANY, 1)


async def test_without_their_names_nothing_is_asked(server: YtjStandIn, store: Store):
    with pytest.raises(NotSelectable, match="908"):
        await imported(server, store, Selection(frozenset({"908"})))
    assert server.asked == []


def draw(store: Store, id: str, college: str, name: str, *codes: str, removed: bool = False) -> None:
    state = {"name": name, "municipalities": list(codes), "removed": removed}
    store["areas"].insert_one({"_id": id, "college": college, "state": state})


def codes(store: Store, **wanted: Any) -> frozenset[str] | None:
    return select(store, Wanted(**wanted)).municipalities


def test_places_are_chosen_by_municipality_region_and_area(store: Store):
    classify(store, AKAA, VALKEAKOSKI, ESPOO)
    draw(store, "1", "vaao", "Etelä", "908", "020")
    draw(store, "2", "sasky", "Länsi", "790")
    draw(store, "3", "sasky", "Etelä", "049")
    draw(store, "4", "sasky", "Ennen", "001", removed=True)
    assert codes(store, municipalities=["908"]) == {"908"}
    assert codes(store, regions=["06"], municipalities=["049"]) == {"020", "049", "908"}
    assert codes(store, areas=["Länsi"]) == {"790"}
    assert codes(store, areas=["Etelä"], college="sasky") == {"049"}
    assert codes(store, areas=["1", "Länsi"]) == {"020", "790", "908"}
    assert codes(store, everything=True) is None
    for wrong in (
        {"municipalities": ["999"]},
        {"regions": ["99"]},
        {"areas": ["Etelä"]},
        {"areas": ["Ennen"]},
        {"areas": ["Länsi"], "college": "vaao"},
        {"areas": ["Länsi"], "everything": True},
    ):
        with pytest.raises(NotSelectable):
            codes(store, **wrong)


def test_before_there_is_a_classification_municipalities_are_taken_at_their_word(store: Store):
    assert codes(store, municipalities=["908"]) == {"908"}
    with pytest.raises(NotSelectable):
        codes(store, regions=["06"])


@pytest.mark.parametrize("embedded", [True, False])
def test_where_the_store_scans_the_areas_are_the_default(embedded: bool, store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("companies.selecting.scans", lambda _: embedded)  # pyright: ignore[reportUnknownLambdaType]
    assert codes(store) is None
    draw(store, "1", "vaao", "Etelä", "908", "020")
    draw(store, "2", "sasky", "Länsi", "790")
    assert codes(store) == ({"020", "790", "908"} if embedded else None)
    assert codes(store, college="vaao") == ({"020", "908"} if embedded else None)
    assert codes(store, everything=True) is None


def test_the_names_of_a_place_are_given_once(store: Store):
    classify(store, ESPOO, AKAA)
    assert names_of(store, Selection(frozenset({"049", "020"}))) == ["Akaa", "Espoo", "Esbo"]
