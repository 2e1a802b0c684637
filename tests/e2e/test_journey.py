"""A company is imported, registered and visited: what that leaves on Kafka, in the mailbox, in traces and in logs."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from icalendar import Calendar

from . import world

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

MARK = uuid4().hex[:10]
CONTACT = {
    "name": f"Kuutamo Testinen-{MARK}",
    "email": f"kuutamo.{MARK}@kone.example",
    "phone": "+358 40 7654321",
    "role": "workplace-instructor",
    "language": "sv",
}
NOTES = f"Tapasimme henkilön Pilvi Salainen-{MARK}"
PERSONAL = [MARK, "7654321", "Kuutamo", "kuutamo", "Pilvi Salainen"]


@dataclass
class Journey:
    """What was done, and where to find it again."""

    business_id: str
    company: str
    contact: str
    visit: str
    trace: str
    moved: dict[str, Any]


@pytest.fixture(scope="module")
def outreach() -> world.Person:
    return world.Person("vaao-outreach")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def journey(outreach: world.Person, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    id, name = world.business_id(), "Metallipaja Koe Oy"
    assert "1 new" in world.import_register(tmp_path_factory.mktemp("register"), world.record(id, name))
    company, contact = await outreach.company_with_contact(id, CONTACT)
    trace = world.traceparent()
    planned = await outreach.plan(company, contact, traceparent=trace)
    assert planned.status_code == 201, planned.text
    return Journey(id, company, contact, planned.json()["id"], trace.split("-")[1], planned.json())


async def sent(person: world.Person, visit: str) -> dict[str, Any] | None:
    """The notification about a visit, once it was sent."""
    answer = await person.get("/notifications?limit=200")
    assert answer.status_code == 200, answer.text
    found = [item for item in answer.json()["items"] if item["about"] == visit and item["status"] == "sent"]
    return found[0] if found else None


async def test_the_register_knows_the_company(outreach: world.Person, journey: Journey) -> None:
    found = await outreach.get(f"/register/{journey.business_id}")
    assert (found.status_code, found.json()["municipality"]) == (200, world.MUNICIPALITY)
    listed = await outreach.get(f"/register?business_id={journey.business_id}")
    assert [each["business_id"] for each in listed.json()["items"]] == [journey.business_id]


async def test_the_events_are_on_kafka_in_order_and_name_nobody(journey: Journey) -> None:
    subjects = [journey.company, journey.contact, journey.visit]
    found = await world.messages("companies", subjects, 3)
    types = [dict(message.headers)["ce_type"].decode() for message in found]
    assert sorted(types) == [
        "tyrsky.company.registered.v1",
        "tyrsky.contact.added.v1",
        "tyrsky.visit.planned.v1",
    ]
    for message in found:
        text = message.value.decode() + str(message.headers)
        assert not [mark for mark in PERSONAL if mark in text]
        assert dict(message.headers)["ce_college"] == b"vaao"


async def test_the_contact_got_one_mail_in_their_language_with_an_invitation(
    outreach: world.Person, journey: Journey
) -> None:
    note = await world.eventually(lambda: sent(outreach, journey.visit))
    assert (note["attempts"], note["language"]) == (1, "sv")
    [mail] = world.mails(CONTACT["email"])
    assert mail["To"].addresses[0].addr_spec == CONTACT["email"]
    kinds = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    assert {"text/plain", "text/html", "text/calendar"} <= set(kinds)
    html = mail.get_body(("html",))
    assert html is not None
    assert '<html lang="sv"' in html.get_content()
    [calendar] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    invitation = Calendar.from_ical(calendar.get_content())
    assert invitation["METHOD"] == "REQUEST"
    [event] = invitation.walk("VEVENT")
    assert journey.visit in str(event["UID"])


CHAIN = [
    "decide PlanVisit",
    "send notification-requests",
    "process notification-requests",
    "smtp send",
]


def path_to(name: str, spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The spans from the trace's first to one of this name, as far as they have come in; empty without that one."""
    path = [span for span in spans if span["name"] == name][:1]
    while path and (parent := path[-1].get("parentId")):
        upward = [span for span in spans if span["id"] == parent]
        if not upward:
            break  # the test's own span, which nobody reports; or one that is still on its way
        path.append(upward[0])
    return path[::-1]


