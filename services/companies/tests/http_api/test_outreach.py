"""Whom to reach first, over HTTP."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from tyrsky.service import Service

from .calling import Caller, Client
from .places import area_of

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

Registered = Callable[..., Awaitable[str]]


async def test_whom_to_reach_first_has_reasons_in_three_languages(
    staff: Client, caller: Caller, registered: Registered
):
    post = [{"city": "X", "languageCode": "1", "municipalityCode": "999"}]
    where = [{"type": 1, "street": "Tie", "postCode": "00001", "postOffices": post}]
    employer = {"type": "41", "register": "7", "registrationDate": "2015-01-01"}
    alone, with_people = (
        await registered(addresses=where),
        await registered(addresses=where, registeredEntries=[employer]),
    )
    company = (await staff.post("/companies", {"business_id": alone})).json()
    answer = (await staff.get("/outreach/ranking", municipality="999", seed="x")).json()
    assert [each["business_id"] for each in answer["ranked"]] == [with_people, alone]
    assert [each["company_id"] for each in answer["ranked"]] == [None, company["id"]]
    assert answer["candidates"] == 2
    for each in answer["ranked"]:
        assert all(reason["words"].keys() == {"fi", "sv", "en"} for reason in each["reasons"])
    wanted = {"reach": 1, "employer": 0, "age": 0, "line": 0, "size": 0, "lines": []}
    assert (await staff.post("/outreach/priorities", wanted)).status_code == 403
    assert (await caller("vaao", "coordinator").post("/outreach/priorities", wanted)).json() == wanted
    answer = (await staff.get("/outreach/ranking", municipality="999", seed="x")).json()
    assert [each["rank"] for each in answer["ranked"]] == [1, 1]


async def test_a_ranking_is_of_a_region_or_of_an_area_too(
    staff: Client, caller: Caller, registered: Registered, service: Service
):
    await registered()  # in 908, of region 06
    here = await area_of(staff, service, "908", "989")
    for where, there in (
        ({"area": here["id"]}, {"908", "989"}),
        ({"region": "06"}, {"020", "887", "908"}),
        ({"area": here["id"], "region": "06"}, {"908"}),
    ):
        found = (await staff.get("/outreach/ranking", **where)).json()
        assert {each["municipality"] for each in found["ranked"]} <= there, where
        assert found["candidates"] > 0
    assert (await staff.get("/outreach/ranking", area=here["id"], municipality="020")).json()["ranked"] == []
    for where, told in (
        ({}, (422, "ranking-nowhere")),
        ({"region": "99"}, (422, "region-unknown")),
        ({"area": str(uuid4())}, (404, "area-unknown")),
    ):
        answer = await staff.get("/outreach/ranking", **where)
        assert (answer.status_code, answer.json()["code"]) == told
    answer = await caller("sasky").get("/outreach/ranking", area=here["id"])
    assert (answer.status_code, answer.json()["code"]) == (404, "area-unknown")
