"""Companies in care are kept as the register has them."""

from collections import Counter
from typing import Any

import pytest
from companies import register
from companies.company import RefreshCompany, aggregate, company_id
from companies.facts import Facts
from companies.refreshing import InCare, by_command
from companies.register import RegisterEntry
from companies.testing import business_id, record
from companies.ytj import entry_of
from companies.ytj_stand_in import Scripted, YtjStandIn, body
from tyrsky.aggregate import Rejected
from tyrsky.drafting import Ask

from .instance import DAY, MANY, NIGHT, Instance, Store, counts, entry, in_care

pytestmark = pytest.mark.stack


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


async def test_who_was_added_by_hand_is_asked_for_and_told_when_the_register_has_it_now(
    store: Store, server: YtjStandIn
):
    await in_care(store, "vaao", 0, MANY, known=False)
    assert await Instance(store, server).look() == [business_id(0)]
    assert (await entry(store, 0))["asked"]["at"] == NIGHT
    assert await store[register.COLLECTION].count_documents({}) == 1
    assert await counts(store) == {"new": 1, "not in the register": 1, "companies": 2}


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


async def test_many_companies_are_gone_through_in_batches(
    store: Store, server: YtjStandIn, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("companies.refreshing.BATCH", 5)
    for college in ("vaao", "sasky"):
        await in_care(store, college, *range(MANY))
    told = await Instance(store, server).look()
    assert Counter(told) == {business_id(number): 2 for number in range(MANY)}


async def test_a_company_is_told_by_a_command_of_its_college():
    asked: list[Ask[Any, Any]] = []

    class Deciding:
        def of(self, kind: object) -> "Deciding":
            assert kind is aggregate
            return self

        async def carry_out(self, ask: Ask[Any, Any]) -> None:
            asked.append(ask)

    deciders: Any = Deciding()
    id = company_id("vaao", business_id(0))
    for _ in range(2):
        await by_command(deciders)(InCare("vaao", id), entry_of(record(0)))
    assert [each.college for each in asked] == ["vaao", "vaao"]
    assert asked[0].id != asked[1].id
    assert asked[0].command == RefreshCompany(
        company_id=id,
        facts=Facts(
            name="Testikahvila Hämärä 0 Oy",
            municipality="908",
            business_line="56300",
            business_line_codes="TOL2025",
            situation="active",
        ),
    )
