"""A day's refresh is done once, by one of several instances, and not while the API is away."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from companies.claiming import LOOKS_MAX, DayWork
from companies.refreshing import AWAY_MAX, InCare
from companies.register import RegisterEntry
from companies.testing import business_id
from companies.ytj_stand_in import Scripted, YtjStandIn

from .instance import DAY, MANY, NIGHT, Instance, Store, counts, in_care

pytestmark = pytest.mark.stack


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


async def test_what_a_stopped_instance_has_left_another_does_at_once(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", *range(MANY))
    stopping, other = Instance(store, server), Instance(store, server)
    told, reached = stopping.tell, asyncio.Event()

    async def tell(company: InCare, entry: RegisterEntry) -> None:
        await told(company, entry)
        if entry.business_id == business_id(5):
            reached.set()
            await asyncio.Event().wait()

    stopping.refresh._tell = tell  # pyright: ignore[reportPrivateUsage]
    work = asyncio.create_task(stopping.look())
    await reached.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await other.look() == [business_id(number) for number in range(5, MANY)]


async def test_what_was_left_of_a_day_comes_first_the_next(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", *range(4))
    instance = Instance(store, server)
    server.script.extend([Scripted(body=server.answer({"businessId": business_id(0)}))])
    server.script.extend([Scripted(429, headers={"Retry-After": "80000"})])
    assert await instance.look() == [business_id(0)]
    assert await instance.look(after=DAY) == [business_id(number) for number in range(1, 4)]
    assert await instance.look(after=DAY) == [business_id(number) for number in range(4)]


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


async def test_a_day_has_a_limit_and_the_next_goes_on_there(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", *range(5))
    instance = Instance(store, server, register_refresh_max=3)
    assert await instance.look() == [business_id(number) for number in range(3)]
    assert await instance.look(after=timedelta(hours=1)) == []
    assert await instance.look(after=DAY) == [business_id(number) for number in range(3, 5)]
    assert await instance.look(after=DAY) == [business_id(number) for number in range(3)]


async def test_it_is_off_unless_it_is_told_an_hour(store: Store, server: YtjStandIn):
    await in_care(store, "vaao", 0)
    instance = Instance(store, server, register_refresh_hour=-1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await instance.refresh.run()
    assert instance.told == []


class Between:
    """A collection in which somebody else is faster than whoever has just looked."""

    def __init__(self, collection: Any, other: DayWork, day: str) -> None:
        self._collection, self._other, self._day = collection, other, day

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    async def find_one(self, wanted: Any) -> Any:
        found = await self._collection.find_one(wanted)
        assert await self._other.claim(self._day, NIGHT) is not None
        return found


def outrun(work: DayWork, other: DayWork, day: str) -> None:
    work._collection = Between(work._collection, other, day)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


async def test_of_two_who_look_in_the_same_moment_one_has_it(store: Store):
    for day in ("2026-09-01", "2026-09-02"):
        work, other = DayWork(store, "x"), DayWork(store, "x")
        outrun(work, other, day)
        assert await work.claim(day, NIGHT) is None


async def test_of_two_who_take_over_from_the_same_one_has_it(store: Store):
    day = "2026-09-01"
    assert await DayWork(store, "x").claim(day, NIGHT) is not None
    work, other = DayWork(store, "x"), DayWork(store, "x")
    for each in (work, other):
        for _ in range(LOOKS_MAX):
            assert await each.claim(day, NIGHT) is None
    outrun(work, other, day)
    assert await work.claim(day, NIGHT) is None


async def test_what_was_not_claimed_is_not_kept(store: Store):
    work = DayWork(store, "x")
    claim = await work.claim("2026-09-01", NIGHT)
    assert claim is not None
    assert await DayWork(store, "x").claim("2026-09-01", NIGHT) is None
    assert await work.keep(claim, "1", {"n": 1})
    following = await DayWork(store, "x").claim("2026-09-02", NIGHT + DAY)
    assert following is not None
    assert (following.after, following.counts) == ("1", {})
    assert not await work.keep(claim, "2", {"n": 2})