async def test_one_trace_from_the_request_to_the_mail(outreach: world.Person, journey: Journey) -> None:
    await world.eventually(lambda: sent(outreach, journey.visit))

    async def whole() -> list[dict[str, Any]] | None:
        # Each service reports its spans when it has a batch of them: the last of the chain may be the first to come.
        found = await world.spans(journey.trace)
        path = path_to("smtp send", found)
        return found if path and path[0]["kind"] == "SERVER" else None

    spans = await world.eventually(whole)
    path = path_to("smtp send", spans)
    names = [span["name"] for span in path]
    positions = [
        next((i for i, name in enumerate(names) if name == link.lower()), -1) for link in map(str.lower, CHAIN)
    ]
    assert -1 not in positions, names
    assert positions == sorted(positions), names
    assert path[0]["name"] == "post /companies/{company_id}/visits"
    services = {span["localEndpoint"]["serviceName"] for span in spans}
    assert {"companies", "notifications"} <= services
    stores = [span for span in spans if span.get("tags", {}).get("db.system.name") == "mongodb"]
    assert stores, [span["name"] for span in spans]


async def test_the_service_graph_shows_who_speaks_to_whom(outreach: world.Person, journey: Journey) -> None:
    await world.eventually(lambda: sent(outreach, journey.visit))

    async def linked() -> set[tuple[str, str]] | None:
        async with httpx2.AsyncClient(base_url=world.setting("ZIPKIN_URL"), timeout=20) as zipkin:
            answer = await zipkin.get(f"/api/v2/dependencies?endTs={int(time.time() * 1000)}&lookback=3600000")
        links = {(link["parent"], link["child"]) for link in answer.json()}
        wanted = {
            ("companies", "kafka"),
            ("companies", "mongodb"),
            ("kafka", "notifications"),
            ("notifications", "smtp"),
        }
        return links if wanted <= links else None

    assert await world.eventually(linked)


async def test_a_visit_is_recorded_once_it_has_begun(outreach: world.Person, journey: Journey) -> None:
    early = await outreach.post(f"/visits/{journey.visit}/record", {"needs": ["recruitment"], "notes": NOTES})
    assert (early.status_code, early.json()["code"]) == (409, "visit-not-begun")
    soon = await outreach.plan(journey.company, journey.contact, starts_at=datetime.now(UTC) + timedelta(seconds=1.5))
    assert soon.status_code == 201, soon.text
    visit = soon.json()["id"]

    async def recorded() -> dict[str, Any] | None:
        answer = await outreach.post(f"/visits/{visit}/record", {"needs": ["recruitment"], "notes": NOTES})
        return answer.json() if answer.status_code == 200 else None

    assert (await world.eventually(recorded))["status"] == "recorded"

    async def reached() -> bool:
        answer = await outreach.get(f"/register/{journey.business_id}")
        return answer.json()["reach"]["visits"] == 1

    assert await world.eventually(reached)

    async def charted() -> list[str]:
        answer = await outreach.get(f"/needs?visit_id={visit}")
        return [need["kind"] for need in answer.json()["items"]]

    assert await world.eventually(charted) == ["recruitment"]
    [event] = [
        message
        for message in await world.messages("companies", [visit], 2)
        if dict(message.headers)["ce_type"] == b"tyrsky.visit.recorded.v1"
    ]
    assert b"recruitment" in event.value
    assert b"Pilvi" not in event.value


async def test_another_college_sees_none_of_it(journey: Journey) -> None:
    sasky = world.Person("sasky-outreach")
    for path in (f"/companies/{journey.company}", f"/contacts/{journey.contact}", f"/visits/{journey.visit}"):
        answer = await sasky.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
    listed = await sasky.get("/visits?limit=200")
    assert journey.visit not in [item["id"] for item in listed.json()["items"]]
    notes = await sasky.get("/notifications?limit=200")
    assert journey.visit not in [item["about"] for item in notes.json()["items"]]


async def test_no_personal_data_in_logs_or_traces(outreach: world.Person, journey: Journey) -> None:
    await world.eventually(lambda: sent(outreach, journey.visit))
    await outreach.get(f"/register?name=Kuutamo-{MARK}")  # what was searched for is nobody's business either
    logs = Path(world.setting("TYRSKY_LOCAL_DIR"), "log")
    read = 0
    for log in [*logs.glob("companies.log*"), *logs.glob("notifications.log*"), *logs.glob("gateway.log*")]:
        text = log.read_text(errors="replace")
        read += len(text)
        assert not [mark for mark in PERSONAL if mark in text], log.name
        if log.name.startswith(("companies", "notifications")):
            assert re.search(r'"trace_id": ?"[0-9a-f]{32}"', text)
    assert read > 1000
    async with httpx2.AsyncClient(base_url=world.setting("ZIPKIN_URL"), timeout=30) as zipkin:
        for service in ("companies", "notifications"):
            traces = await zipkin.get(f"/api/v2/traces?serviceName={service}&limit=500&lookback=3600000")
            assert len(traces.json()) > 0
            assert not [mark for mark in PERSONAL if mark in traces.text]
