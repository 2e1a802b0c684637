"""Visits that are recorded in the field and sent later, and the visits of a day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from companies.api.days import bounds
from tyrsky.service import Service

from .calling import Caller, Client
from .making import Registered, at, company_of, invited, made, outbox

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

VAAO = "b7d1f0f2-6f0e-4c64-9f6e-1f4c5a4a0001"


async def forget_receipts(service: Service, collection: str, id: str) -> None:
    """As after some days."""
    await service.database[collection].update_one({"_id": id}, {"$set": {"receipts": []}})


async def test_a_visit_from_the_field_is_sent_again_after_days_and_is_the_same(
    service: Service, staff: Client, registered: Registered
):
    company = await company_of(staff, registered)
    path, id = f"/companies/{company['id']}/visits/recorded", str(uuid4())
    body = {"id": id, "visited_at": at(-3), "needs": ["recruitment"], "notes": "Ovi on takana.", "manner": "phone"}
    first = await staff.post(path, body)
    assert first.status_code == 200, first.text
    assert (first.json()["id"], first.json()["status"], first.json()["staff"]) == (id, "recorded", [VAAO])
    await forget_receipts(service, "visits", id)
    again = await staff.post(path, body)
    assert (again.status_code, again.json(), again.headers["ETag"]) == (200, first.json(), first.headers["ETag"])
    assert len(await outbox(service, id)) == 1

    for other in ({"notes": "Muuta."}, {"needs": []}, {"visited_at": at(-4)}):
        answer = await staff.post(path, {**body, **other})
        assert (answer.status_code, answer.json()["code"]) == (409, "visit-already-recorded")
    elsewhere = await company_of(staff, registered)
    answer = await staff.post(f"/companies/{elsewhere['id']}/visits/recorded", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "visit-of-another-company")


async def test_an_id_that_another_college_has_taken_is_not_overwritten(
    caller: Caller, staff: Client, registered: Registered
):
    body = {"id": str(uuid4()), "visited_at": at(-3), "notes": "Meidän."}
    ours = await company_of(staff, registered)
    await made(staff, f"/companies/{ours['id']}/visits/recorded", body)
    stranger = caller("sasky")
    theirs = await company_of(stranger, registered)
    answer = await stranger.post(f"/companies/{theirs['id']}/visits/recorded", {**body, "notes": "Teidän."})
    assert (answer.status_code, answer.json()["code"]) == (409, "id-taken")
    assert (await staff.get(f"/visits/{body['id']}")).json()["notes"] == "Meidän."


async def test_what_was_cancelled_at_the_desk_and_made_in_the_field_is_recorded(staff: Client, registered: Registered):
    visit = await invited(staff, await company_of(staff, registered))
    await made(staff, f"/visits/{visit['id']}/cancel")
    body = {"visited_at": at(-1), "notes": "Olin jo perillä."}
    assert (await made(staff, f"/visits/{visit['id']}/record", body))["status"] == "recorded"
    answer = await staff.post(f"/visits/{visit['id']}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "visit-is-over")


async def test_who_goes_and_how_can_be_told_and_asked_for(caller: Caller, staff: Client, registered: Registered):
    visit = await invited(staff, await company_of(staff, registered), manner="remote")
    assert (visit["manner"], visit["staff"]) == ("remote", [VAAO])
    sent = await made(staff, f"/visits/{visit['id']}/visitors", {"staff": ["bertta"]})
    assert sent["staff"] == ["bertta"]
    times = {name: visit[name] for name in ("starts_at", "ends_at")}
    call = await staff.patch(f"/visits/{visit['id']}", {**times, "manner": "phone"}, version="*")
    assert (call.json()["manner"], call.json()["starts_at"]) == ("phone", visit["starts_at"])
    for asked in ({"staff": "bertta"}, {"manner": "phone"}, {"contact_id": visit["contact_id"]}):
        listed = (await staff.get("/visits", company_id=visit["company_id"], **asked)).json()["items"]
        assert [each["id"] for each in listed] == [visit["id"]], asked
    assert (await staff.get("/visits", company_id=visit["company_id"], staff=VAAO)).json()["items"] == []
    assert (await staff.get("/visits", company_id=visit["company_id"], mine=True)).json()["items"] == []
    assert len((await caller(sub="bertta").get("/visits", mine=True)).json()["items"]) == 1


def on(day: date, hours: float) -> str:
    """So many hours after the day began in Finland."""
    return (bounds(day)[0] + timedelta(hours=hours)).isoformat()


def in_town(code: str) -> dict[str, Any]:
    office = {"city": "JOSSAIN", "languageCode": "1", "municipalityCode": code}
    return {"addresses": [{"type": 1, "street": "Tie", "postCode": "00100", "postOffices": [office]}]}


async def test_the_visits_of_a_day_are_told_by_municipality_in_the_order_of_the_road(
    caller: Caller, registered: Registered
):
    staff = caller(sub="driver")
    day = (datetime.now(UTC) + timedelta(days=77)).date()
    towns = {code: await company_of(staff, registered, **in_town(code)) for code in ("908", "020")}
    plan = [("020", 9), ("908", 10), ("020", 14), ("908", 8), ("908", 23.9), ("908", 24.1), ("020", -0.1)]
    for code, hour in plan:
        when = {"starts_at": on(day, hour), "ends_at": on(day, hour + 0.05)}
        await made(staff, f"/companies/{towns[code]['id']}/visits", when)
    gone = await invited(staff, towns["020"], starts_at=on(day, 7), ends_at=on(day, 7.5))
    await made(staff, f"/visits/{gone['id']}/cancel")

    found = (await staff.get(f"/visits/day/{day}", mine=True)).json()
    told = [
        (each["municipality"], [visit["starts_at"] for visit in each["visits"]]) for each in found["municipalities"]
    ]
    hours = {"908": (8, 10, 23.9), "020": (9, 14)}
    expected = [
        (code, [datetime.fromisoformat(on(day, hour)).strftime("%Y-%m-%dT%H:%M:%SZ") for hour in hours[code]])
        for code in ("908", "020")
    ]
    assert (told, found["more"]) == (expected, False)
    with_cancelled = (await staff.get(f"/visits/day/{day}", mine=True, status=["cancelled"])).json()
    assert [each["municipality"] for each in with_cancelled["municipalities"]] == ["020"]
    assert (await caller(sub="other").get(f"/visits/day/{day}", mine=True)).json()["municipalities"] == []


@pytest.mark.parametrize("day", ["1999-12-31", "2200-01-01", "9999-12-31", "2026-02-30", "tomorrow", "1761955200"])
async def test_a_day_that_is_none(day: str, staff: Client):
    answer = await staff.get(f"/visits/day/{day}")
    assert (answer.status_code, answer.json()["code"]) == (422, "request-invalid")
