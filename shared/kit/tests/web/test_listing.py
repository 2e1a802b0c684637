"""Lists, page by page, on the real store: every document once, in order, whatever comes and goes meanwhile."""

import base64
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
from pydantic import AwareDatetime, Field, ValidationError
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from tyrsky.aggregate import Rejected
from tyrsky.listing import Listing, Moment, any_of, at_least, below, equals, fold, prefix

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
COMPANY = UUID("7d8e0a4e-3f7e-4a86-a3e5-9b6f7a4a0001")

Collection = AsyncCollection[dict[str, Any]]


class Status(Enum):
    """What became of a visit."""

    PLANNED = "planned"
    RECORDED = "recorded"


class Visits(Listing):
    """Which visits, in which order."""

    sorts = {"starts_at": "state.starts_at", "name": "state.name", "rank": "state.rank"}  # noqa: RUF012

    sort: Literal["starts_at", "-starts_at", "name", "-name", "rank", "-rank"] = Field(default="starts_at")
    company_id: Annotated[UUID | None, equals("state.company_id")] = None
    status: Annotated[list[Status], any_of("state.status")] = []  # noqa: RUF012 - Pydantic copies it
    name: Annotated[str | None, prefix("state.name")] = None
    starts_from: Annotated[Moment | None, at_least("state.starts_at")] = None
    starts_before: Annotated[AwareDatetime | None, below("state.starts_at")] = None
    rank: Annotated[int | None, equals("state.rank")] = None
    ranks: Annotated[list[int], any_of("state.rank")] = []  # noqa: RUF012


class Others(Visits):
    """Another list, of the same shape."""


def visit(
    name: str = "x", *, starts_at: datetime | None = NOON, rank: float | None = None, **state: Any
) -> dict[str, Any]:
    whole = {"name": fold(name), "starts_at": starts_at, "rank": rank, **state}
    known = {field: value for field, value in whole.items() if value is not None}
    return {"_id": str(uuid4()), "college": "vaao", "state": known}


@pytest.fixture
async def collection() -> AsyncIterator[Collection]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        os.environ.get("MONGO_URI", "mongodb://127.0.0.1:17017"), tz_aware=True, serverSelectionTimeoutMS=3_000
    )
    name = f"listing-{uuid4().hex}"
    yield client[name]["visits"]
    await client.drop_database(name)
    await client.close()


async def all_of(asked: Visits, collection: Collection) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(100):
        page = await asked.model_copy(update={"cursor": cursor}).page(collection, {"college": "vaao"})
        assert len(page.items) <= asked.limit
        found += page.items
        cursor = page.next
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


