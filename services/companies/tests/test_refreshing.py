"""Companies in care are kept as the register has them: asked for once a day, by one of several instances."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from companies import claiming, register
from companies.claiming import LOOKS_MAX, DayWork
from companies.company import company_id
from companies.refreshing import AWAY_MAX, InCare, Refresh
from companies.register import RegisterEntry
from companies.settings import Settings
from companies.testing import business_id, record
from companies.ytj import entry_of
from companies.ytj_stand_in import Scripted, YtjStandIn, body
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.aggregate import Rejected

pytestmark = pytest.mark.stack

Document = dict[str, Any]
Store = AsyncDatabase[Document]

NIGHT = datetime(2026, 9, 1, 2, 30, tzinfo=UTC)
MANY = 12


@pytest.fixture
async def store(mongo_uri: str, database: str) -> AsyncIterator[Store]:
    client = AsyncMongoClient[Document](mongo_uri, tz_aware=True)
    yield client[database]
    await client.close()


@pytest.fixture
def server() -> Iterator[YtjStandIn]:
    with YtjStandIn(record(number) for number in range(MANY)) as running:
        yield running


class Instance:
    """One instance of the service, with what it told companies."""

    def __init__(self, store: Store, server: YtjStandIn, **other: Any) -> None:
        self.told: list[tuple[InCare, RegisterEntry]] = []
        self.now = NIGHT
        hour: dict[str, Any] = {"register_refresh_hour": 2}
        settings = Settings(
            colleges=frozenset({"vaao", "sasky"}),
            oidc_issuer="http://127.0.0.1:1",
            register_api=server.address,
            register_api_per_second=10,
            register_api_attempts=2,
            **(hour | other),
        )
        self.refresh = Refresh(store, settings, self.tell, now=lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    async def tell(self, company: InCare, entry: RegisterEntry) -> None:
        self.told.append((company, entry))

    async def look(self, *, after: timedelta = timedelta()) -> list[str]:
        """What it told at a look, by business id."""
        self.now += after
        before = len(self.told)
        await self.refresh.look()
        return [entry.business_id for _, entry in self.told[before:]]


async def in_care(store: Store, college: str, *numbers: int, known: bool = True) -> None:
    for number in numbers:
        id = business_id(number)
        state = {"business_id": id, "name": "x"}
        await store["companies"].insert_one({"_id": str(company_id(college, id)), "college": college, "state": state})
        if known:
            wanted = register.document(entry_of(record(number)))
            await store[register.COLLECTION].replace_one({"_id": id}, wanted, upsert=True)


async def entry(store: Store, number: int) -> Document:
    found = await store[register.COLLECTION].find_one({"_id": business_id(number)})
    assert found is not None
    return found


async def counts(store: Store) -> dict[str, int]:
    work = await store[claiming.COLLECTION].find_one({})
    assert work is not None
    return work["counts"]


DAY = timedelta(days=1)


async def test_each_company_in_care_is_asked_for_and_told_what_the_register_has(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0, 1)
    await in_care(store, "sasky", 1, 2)
    server.records[1] = record(1, endDate="2026-08-31")
    instance = Instance(store, server)
    await instance.look()
    assert Counter(each.query["businessId"] for each in server.asked) == {business_id(n): 1 for n in range(3)}
    assert [(each.college, entry.business_id, entry.situation) for each, entry in instance.told] == [
        ("vaao", business_id(0), "active"),
        ("sasky", business_id(1), "ceased"),
        ("vaao", business_id(1), "ceased"),
        ("sasky", business_id(2), "active"),
    ]
    assert instance.told[0][0].company_id == company_id("vaao", business_id(0))
    assert (await entry(store, 1))["situation"] == "ceased"
    assert await counts(store) == {"same": 2, "changed": 1, "companies": 3}


async def test_a_day_has_one_refresh(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", *range(3))
    instance, other = Instance(store, server), Instance(store, server)
    assert len(await instance.look()) == 3
    for after in (timedelta(minutes=1), timedelta(hours=5), timedelta(hours=16)):
        assert await instance.look(after=after) == []
        assert await other.look(after=after) == []
    assert len(await instance.look(after=DAY)) == 3


async def test_it_begins_at_its_hour(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0)
    instance = Instance(store, server, register_refresh_hour=4)
    assert await instance.look() == []
    assert await instance.look(after=timedelta(hours=1, minutes=29)) == []
    assert len(await instance.look(after=timedelta(minutes=1))) == 1


async def test_what_was_asked_just_now_is_not_asked_again_and_told_all_the_same(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0)
    instance = Instance(store, server, register_answer_seconds=36 * 3600)
    await instance.look()
    assert await instance.look(after=DAY) == [business_id(0)]
    assert len(server.asked) == 1
    await instance.look(after=DAY)
    assert len(server.asked) == 2


async def test_an_answer_that_has_not_changed_is_not_sent_again(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0)
    instance = Instance(store, server)
    await instance.look()
    etag = (await entry(store, 0))["asked"]["etag"]
    assert await instance.look(after=DAY) == [business_id(0)]
    assert server.asked[-1].headers["if-none-match"] == etag
    kept = (await entry(store, 0))["asked"]
    assert kept == {"etag": etag, "last_modified": None, "at": NIGHT + DAY}
    server.records[0] = record(0, endDate="2026-08-31")
    await instance.look(after=DAY)
    assert instance.told[-1][1].situation == "ceased"


async def test_what_an_import_brought_is_told_too(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0)
    instance = Instance(store, server)
    await instance.look()
    changed = register.document(entry_of(record(0, website={"url": "www.uusi.example"})))
    await store[register.COLLECTION].update_one({"_id": business_id(0)}, {"$set": changed})
    server.script.append(Scripted(304))
    await instance.look(after=DAY)
    assert instance.told[-1][1].website == "www.uusi.example"


async def test_of_two_instances_one_does_it(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", *range(MANY))
    instances = [Instance(store, server) for _ in range(4)]
    await asyncio.gather(*(each.look() for each in instances))
    assert sorted(len(each.told) for each in instances) == [0, 0, 0, MANY]
    assert len(server.asked) == MANY


class Killed(BaseException):
    """What is not caught, as a kill is not."""


async def test_what_a_killed_instance_has_left_another_does(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", *range(MANY))
    dying, other = Instance(store, server), Instance(store, server)

    async def tell(company: InCare, entry: RegisterEntry) -> None:
        if entry.business_id == business_id(5):
            raise Killed
        dying.told.append((company, entry))

    dying.refresh._tell = tell  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(Killed):
        await dying.look()
    for _ in range(LOOKS_MAX):
        assert await other.look() == []
    assert await other.look() == [business_id(number) for number in range(5, MANY)]
    assert await counts(store) == {"same": MANY - 1, "asked before": 1, "companies": MANY}


async def test_who_was_taken_for_dead_stops(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", *range(MANY))
    slow, other = Instance(store, server), Instance(store, server)
    told = slow.tell

    async def tell(company: InCare, entry: RegisterEntry) -> None:
        await told(company, entry)
        if entry.business_id == business_id(5):
            for _ in range(LOOKS_MAX + 1):
                await other.look()

    slow.refresh._tell = tell  # pyright: ignore[reportPrivateUsage]
    await slow.look()
    assert len(slow.told) == 6
    assert [entry.business_id for _, entry in other.told] == [business_id(number) for number in range(5, MANY)]


async def test_it_is_left_alone_for_as_long_as_the_api_says(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", *range(4))
    right = [Scripted(body=server.answer({"businessId": business_id(0)}))]
    server.script.extend([*right, Scripted(429, headers={"Retry-After": "7200"})])
    instance, other = Instance(store, server), Instance(store, server)
    assert len(await instance.look()) == 1
    assert await instance.look(after=timedelta(minutes=119)) == []
    assert await other.look(after=timedelta(minutes=119)) == []
    assert len(server.asked) == 2
    assert await other.look(after=timedelta(minutes=2)) == [business_id(number) for number in range(1, 4)]


async def test_an_api_that_is_away_is_left_alone_for_a_while(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", *range(MANY))
    server.script.extend([Scripted(503)] * 2 * AWAY_MAX)
    instance = Instance(store, server)
    assert await instance.look() == []
    assert len(server.asked) == 2 * AWAY_MAX
    assert await instance.look(after=timedelta(minutes=29)) == []
    assert len(await instance.look(after=timedelta(minutes=2))) == MANY - AWAY_MAX
    assert (await counts(store))["away"] == AWAY_MAX


STRANGE = {
    "another company": body([record(9)]),
    "not understood": body([record(0, names=[])]),
    "no record": body([3]),
    "another form": b'{"message": 1}',
}


@pytest.mark.parametrize("which", STRANGE)
async def test_a_strange_answer_is_one_failure(which: str, store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0, 1)
    before = await entry(store, 0)
    server.script.append(Scripted(body=STRANGE[which]))
    assert await Instance(store, server).look() == [business_id(1)]
    assert await counts(store) == {"failed": 1, "same": 1, "companies": 2}
    assert await entry(store, 0) == before


async def test_a_company_that_the_api_does_not_have_stays_as_the_register_has_it(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0)
    server.records.clear()
    assert await Instance(store, server).look() == [business_id(0)]
    assert await counts(store) == {"unknown to the API": 1, "companies": 1}


async def test_who_was_added_by_hand_is_not_asked_for(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0, known=False)
    assert await Instance(store, server).look() == []
    assert server.asked == []


async def test_another_deployments_companies_are_not_told(store: Store, server: YtjStandIn):
    await in_care(store, "tredu", 0)
    assert await Instance(store, server).look() == []


async def test_a_refusal_of_one_company_does_not_stop_the_others(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0, 1)
    instance = Instance(store, server)

    async def tell(company: InCare, entry: RegisterEntry) -> None:
        if entry.business_id == business_id(0):
            raise Rejected("company-merged")
        instance.told.append((company, entry))

    instance.refresh._tell = tell  # pyright: ignore[reportPrivateUsage]
    assert await instance.look() == [business_id(1)]


async def test_a_day_has_a_limit_and_the_next_goes_on_there(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", *range(5))
    instance = Instance(store, server, register_refresh_max=3)
    assert await instance.look() == [business_id(number) for number in range(3)]
    assert await instance.look(after=timedelta(hours=1)) == []
    assert await instance.look(after=DAY) == [business_id(number) for number in range(3, 5)]
    assert await instance.look(after=DAY) == [business_id(number) for number in range(3)]


async def test_many_companies_are_gone_through_in_batches(
    store: Store, server: YtjStandIn, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("companies.refreshing.BATCH", 5)
    for college in ("vaao", "sasky"):
        await in_care(store, college, *range(MANY))
    told = await Instance(store, server).look()
    assert Counter(told) == {business_id(number): 2 for number in range(MANY)}


async def test_it_is_off_unless_it_is_told_an_hour(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0)
    instance = Instance(store, server, register_refresh_hour=-1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await instance.refresh.run()
    assert instance.told == []


async def test_what_was_not_claimed_is_not_kept(store: Store):
    work = DayWork(store, "x")
    claim = await work.claim("2026-09-01", NIGHT)
    assert claim is not None
    assert await DayWork(store, "x").claim("2026-09-01", NIGHT) is None
    assert await work.keep(claim, "1", {"n": 1})
    following = await DayWork(store, "x").claim("2026-09-02", NIGHT + DAY)
    assert following is not None
    assert (following.after, following.counts) == ("", {})
    assert not await work.keep(claim, "2", {"n": 2})
