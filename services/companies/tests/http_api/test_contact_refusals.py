"""What cannot be said of a person."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from tyrsky.service import Service

from .calling import Client
from .people import People, people_of

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

Registered = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture(loop_scope="session")
async def people(service: Service, staff: Client, registered: Registered) -> People:
    return await people_of(service, staff, registered)


WRONG = {
    "future": ("objection", {"at": "2999-01-01T00:00:00Z", "how": "x"}, 422, "moment-in-the-future"),
    "no consent": ("consent/withdraw", {"at": "2026-01-01T00:00:00Z", "how": "x"}, 409, "consent-not-given"),
    "how": ("consent", {"at": "2026-01-01T00:00:00Z", "how": "a\nb"}, 422, "request-invalid"),
}


@pytest.mark.parametrize("which", WRONG)
async def test_what_cannot_have_been_said(which: str, people: People):
    what, body, status, code = WRONG[which]
    aino = await people.add()
    answer = await people.staff.post(f"/contacts/{aino['id']}/{what}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("person", "code"),
    [
        ({"basis": "consent"}, "consent-missing"),
        ({"period_ends_on": "2026-12-18"}, "period-of-an-instructor"),
        ({"role": "workplace-instructor", "period_ends_on": "2020-12-18"}, "period-long-over"),
        ({"collected_on": "2999-01-01"}, "moment-in-the-future"),
    ],
)
async def test_a_person_who_cannot_be_known_so(person: dict[str, Any], code: str, people: People):
    body = {"name": "Aino", "phone": "040 123", **person}
    answer = await people.staff.post(f"/companies/{people.company}/contacts", body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("day", [0, 1_700_000_000, "1700000000", "2026-02-30", "2026-09-01T00:00:00Z", "tomorrow", ""])
async def test_a_day_that_is_none(day: Any, people: People):
    body = {"name": "Aino", "phone": "040 123", "collected_on": day}
    answer = await people.staff.post(f"/companies/{people.company}/contacts", body)
    assert [each["field"] for each in answer.json()["errors"]] == ["collected_on"]
    assert answer.json()["errors"][0]["message"] == "This must be a date."
