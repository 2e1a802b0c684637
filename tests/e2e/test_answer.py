"""A company answers by the link in its mail, through the gateway and without a log-in; nobody writes the key down."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio

from . import world

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

MARK = uuid4().hex[:10]
CONTACT = {"name": "Kuutamo Testinen", "email": f"kuutamo.{MARK}@kone.example", "language": "fi"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def outreach() -> world.Person:
    return world.Person("vaao-outreach")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visit(outreach: world.Person, tmp_path_factory: pytest.TempPathFactory) -> str:
    id = world.business_id()
    world.import_register(tmp_path_factory.mktemp("register"), world.record(id, "Vastaava Esimerkki Oy"))
    company, contact = await outreach.company_with_contact(id, CONTACT)
    planned = await outreach.plan(company, contact)
    assert planned.status_code == 201, planned.text
    return planned.json()["id"]


def link_in(subject: str) -> str | None:
    """The link of the mail whose subject begins so, once it has come."""
    for mail in world.mails(CONTACT["email"]):
        text = mail.get_body(("plain",))
        if mail["Subject"].startswith(subject) and text is not None:
            found = re.search(r"https?://\S+/visits/answer/\S+", text.get_content())
            return found[0] if found else None
    return None


async def test_the_link_in_the_mail_confirms_and_after_a_move_the_one_in_the_newer_mail(
    outreach: world.Person, visit: str
) -> None:
    async def first() -> str | None:
        return link_in("Vierailu: ")

    async def newer() -> str | None:
        return link_in("Vierailu muuttunut: ")

    link = await world.eventually(first)
    assert link.startswith(world.setting("GATEWAY_URL"))
    async with httpx2.AsyncClient(timeout=30) as company:
        page = await company.get(link)
        assert (page.status_code, page.headers["content-language"]) == (200, "fi")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "no-referrer"
        assert (await outreach.get(f"/visits/{visit}")).json()["status"] == "planned"
        assert (await company.post(link, content="answer=confirmed&lang=fi", headers=FORM)).status_code == 303
        seen = await outreach.get(f"/visits/{visit}")
        assert seen.json()["status"] == "confirmed"

        later = datetime.now(UTC) + timedelta(days=9)
        times = {"starts_at": later.isoformat(), "ends_at": (later + timedelta(hours=1)).isoformat()}
        headers = {"If-Match": seen.headers["etag"]}
        assert (await outreach.http.patch(f"/visits/{visit}", json=times, headers=headers)).status_code == 200
        assert (await company.get(link)).status_code == 404
        moved = await world.eventually(newer)
        assert (await company.post(moved, content="answer=declined&lang=fi", headers=FORM)).status_code == 303
        assert (await outreach.get(f"/visits/{visit}")).json()["status"] == "declined"
    keys = [each.partition("?")[0].rpartition("/")[2] for each in (link, moved)]
    logs = Path(world.setting("TYRSKY_LOCAL_DIR"), "log")
    for log in (each for name in ("companies", "notifications", "gateway") for each in logs.glob(f"{name}.log*")):
        text = log.read_text(errors="replace")
        assert not [key for key in keys if key in text], log.name
    async with httpx2.AsyncClient(base_url=world.setting("ZIPKIN_URL"), timeout=30) as zipkin:
        traces = await zipkin.get("/api/v2/traces?serviceName=companies&limit=500&lookback=3600000")
        assert not [key for key in keys if key in traces.text]


async def test_a_calendar_subscribes_without_a_log_in(outreach: world.Person, visit: str) -> None:
    feed = await outreach.made("/calendar", {"language": "fi"})
    async with httpx2.AsyncClient(timeout=30) as calendar:
        answer = await calendar.get(feed["url"])
        assert (answer.status_code, visit in answer.text) == (200, True)
        again = await calendar.get(feed["url"], headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
