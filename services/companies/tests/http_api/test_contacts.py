"""A contact's life at the API: by which right, who may be written to, all that is held, and the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from companies import indexes
from companies.erasing import Erasing
from companies.retention import midnight
from tyrsky.logs import TALKATIVE
from tyrsky.service import Service
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.topics import ALL

from .calling import Caller, Client
from .making import news, outbox
from .people import People, people_of

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

Registered = Callable[..., Awaitable[str]]
codec = Codec(ALL)
TODAY = datetime.now(UTC).date()


def ago(**time: float) -> str:
    """So long ago, as a client says it."""
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


async def visit_with(people: People, person: dict[str, Any]) -> str:
    """A visit tomorrow, to which somebody is asked."""
    starts_at = datetime.now(UTC) + timedelta(days=1)
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    planned = await people.staff.post(f"/companies/{people.company}/visits", {**times, "contact_id": person["id"]})
    assert planned.status_code == 201, planned.text
    return planned.json()["id"]


def said(**time: float) -> dict[str, str]:
    return {"at": ago(**time), "how": "Soitti."}


@pytest_asyncio.fixture(loop_scope="session")
async def people(service: Service, staff: Client, registered: Registered) -> People:
    return await people_of(service, staff, registered)


async def everything(service: Service) -> str:
    """All that the service's database holds, as text."""
    kept: list[Any] = []
    for name in await service.database.list_collection_names():
        kept += await service.database[name].find({}).to_list()
    return str(kept)


async def test_a_contact_has_a_basis_a_source_and_an_end(people: People):
    aino = await people.add(role="workplace-instructor", source="event", period_ends_on=str(TODAY))
    assert (aino["basis"], aino["source"], aino["collected_on"]) == ("public-task", "event", str(TODAY))
    assert date.fromisoformat(aino["keep_until"]) >= TODAY + timedelta(days=730)
    assert TODAY + timedelta(days=89) <= date.fromisoformat(aino["addresses_until"]) <= TODAY + timedelta(days=92)
    assert (aino["may_be_written_to"], aino["objected_in_network_at"]) == (True, None)
    assert aino == await people.get(aino)


async def test_consent_is_recorded_and_withdrawn(people: People):
    aino = await people.add(basis="consent", consent=said(days=2))
    assert aino["consent"]["how"] == "Soitti."
    assert aino["may_be_written_to"]
    gone = await people.do(aino, "consent/withdraw", said(days=1))
    assert not gone["may_be_written_to"]
    assert date.fromisoformat(gone["keep_until"]) == TODAY + timedelta(days=30)
    again = await people.do(aino, "consent", said(hours=1))
    assert again["may_be_written_to"]


async def test_an_objection_reaches_the_other_college_by_its_hash(
    people: People, service: Service, caller: Caller, registered: Registered
):
    aino = await people.add()
    objected = await people.do(aino, "objection", said(days=1))
    assert not objected["may_be_written_to"]
    outbox = str((await people.document(aino))["outbox"])
    assert aino["email"] not in outbox
    await people.heard(aino)

    sasky = await people_of(service, caller("sasky"), registered)
    theirs = await sasky.add(email=aino["email"].upper())
    assert (theirs["objection"], theirs["may_be_written_to"]) == (None, False)
    assert theirs["objected_in_network_at"] is not None
    listed = (await sasky.staff.get(f"/companies/{sasky.company}/contacts")).json()["items"]
    assert [each["may_be_written_to"] for each in listed] == [False]

    early = await sasky.staff.post(f"/contacts/{theirs['id']}/consent", said(days=2))
    assert (early.status_code, early.json()["code"]) == (409, "consent-not-later")
    assert (await sasky.do(theirs, "consent", said(hours=1)))["may_be_written_to"]
    assert not (await people.get(aino))["may_be_written_to"]  # they told the other college


async def test_an_objection_told_twice_is_told_to_the_network_once(people: People):
    aino, objection = await people.add(), said(days=1)
    first, second = [await people.do(aino, "objection", objection) for _ in range(2)]
    assert first == second
    assert await people.told(aino) == ["tyrsky.contact.added.v1", "tyrsky.contact.objected.v1"]