@pytest.mark.stack
@pytest.mark.parametrize("sort", ["starts_at", "-starts_at", "name", "-name", "rank", "-rank"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
async def test_each_once_and_in_order_with_ties_and_gaps(collection: Collection, sort: Any, limit: int):
    many = [visit("sama", starts_at=NOON, rank=1) for _ in range(3)]
    many += [visit(f"n{n}", starts_at=NOON + timedelta(milliseconds=n), rank=n / 2) for n in range(4)]
    many += [visit("", starts_at=None, rank=None) for _ in range(3)]
    await collection.insert_many([*many, {**visit(), "college": "sasky"}])
    found = await all_of(Visits(sort=sort, limit=limit), collection)
    assert sorted(one["_id"] for one in found) == sorted(one["_id"] for one in many)

    def key(one: dict[str, Any]) -> tuple[bool, Any, str]:
        value = one["state"].get(sort.removeprefix("-"))
        return (value is not None, value if value is not None else 0, one["_id"])

    assert found == sorted(found, key=key, reverse=sort.startswith("-"))


@pytest.mark.stack
async def test_what_comes_and_goes_meanwhile_moves_nothing_else(collection: Collection):
    many = [visit(starts_at=NOON + timedelta(hours=n)) for n in range(6)]
    await collection.insert_many(many)
    first = await Visits(limit=3).page(collection, {})
    await collection.insert_one(visit("before", starts_at=NOON - timedelta(hours=1)))
    await collection.delete_one({"_id": many[2]["_id"]})  # the one that the cursor stands on
    later = visit("after", starts_at=NOON + timedelta(hours=3, minutes=30))
    await collection.insert_one(later)
    second = await Visits(limit=3, cursor=first.next).page(collection, {})
    assert [one["_id"] for one in second.items] == [many[3]["_id"], later["_id"], many[4]["_id"]]


@pytest.mark.stack
async def test_filters_narrow_the_list(collection: Collection):
    ours = visit("Åkerblom Oy", company_id=str(COMPANY), status="planned", starts_at=NOON)
    other = visit("Akaan Paja", company_id=str(uuid4()), status="recorded", starts_at=NOON + timedelta(days=1))
    odd = visit("a.c (x) [y]* \\d", status="planned", starts_at=NOON + timedelta(days=2))
    await collection.insert_many([ours, other, odd])

    async def names(**asked: Any) -> list[str]:
        return [one["state"]["name"] for one in await all_of(Visits(**asked), collection)]

    assert await names(company_id=COMPANY) == ["åkerblom oy"]
    assert await names(status=["planned"]) == ["åkerblom oy", "a.c (x) [y]* \\d"]
    assert await names(status=["planned", "recorded"], starts_from=NOON + timedelta(days=1)) == [
        "akaan paja",
        "a.c (x) [y]* \\d",
    ]
    assert await names(starts_from=NOON, starts_before=NOON + timedelta(days=1)) == ["åkerblom oy"]
    assert await names(name="ÅKER") == ["åkerblom oy"]
    assert await names(name="A\u030aker") == ["åkerblom oy"]  # the letter written as two
    assert await names(name="a") == ["akaan paja", "a.c (x) [y]* \\d"]
    assert await names(name="a.c (X) [y]* \\D") == ["a.c (x) [y]* \\d"]
    for nothing in (".*", "a..n", "^akaan", "akaan\0", "kaan"):
        assert await names(name=nothing) == []


@pytest.mark.stack
async def test_nobody_sees_past_the_base(collection: Collection):
    await collection.insert_many([visit("a"), {**visit("b"), "college": "sasky"}])
    page = await Visits().page(collection, {"college": "sasky"})
    assert [one["state"]["name"] for one in page.items] == ["b"]


@pytest.mark.stack
async def test_a_cursor_belongs_to_one_list_one_order_and_one_set_of_filters(collection: Collection):
    await collection.insert_many([visit(starts_at=NOON + timedelta(hours=n)) for n in range(3)])
    cursor = (await Visits(limit=1).page(collection, {})).next
    assert cursor is not None
    assert (await Visits(limit=2, cursor=cursor).page(collection, {})).items  # another size of page is no other list
    for other in (
        Visits(sort="-starts_at", cursor=cursor),
        Visits(company_id=COMPANY, cursor=cursor),
        Others(cursor=cursor),
    ):
        assert await refusal(other, collection) == ("cursor-wrong", "cursor")


@pytest.mark.stack
async def test_a_cursor_that_was_tampered_with(collection: Collection):
    await collection.insert_many([visit(starts_at=NOON + timedelta(hours=n)) for n in range(3)])
    cursor = (await Visits(limit=1).page(collection, {})).next
    assert cursor is not None
    changed = [cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :] for n in range(len(cursor) - 1)]
    for wrong in ["", "x", "é", "====", "A" * 4_096, cursor[:-4], cursor + "AAAA", *changed]:
        assert await refusal(Visits(cursor=wrong), collection) == ("cursor-wrong", "cursor")


@pytest.mark.parametrize(
    "position",
    [
        '[{"$gt":""},"x"]',
        '["x",{"$ne":null}]',
        '[["x"],"x"]',
        "[1]",
        "7",
        '[{"at":"x"},"x"]',
        '[{"at":"0001-01-01T00:00:00+14:00"},"x"]',
        f'[{2**63},"x"]',
        '["\\ud800","x"]',
        '["x","\\ud800"]',
        "[" * 3_000,
    ],
)
def test_a_forged_cursor_carries_no_query(position: str):
    asked = Visits()
    sealed = asked._seal(position) + position.encode()  # pyright: ignore[reportPrivateUsage] - anybody can compute it
    cursor = base64.urlsafe_b64encode(sealed).decode()
    with pytest.raises(Rejected, match="cursor-wrong"):
        asked._position(cursor)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    "asked", [{"limit": 0}, {"limit": 201}, {"sort": "colour"}, {"colour": "red"}, {"cursor": "x" * 5_000}]
)
def test_what_the_list_cannot_be_asked(asked: dict[str, Any]):
    with pytest.raises(ValidationError):
        Visits(**asked)


BEYOND = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("time", BEYOND)
def test_a_moment_is_one_that_utc_has(time: str):
    with pytest.raises(ValidationError, match="beyond the calendar"):
        Visits.model_validate({"starts_from": time})


@pytest.mark.parametrize("time", [1_700_000_000, 1.7e9, "1700000000", "1.7e9", True])
def test_a_moment_is_no_number(time: object):
    with pytest.raises(ValidationError, match="RFC 3339"):
        Visits.model_validate({"starts_from": time})


@pytest.mark.stack
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        *[({"starts_before": time}, "starts_before") for time in BEYOND],
        ({"rank": 2**63}, "rank"),
        ({"rank": -(2**63) - 1}, "rank"),
        ({"ranks": [1, 2**64]}, "ranks"),
    ],
)
async def test_a_value_that_the_store_cannot_hold(collection: Collection, asked: dict[str, Any], field: str):
    assert await refusal(Visits.model_validate(asked), collection) == ("request-invalid", field)


@pytest.mark.stack
async def test_the_outermost_values_that_the_store_can_hold(collection: Collection):
    outermost: list[dict[str, Any]] = [{"rank": 2**63 - 1}, {"rank": -(2**63)}]
    outermost += [{"starts_from": time} for time in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z")]
    for asked in outermost:
        assert (await Visits.model_validate(asked).page(collection, {})).items == []


@pytest.mark.stack
async def test_a_page_is_seen_as_something_else(collection: Collection):
    await collection.insert_many([visit("a", starts_at=NOON), visit("b", starts_at=NOON + timedelta(hours=1))])
    page = await Visits(limit=1).page(collection, {})
    seen = page.of(lambda one: one["state"]["name"])
    assert (seen.items, seen.next) == (["a"], page.next)


async def refusal(asked: Visits, collection: Collection) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as refused:
        await asked.page(collection, {})
    return refused.value.code, refused.value.field
