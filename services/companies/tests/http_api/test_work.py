"""Companies, contacts and visits over HTTP, with the real store: what staff do, from the register to the record."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from companies.register import COLLECTION
from tyrsky.service import Service
from tyrsky.testing.openapi import faults
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.notifications import NotificationRequested
from tyrsky_contracts.topics import ALL

from .calling import Caller, Client

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

Registered = Callable[..., Awaitable[str]]

AINO = {"name": "Aino Esimerkki", "role": "workplace-instructor", "language": "sv", "email": "aino@kahvila.example"}


def at(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def company_of(staff: Client, registered: Registered) -> dict[str, Any]:
    answer = await staff.post("/companies", {"business_id": await registered()})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def contact_of(staff: Client, company: dict[str, Any], **other: Any) -> dict[str, Any]:
    answer = await staff.post(f"/companies/{company['id']}/contacts", {**AINO, **other})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def visit_of(staff: Client, company: dict[str, Any], **other: Any) -> dict[str, Any]:
    answer = await staff.post(f"/companies/{company['id']}/visits", {"starts_at": at(24), "ends_at": at(25), **other})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def outbox(service: Service, collection: str, id: str) -> list[dict[str, Any]]:
    found = await service.database[collection].find_one({"_id": id})
    assert found is not None
    return [each for each in found["outbox"] if each["topic"] != "audit"]


def news_of(entry: dict[str, Any]) -> dict[str, Any]:
    """What somebody is told of a visit, by an entry of its outbox."""
    headers = [(name, value.encode()) for name, value in entry["headers"].items()]
    event, _ = Codec(ALL).decode(headers, entry["body"].encode())
    assert isinstance(event, NotificationRequested)
    return event.data.model_dump()


async def test_the_document_tells_a_reader_everything(service: Service):
    assert faults(service.app) == []


async def test_a_company_is_found_in_the_register(staff: Client, registered: Registered):
    names = [{"name": "Åkerströmin Äänipaja Oy", "type": "1"}, {"name": "Ljudverkstad", "type": "2"}]
    business_id = await registered(names=names)
    for typed in ("åkers", "AKERS", "aanip", "ljudv"):
        found = (await staff.get("/register", name=typed)).json()
        assert [each["business_id"] for each in found["items"]] == [business_id], typed
    for asked in ({"business_id": business_id.replace("-", "")}, {"name": "akers", "municipality": "908"}):
        assert len((await staff.get("/register", **asked)).json()["items"]) == 1
    assert (await staff.get("/register", name="akers", municipality="091")).json()["items"] == []
    assert (await staff.get("/register", name="akers", business_line="47")).json()["items"] == []
    assert (await staff.get("/register", name="akers", business_line="563")).json()["items"] != []


async def test_the_register_is_read_page_after_page(staff: Client, registered: Registered):
    wanted = {await registered(names=[{"name": f"Sivuttaja {number} Oy", "type": "1"}]) for number in range(5)}
    seen: list[str] = []
    asked: dict[str, Any] = {"name": "sivuttaja", "limit": 2}
    while True:
        page = (await staff.get("/register", **asked)).json()
        seen += [each["business_id"] for each in page["items"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert (len(seen), set(seen)) == (5, wanted)


async def test_an_entry_tells_how_much_the_network_has_reached_the_company(
    service: Service, staff: Client, registered: Registered
):
    business_id = await registered()
    assert (await staff.get(f"/register/{business_id}")).json()["reach"] == {
        "visits": 0,
        "touches": 0,
        "first_reached_at": None,
        "last_reached_at": None,
    }
    moment = datetime(2026, 3, 3, 8, tzinfo=UTC)
    row = {"visits": 3, "touches": 4, "first_reached_at": moment, "last_reached_at": moment}
    await service.database["reach"].insert_one({"_id": business_id, "row": row, "sequences": {}, "version": 1})
    told = (await staff.get(f"/register/{business_id}")).json()["reach"]
    then = "2026-03-03T08:00:00Z"
    assert told == {"visits": 3, "touches": 4, "first_reached_at": then, "last_reached_at": then}


async def test_a_company_is_taken_into_care_and_labelled(staff: Client, registered: Registered):
    business_id = await registered()
    answer = await staff.post("/companies", {"business_id": f"FI{business_id.replace('-', '')}"})
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    company = answer.json()
    assert company["business_id"] == business_id
    assert (company["municipality"], company["business_line"], company["situation"]) == ("908", "56300", "active")

    got = await staff.get(f"/companies/{company['id']}")
    assert (got.json(), got.headers["ETag"]) == (company, '"1"')
    tagged = await staff.patch(f"/companies/{company['id']}", {"tags": ["messut", "messut"]}, version='"1"')
    assert (tagged.json()["tags"], tagged.headers["ETag"]) == (["messut"], '"2"')
    listed = (await staff.get("/companies", business_id=business_id, tag="messut")).json()
    assert listed["items"] == [tagged.json()]


async def test_a_contact_is_added_changed_and_listed(service: Service, staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    aino = await contact_of(staff, company)
    assert aino == {**aino, **AINO, "company_id": company["id"], "phone": None}
    await contact_of(staff, company, name="Bertta Esimerkki")

    path = f"/contacts/{aino['id']}"
    version = (await staff.get(path)).headers["ETag"]
    changed = await staff.patch(path, {"phone": "040 123 4567", "email": None, "name": None}, version=version)
    assert changed.json() == {**aino, "phone": "040 123 4567", "email": None}
    listed = (await staff.get(f"/companies/{company['id']}/contacts")).json()["items"]
    assert [each["name"] for each in listed] == ["Aino Esimerkki", "Bertta Esimerkki"]

    [event] = await outbox(service, "contacts", aino["id"])
    assert event["topic"] == "companies"
    assert "Aino" not in str(event)
    assert "kahvila.example" not in str(event)


async def test_a_visit_is_planned_moved_and_cancelled(service: Service, staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    aino = await contact_of(staff, company)
    visit = await visit_of(staff, company, contact_id=aino["id"])
    assert (visit["status"], visit["company_name"], visit["contact_id"]) == ("planned", company["name"], aino["id"])

    path = f"/visits/{visit['id']}"
    wanted = {"starts_at": "2026-12-31T23:30:00.123456+02:00", "ends_at": "2027-01-01T00:30:00+02:00"}
    moved = await staff.patch(path, wanted, version=(await staff.get(path)).headers["ETag"])
    assert (moved.json()["starts_at"], moved.json()["ends_at"]) == ("2026-12-31T21:30:00Z", "2026-12-31T22:30:00Z")
    again = await staff.patch(path, wanted, version=moved.headers["ETag"])
    assert again.headers["ETag"] == moved.headers["ETag"]
    for _ in range(2):
        assert (await staff.post(f"{path}/cancel")).json()["status"] == "cancelled"

    published = await outbox(service, "visits", visit["id"])
    types = [each["headers"]["ce_type"].removeprefix("tyrsky.").removesuffix(".v1") for each in published]
    request = "notification.requested"
    assert types == ["visit.planned", request, "visit.moved", request, "visit.cancelled", request]
    changes = [news_of(each) for each in published if each["topic"] == "notification-requests"]
    assert [(each["change"], each["revision"]) for each in changes] == [(None, 0), ("moved", 1), ("cancelled", 2)]
    assert not [each for each in published if each["topic"] == "companies" and "kahvila.example" in str(each)]


async def test_a_visit_that_was_made_is_recorded_and_its_notes_stay_in_the_college(
    service: Service, staff: Client, registered: Registered
):
    company = await company_of(staff, registered)
    visit = await visit_of(staff, company, starts_at=at(2 / 3600), ends_at=at(1))
    await asyncio.sleep((datetime.fromisoformat(visit["starts_at"]) - datetime.now(UTC)).total_seconds() + 0.01)
    made = {"needs": ["recruitment", "apprenticeship"], "notes": "Ovi on takapihalla."}
    path = f"/visits/{visit['id']}/record"
    recorded = await staff.post(path, made)
    assert recorded.json() == {**visit, **made, "status": "recorded"}
    assert (await staff.post(path, made)).json() == recorded.json()
    other = await staff.post(path, {**made, "notes": "Toisin."})
    assert (other.status_code, other.json()["code"]) == (409, "visit-already-recorded")
    assert (await staff.post(f"/visits/{visit['id']}/cancel")).json()["code"] == "visit-is-over"
    assert "takapihalla" not in str(await outbox(service, "visits", visit["id"]))


async def test_visits_are_listed_by_company_status_and_time(staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    first = await visit_of(staff, company)
    second = await visit_of(staff, company, starts_at=at(48), ends_at=at(49))
    await staff.post(f"/visits/{first['id']}/cancel")

    async def ids(**asked: Any) -> list[str]:
        answer = await staff.get("/visits", company_id=company["id"], **asked)
        return [each["id"] for each in answer.json()["items"]]

    assert await ids() == [first["id"], second["id"]]
    assert await ids(sort="-starts_at") == [second["id"], first["id"]]
    assert await ids(status="planned") == [second["id"]]
    assert await ids(status=["planned", "cancelled"]) == [first["id"], second["id"]]
    assert await ids(starts_from=at(30)) == [second["id"]]
    assert await ids(starts_before=at(30)) == [first["id"]]


async def test_a_wish_that_is_sent_twice_is_carried_out_once(staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    path, key = f"/companies/{company['id']}/contacts", uuid4().hex
    first, second = [await staff.post(path, AINO, key=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.json(), first.headers["ETag"]) == (second.json(), second.headers["ETag"])
    assert len((await staff.get(path)).json()["items"]) == 1
    other = await staff.post(path, {**AINO, "name": "Joku Muu"}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")


async def test_a_registration_that_is_sent_twice_is_answered_twice(staff: Client, registered: Registered):
    wish, key = {"business_id": await registered()}, uuid4().hex
    first, second = [await staff.post("/companies", wish, key=key) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, second.json())
    assert second.status_code == 201


async def test_colleges_each_have_their_own_company(caller: Caller, service: Service, registered: Registered):
    business_id = await registered()
    ids = {
        (await caller(college).post("/companies", {"business_id": business_id})).json()["id"]
        for college in ("vaao", "sasky")
    }
    assert len(ids) == 2
    assert await service.database[COLLECTION].count_documents({"_id": business_id}) == 1