async def test_an_objection_that_comes_after_a_contact_was_added_counts_at_once(
    people: People, service: Service, caller: Caller, registered: Registered
):
    aino = await people.add(email=None, phone="040 765 4321")
    sasky = await people_of(service, caller("sasky"), registered)
    theirs = await sasky.add(phone="+358 40 765 4321")
    await sasky.do(theirs, "objection", said(hours=1))
    assert (await people.get(aino))["may_be_written_to"]
    await sasky.heard(theirs)
    assert not (await people.get(aino))["may_be_written_to"]


async def test_who_objects_with_a_new_address_objects_with_that_too(people: People):
    aino = await people.add()
    await people.do(aino, "objection", said(days=1))
    new = f"uusi-{uuid4().hex[:8]}@kahvila.example"
    changed = await people.staff.patch(f"/contacts/{aino['id']}", {"email": new}, version="*")
    assert changed.status_code == 200, changed.text
    await people.heard(aino)
    assert not (await people.add(email=new))["may_be_written_to"]


async def test_contacts_are_found_by_name_address_and_end(people: People):
    aino = await people.add(name="Åke Öhman-Testinen", phone="040 111 2233")
    for asked in ({"name": "ake"}, {"name": "OHMAN"}, {"address": "+358401112233"}, {"address": aino["email"].upper()}):
        found = (await people.staff.get("/contacts", company_id=people.company, **asked)).json()["items"]
        assert [each["id"] for each in found] == [aino["id"]], asked
    for asked in ({"name": "testia"}, {"address": "040"}, {"keep_before": str(TODAY)}, {"basis": "consent"}):
        assert (await people.staff.get("/contacts", company_id=people.company, **asked)).json()["items"] == [], asked
    late = str(TODAY + timedelta(days=1_000))
    asked = {"keep_before": late, "sort": "keep_until", "source": "other", "role": "other"}
    found = (await people.staff.get("/contacts", company_id=people.company, **asked)).json()["items"]
    assert [each["id"] for each in found] == [aino["id"]]


