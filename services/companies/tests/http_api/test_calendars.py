"""A person's visits as a calendar, by a secret link."""

import re
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from icalendar import Calendar
from tyrsky.service import Service

from .calling import Caller, Client
from .making import Registered, at, company_of, invited, made

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]


async def opened(person: Client, language: str = "en") -> str:
    """The address, in the service, of a new feed."""
    feed = await made(person, "/calendar", {"language": language})
    return re.sub(r"^https?://[^/]+", "", feed["url"])


async def events(http: httpx2.AsyncClient, path: str) -> list[Any]:
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text
    return Calendar.from_ical(answer.content).walk("VEVENT")


async def test_a_feed_has_the_visits_that_its_owner_goes_to(
    caller: Caller, http: httpx2.AsyncClient, registered: Registered
):
    aino = caller(sub=f"aino-{uuid4()}")
    company = await company_of(aino, registered)
    mine = await invited(aino, company)
    await invited(aino, company, staff=["somebody-else"])
    [event] = await events(http, path := await opened(aino))
    assert (str(event["UID"]), str(event["STATUS"]), event["SEQUENCE"]) == (mine["id"], "TENTATIVE", 0)
    assert str(event["SUMMARY"]) == f"Visit: {company['name']}"
    assert "Matti" not in str((await http.get(path)).content)

    await aino.patch(f"/visits/{mine['id']}", {"starts_at": at(48), "ends_at": at(49)}, version="*")
    await made(aino, f"/visits/{mine['id']}/cancel")
    [event] = await events(http, path)
    assert (str(event["STATUS"]), event["SEQUENCE"]) == ("CANCELLED", 2)


async def test_a_partner_who_comes_along_has_a_feed_too(
    caller: Caller, staff: Client, http: httpx2.AsyncClient, registered: Registered
):
    subject = f"kunta-{uuid4()}"
    visit = await invited(staff, await company_of(staff, registered), partners=[subject])
    [event] = await events(http, await opened(caller("vaao", "municipal-partner", sub=subject)))
    assert str(event["UID"]) == visit["id"]


async def test_what_did_not_change_is_not_sent_again(caller: Caller, http: httpx2.AsyncClient, registered: Registered):
    aino = caller(sub=f"aino-{uuid4()}")
    await invited(aino, await company_of(aino, registered))
    path = await opened(aino)
    first = await http.get(path)
    assert first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert first.headers["Cache-Control"].startswith("private")
    tag = first.headers["ETag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = await http.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    await invited(aino, await company_of(aino, registered))
    changed = await http.get(path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["ETag"] != tag) == (200, True)


async def test_a_link_that_was_renewed_or_revoked_opens_nothing(caller: Caller, http: httpx2.AsyncClient):
    aino = caller(sub=f"aino-{uuid4()}")
    first = await opened(aino)
    second = await opened(aino)
    assert [(await http.get(path)).status_code for path in (first, second)] == [404, 200]
    feed = (await aino.get("/calendar")).json()
    assert "key" not in str(feed)
    assert (await made(aino, f"/calendar/{feed['id']}/revoke"))["revoked_at"]
    gone = await http.get(second)
    assert (gone.status_code, gone.json()["code"]) == (404, "feed-unknown")
    wrong = await http.get(f"/calendar/{uuid4()}/Q3vS0mC1xkqk9d2l7y8ZJw.ics")
    assert (wrong.status_code, wrong.json()["code"]) == (404, "feed-unknown")


async def test_an_administrator_revokes_the_feed_of_who_has_left(caller: Caller, http: httpx2.AsyncClient):
    aino = caller(sub=f"aino-{uuid4()}")
    path = await opened(aino)
    feed = (await aino.get("/calendar")).json()["id"]
    assert (await caller(sub="bertta").post(f"/calendar/{feed}/revoke")).json()["code"] == "feed-unknown"
    assert (await caller("sasky", "admin").post(f"/calendar/{feed}/revoke")).json()["code"] == "feed-unknown"
    await made(caller("vaao", "admin", sub="chief"), f"/calendar/{feed}/revoke")
    assert (await http.get(path)).status_code == 404


async def test_a_link_is_shown_once_and_kept_nowhere(caller: Caller, service: Service, http: httpx2.AsyncClient):
    aino, key = caller(sub=f"aino-{uuid4()}"), uuid4().hex
    first, again = [await made(aino, "/calendar", {}, key=key) for _ in range(2)]
    assert again == {**first, "url": None}
    secret = first["url"].rpartition("/")[2].removesuffix(".ics")
    for collection in ("feeds", "answers"):
        async for document in service.database[collection].find({}):
            assert secret not in str(document)
    assert (await http.get(re.sub(r"^https?://[^/]+", "", first["url"]))).status_code == 200
