"""Each way in which the register is searched: what it finds, and by which index."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from companies import classification, indexes, register
from companies.api.classifications import AnyClassesAsked, ClassesAsked, MunicipalitiesAsked
from companies.api.register import EntriesAsked
from pymongo.errors import OperationFailure
from tyrsky.listing import Filter, Listing
from tyrsky.service import Service

from .calling import Client

Registered = Callable[..., Awaitable[str]]

OLDER = {"type": "56302", "typeCodeSet": "TOIMI3"}
EMPLOYER = [{"type": "41", "register": "7"}]
BANKRUPT = [{"type": "KONK", "registrationDate": "2026-01-01"}]
NOT_SEARCHES = {"limit", "cursor", "sort"}


@pytest.mark.stack
@pytest.mark.asyncio(loop_scope="session")
async def test_each_search_finds_what_it_says(service: Service, staff: Client, registered: Registered):
    names = [
        {"name": "Hakupaja Äänekäs Oy", "type": "1"},
        {"name": "Hakuverkstad Ab", "type": "2"},
        {"name": "Hakukahvila", "type": "3"},
        {"name": "Ennen Hakunen Oy", "type": "1", "endDate": "2020-01-01"},
    ]
    one = await registered(names=names, registeredEntries=EMPLOYER)
    two = await registered(names=[{"name": "Hakupaja Toinen Oy", "type": "1"}], mainBusinessLine=OLDER)
    three = await registered(names=[{"name": "Hakupaja Kolmas Oy", "type": "1"}], companySituations=BANKRUPT)
    await service.database[register.COLLECTION].update_one({"_id": two}, {"$set": {"size_class": "small"}})

    async def found(**asked: Any) -> set[str]:
        answer = await staff.get("/register", **asked)
        assert answer.status_code == 200, answer.text
        return {each["business_id"] for each in answer.json()["items"]}

    assert await found(name="hakupaja") == {one, two, three}
    for typed in ("aanekas", "ÄÄNEK", "hakuverk", "hakukahv", "hakunen"):
        assert await found(name=typed) == {one}, typed
    assert await found(name="hakupaja", business_line="563") == {one, two, three}
    assert await found(name="hakupaja", business_line="56302") == {two}
    assert await found(name="hakupaja", business_line_codes="TOL2008") == {two}
    assert await found(name="hakupaja", business_line="563", business_line_codes="TOL2025") == {one, three}
    assert await found(name="hakupaja", likely_employer="true") == {one}
    assert await found(name="hakupaja", likely_employer="false") == {two, three}
    assert await found(name="hakupaja", situation=["bankrupt", "ceased"]) == {three}
    assert await found(name="hakupaja", size_class=["small", "micro"]) == {two}
    assert await found(name="hakupaja", size_class="large") == set()
    assert (await staff.get(f"/register/{two}")).json()["size_class"] == "small"
    for wrong in ({"size_class": "tiny"}, {"situation": "well"}, {"business_line_codes": "TOL1995"}):
        assert (await staff.get("/register", **wrong)).status_code == 422


LISTS: list[tuple[type[Listing], dict[str, register.Index]]] = [
    (EntriesAsked, register.SEARCHES),
    (AnyClassesAsked, classification.SEARCHES),
    (MunicipalitiesAsked, classification.SEARCHES),
]

ALONG = {"business_line_codes", "likely_employer"}
"""What so many companies have that it is best looked for along the list's own order."""


@pytest.mark.parametrize(("listing", "searches"), LISTS, ids=lambda each: getattr(each, "__name__", ""))
def test_each_search_has_an_index_that_begins_with_what_it_asks(
    listing: type[Listing], searches: dict[str, register.Index]
):
    by_kind = issubclass(listing, ClassesAsked)
    for name, declared in listing.model_fields.items():
        if name in NOT_SEARCHES:
            continue
        index = [field for field, _ in searches[name]]
        for mark in (mark for mark in declared.metadata if isinstance(mark, Filter)):
            if name in ALONG or name == "level":
                assert index[-2:] == [*listing.sorts.values(), "_id"], name
            else:
                assert mark.field in (index[1:3] if by_kind else index[:1]), name
        assert not by_kind or index[0] == "kind"


def test_places_are_looked_for_by_municipality():
    for name in ("region", "area", "municipality"):
        assert register.SEARCHES[name][0] == ("municipality", 1)


def test_what_is_one_value_comes_in_the_lists_order():
    """So a page is read off the index, and nothing is sorted: each sort there is, after the field."""
    for sort in EntriesAsked.sorts.values():
        for name in ("municipality", "region", "area", "business_line", "size_class", "situation"):
            assert register.SEARCHES[name][1:] == ((sort, 1), ("_id", 1)), name
        assert ((sort, 1), ("_id", 1)) in register.INDEXES


def test_every_index_of_a_search_is_declared():
    for collection, searches in (
        (register.COLLECTION, register.SEARCHES),
        (classification.COLLECTION, classification.SEARCHES),
    ):
        declared = {tuple(index) for index in indexes.INDEXES[collection]}
        assert {index for index in searches.values() if index != (("_id", 1),)} <= declared


ASKED: dict[str, dict[str, Any]] = {
    "business_id": {"business_id": "0100130-4"},
    "name": {"name": "hakupaja"},
    "municipality": {"municipality": "908"},
    "business_line": {"business_line": "56300"},
    "size_class": {"size_class": ["micro"]},
    "situation": {"situation": ["bankrupt"]},
}


@pytest.mark.stack
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("search", ASKED)
async def test_mongodb_has_the_index_that_is_named(search: str, service: Service, registered: Registered):
    await registered()
    await indexes.prepare(service.database)
    asked = EntriesAsked(sort="name", **ASKED[search])
    wanted = {"$and": [{}, *asked._conditions()]}  # pyright: ignore[reportPrivateUsage]
    query = {"find": register.COLLECTION, "filter": wanted, "sort": {"name": 1, "_id": 1}, "limit": 51}
    try:
        plan = await service.database.command("explain", query, verbosity="queryPlanner")
        told = repr(plan["queryPlanner"])  # with the plans that it did not take: which it does, is for its statistics
    except (OperationFailure, KeyError):
        pytest.skip("the embedded server does not plan: it scans")
    assert "COLLSCAN" not in told
    name = "_".join(f"{field}_{order}" for field, order in register.SEARCHES[search])
    assert f"'{name}'" in told or (search == "business_id" and ("IDHACK" in told or "'_id_'" in told))