async def test_all_that_is_held_is_handed_over_in_the_persons_language(people: People):
    aino = await people.add(language="sv", phone="040 123 4567")
    time = {"starts_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    time["ends_at"] = (datetime.now(UTC) + timedelta(days=1, hours=1)).isoformat()
    planned = await people.staff.post(f"/companies/{people.company}/visits", {**time, "contact_id": aino["id"]})
    answer = await people.staff.get(f"/contacts/{aino['id']}/export")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="contact-{aino["id"]}.json"'
    told = answer.json()
    assert (told["language"], told["college"]) == ("sv", "vaao")
    contact, visits, notes, places = told["sections"]
    assert (notes["items"], places["items"]) == ([], [])
    held = {each["name"]: (each["label"], each["value"], each["text"]) for each in contact["items"][0]["held"]}
    assert held["email"] == ("E-postadress", aino["email"], None)
    assert held["basis"] == ("Grund för behandlingen", "public-task", "allmänt intresse")
    [visit] = visits["items"]
    assert visit["id"] == planned.json()["id"]
    assert {each["name"] for each in visit["held"]} >= {"company_name", "status", "starts_at"}


async def test_of_who_is_erased_nothing_is_left_in_any_copy(
    people: People, service: Service, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    mark, key = uuid4().hex[:12], uuid4().hex
    person = {"name": f"Aino {mark}", "email": f"{mark}@kahvila.example", "phone": "040 123 9999"}
    path = f"/companies/{people.company}/contacts"
    aino = (await people.staff.post(path, person, key=key)).json()
    await people.staff.patch(f"/contacts/{aino['id']}", {"role": "decision-maker"}, version="*")
    objection = {"at": ago(days=1), "how": f"Soitti {mark}."}
    for _ in range(2):  # the second changes nothing, and is answered too
        await people.do(aino, "objection", objection)
    await people.do(aino, "consent", {"at": ago(hours=1), "how": f"Lomake {mark}."})
    visit = await visit_with(people, aino)
    await service.app.state.remembered.stop()
    assert mark in str(await outbox(service, visit))  # the invitation waits

    erased = await people.do(aino, "erase")
    assert (erased["name"], erased["email"], erased["objection"]) == ("", None, None)
    await people.looked_after()
    await service.app.state.remembered.stop()
    assert mark not in await everything(service)
    assert "040 123 9999" not in await everything(service)
    # Libraries are quiet in the service.
    said = [record.getMessage() for record in caplog.records if not record.name.startswith(TALKATIVE)]
    assert any("/erase" in each for each in said)
    assert not [each for each in said if mark in each or "123 9999" in each]

    [waits] = await news(service, visit)
    assert (waits.to_email, waits.to_name, waits.data.answer_url) == ("", "", None)
    for entry in (await people.document(aino))["outbox"]:
        codec.decode([(name, value.encode()) for name, value in entry["headers"].items()], entry["body"].encode())

    again = await people.staff.post(path, person, key=key)
    assert (again.status_code, again.json()["name"]) == (201, "")
    assert mark not in await everything(service)


async def test_an_invitation_that_waits_with_a_visit_is_to_nobody(people: People, service: Service):
    """Whichever aggregate asks that the contact be told something: it names the contact."""
    aino, other = await people.add(), await people.add()
    waits = {person["id"]: await visit_with(people, person) for person in (aino, other)}
    for person in (aino, other):
        assert [each.to_email for each in await news(service, waits[person["id"]])] == [person["email"]]
    await people.do(aino, "erase")
    await people.looked_after()
    for person, email in ((aino, ""), (other, other["email"])):
        assert [each.to_email for each in await news(service, waits[person["id"]])] == [email]


async def test_who_objected_is_not_told_of_a_visit_which_stays(people: People, service: Service):
    aino = await people.add()
    visit = await visit_with(people, aino)
    await people.do(aino, "objection", {"at": ago(minutes=1), "how": "Soitti."})
    cancelled = await people.staff.post(f"/visits/{visit}/cancel")
    assert (cancelled.json()["status"], cancelled.json()["contact_id"]) == ("cancelled", aino["id"])
    assert len(await news(service, visit)) == 1  # the invitation of before
    assert await news(service, await visit_with(people, aino)) == []


async def test_an_erased_contact_is_a_trace_that_nothing_is_written_on(people: People):
    aino = await people.add()
    await people.do(aino, "erase")
    assert (await people.do(aino, "erase"))["erased_at"]
    assert (await people.get(aino))["erased_at"]
    for answer in (
        await people.staff.patch(f"/contacts/{aino['id']}", {"name": "Aino"}, version="*"),
        await people.staff.post(f"/contacts/{aino['id']}/objection", said(days=1)),
        await people.staff.post(f"/contacts/{aino['id']}/consent", said(days=1)),
        await people.staff.post(f"/contacts/{aino['id']}/consent/withdraw", said(days=1)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (410, "contact-erased")
    path = f"/companies/{people.company}/contacts"
    assert (await people.staff.get(path)).json()["items"] == []
    assert [each["id"] for each in (await people.staff.get(path, erased=True)).json()["items"]] == [aino["id"]]


async def test_an_objection_is_honoured_when_who_objected_is_erased_and_added_anew(people: People):
    aino = await people.add()
    await people.do(aino, "objection", said(days=1))
    await people.heard(aino)
    await people.do(aino, "erase")
    assert not (await people.add(email=aino["email"]))["may_be_written_to"]


async def test_what_is_due_is_erased_by_itself(people: People):
    aino, bertta = await people.add(), await people.add(name="Bertta Esimerkki")
    await people.looked_after(aino, midnight(TODAY))
    assert (await people.get(aino))["erased_at"]
    assert (await people.get(bertta)) == bertta
    assert aino["email"] not in str(await people.document(aino))
    await people.looked_after(aino, datetime.now(UTC))  # once more, for what was being written
    assert (await people.document(aino))["state"]["due_at"] is None


async def test_a_contact_from_before_contacts_had_an_end_is_given_one(people: People, service: Service):
    aino = await people.add()
    state = {name: aino[name] for name in ("company_id", "name", "role", "language", "email", "phone")}
    contacts = service.database["contacts"]
    await contacts.update_one({"_id": aino["id"]}, {"$set": {"state": {**state, "invited_to": []}}})
    await indexes.prepare(service.database)
    await people.looked_after()
    assert (await people.get(aino))["keep_until"] == aino["keep_until"]
    found = await people.staff.get("/contacts", address=aino["email"])
    assert [each["id"] for each in found.json()["items"]] == [aino["id"]]


async def test_two_processes_erase_once(people: People, service: Service):
    aino = await people.add()
    day = {"state.keep_until": str(TODAY), "state.due_at": midnight(TODAY)}
    await service.database["contacts"].update_one({"_id": aino["id"]}, {"$set": day})
    await asyncio.gather(*(Erasing(service).once() for _ in range(3)))
    await people.looked_after()
    assert await people.told(aino) == ["tyrsky.contact.added.v1", "tyrsky.contact.erased.v1"]
