"""What the service refuses, and how it says so: to strangers, to the wrong people, and to whoever sends nonsense."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from companies.testing import business_id
from tyrsky.catalogue import declared

from .calling import Client

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

Registered = Callable[..., Awaitable[str]]

TOMORROW = datetime.now(UTC) + timedelta(days=1)
TIME = {"starts_at": TOMORROW.isoformat(), "ends_at": (TOMORROW + timedelta(hours=1)).isoformat()}
SAID = b'{"at": "2026-09-03T10:00:00+03:00", "how": "Soitti."}'
PERSON = {"name": "Aino Esimerkki", "email": "aino@kahvila.example"}


@pytest_asyncio.fixture(loop_scope="session")
async def company(staff: Client, registered: Registered) -> dict[str, Any]:
    return (await staff.post("/companies", {"business_id": await registered()})).json()


def refusal(answer: httpx2.Response) -> tuple[int, str, str | None]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["title"]
    return answer.status_code, told["code"], told.get("field")


def at_fault(answer: httpx2.Response) -> list[str]:
    assert refusal(answer)[:2] == (422, "request-invalid")
    return [each["field"] for each in answer.json()["errors"]]


async def test_a_wrong_check_digit(staff: Client):
    for wrong in ("0100130-5", "potkukelkka", "1"):
        answer = await staff.post("/companies", {"business_id": wrong})
        assert refusal(answer) == (422, "business-id-check-digit", "business_id")
        assert refusal(await staff.get("/register", business_id=wrong))[1] == "business-id-check-digit"


async def test_a_company_that_the_register_does_not_know(staff: Client):
    unknown = business_id(400_000)
    answer = await staff.post("/companies", {"business_id": unknown})
    assert refusal(answer) == (422, "business-id-not-in-register", "business_id")
    assert refusal(await staff.get(f"/register/{unknown}"))[:2] == (404, "register-entry-unknown")


async def test_a_search_by_signs_alone_is_not_a_search_for_all(staff: Client):
    assert refusal(await staff.get("/register", name="😀😀")) == (422, "name-without-letters", "name")


async def test_a_second_registration_names_the_first(staff: Client, company: dict[str, Any]):
    answer = await staff.post("/companies", {"business_id": company["business_id"]})
    assert refusal(answer) == (409, "company-already-registered", "business_id")
    assert answer.json()["about"] == {"company_id": company["id"]}


async def test_a_company_that_has_ceased(staff: Client, registered: Registered):
    answer = await staff.post("/companies", {"business_id": await registered(endDate="2024-01-31")})
    assert refusal(answer) == (422, "company-ceased", "business_id")


async def test_a_refusal_is_said_in_the_callers_language(staff: Client):
    said = {
        language: (
            await staff.send("POST", "/companies", b'{"business_id": "0100130-5"}', **{"Accept-Language": language})
        ).json()["title"]
        for language in ("fi", "sv", "en")
    }
    assert said["fi"].startswith("Y-tunnuksen tarkistusnumero ei täsmää.")
    assert said["sv"].startswith("FO-numrets kontrollsiffra stämmer inte.")
    assert said["en"].startswith("The check digit of the business id is wrong.")


WRONG_TIMES = {
    "past": (
        {"starts_at": "2020-01-01T10:00:00Z", "ends_at": "2020-01-01T11:00:00Z"},
        "visit-in-the-past",
        "starts_at",
    ),
    "far": (
        {"starts_at": "2999-01-01T10:00:00Z", "ends_at": "2999-01-01T11:00:00Z"},
        "visit-too-far-ahead",
        "starts_at",
    ),
    "end first": ({"ends_at": TIME["starts_at"]}, "visit-ends-before-it-starts", "ends_at"),
    "endless": ({"ends_at": "2999-01-01T10:00:00Z"}, "visit-too-long", "ends_at"),
}


@pytest.mark.parametrize("which", WRONG_TIMES)
async def test_a_visit_at_a_time_that_cannot_be(which: str, staff: Client, company: dict[str, Any]):
    wrong, code, field = WRONG_TIMES[which]
    answer = await staff.post(f"/companies/{company['id']}/visits", {**TIME, **wrong})
    assert refusal(answer) == (422, code, field)


@pytest.mark.parametrize("moment", ["tomorrow", "2026-09-10T09:00:00", "0001-01-01T00:00:00+14:00", 10**30, None])
async def test_a_time_that_is_none(moment: Any, staff: Client, company: dict[str, Any]):
    assert at_fault(await staff.post(f"/companies/{company['id']}/visits", {**TIME, "starts_at": moment})) == [
        "starts_at"
    ]
    assert at_fault(await staff.get("/visits", starts_from=str(moment))) == ["starts_from"]


async def test_a_visit_to_a_contact_who_is_elsewhere(staff: Client, company: dict[str, Any], registered: Registered):
    other = (await staff.post("/companies", {"business_id": await registered()})).json()
    elsewhere = (await staff.post(f"/companies/{other['id']}/contacts", PERSON)).json()["id"]
    path = f"/companies/{company['id']}/visits"
    answer = await staff.post(path, {**TIME, "contact_id": elsewhere})
    assert refusal(answer) == (422, "contact-of-another-company", "contact_id")
    assert refusal(await staff.post(path, {**TIME, "contact_id": str(uuid4())}))[:2] == (404, "contact-unknown")


async def test_a_visit_that_has_not_begun_is_not_recorded(staff: Client, company: dict[str, Any]):
    visit = (await staff.post(f"/companies/{company['id']}/visits", TIME)).json()
    assert refusal(await staff.post(f"/visits/{visit['id']}/record", {}))[:2] == (409, "visit-not-begun")


WRONG_PEOPLE = {
    "no name": ({"name": "  "}, "name"),
    "two lines": ({"name": "Aino\r\nBcc: kaikki@example.org"}, "name"),
    "a name read from both sides": ({"name": "Aino \u202eikemise"}, "name"),
    "a name that nobody sees": ({"name": "\u200b \u3164"}, "name"),
    "long name": ({"name": "x" * 201}, "name"),
    "no address": ({"email": "aino"}, "email"),
    "two addresses": ({"email": "a@x.example,b@x.example"}, "email"),
    "an address that not every server reads": ({"email": "ä@x.example"}, "email"),
    "no number": ({"phone": "soita"}, "phone"),
    "language": ({"language": "de"}, "language"),
    "something else": ({"shoe_size": 38}, "shoe_size"),
    "half a letter": ({"name": "\ud800"}, "name"),
}


@pytest.mark.parametrize("which", WRONG_PEOPLE)
async def test_a_contact_that_cannot_be(which: str, staff: Client, company: dict[str, Any]):
    wrong, field = WRONG_PEOPLE[which]
    body = json.dumps({**PERSON, **wrong}).encode()
    assert at_fault(await staff.send("POST", f"/companies/{company['id']}/contacts", body)) == [field]


async def test_a_contact_without_a_way_to_reach_them(staff: Client, company: dict[str, Any]):
    path = f"/companies/{company['id']}/contacts"
    assert refusal(await staff.post(path, {"name": "Aino"})) == (422, "contact-unreachable", "email")
    aino = (await staff.post(path, PERSON)).json()
    answer = await staff.patch(f"/contacts/{aino['id']}", {"email": None}, version="*")
    assert refusal(answer) == (422, "contact-unreachable", "email")


async def test_what_has_the_wrong_form_is_told_the_right_one(staff: Client, company: dict[str, Any]):
    person = {"name": "Aino\u202e", "email": "aino", "phone": "soita"}
    answers = [
        await staff.post(f"/companies/{company['id']}/contacts", person),
        await staff.patch(f"/companies/{company['id']}", {"tags": ["aino@x.example"]}, version="*"),
        await staff.get("/companies", municipality="Akaa"),
        await staff.get("/register", municipality="20"),
        await staff.get("/companies", business_line="kahvilat"),
    ]
    told = {(each["field"], each["code"], each["message"]) for answer in answers for each in answer.json()["errors"]}
    assert {(field, code) for field, code, _ in told} == {
        ("name", "person-name-wrong"),
        ("email", "mail-address-wrong"),
        ("phone", "phone-number-wrong"),
        ("tags.0", "tag-wrong"),
        ("municipality", "municipality-code-wrong"),
        ("business_line", "business-line-wrong"),
    }
    sentences = {problem.code: problem.en for problem in declared()}
    assert all(message == sentences[code] for _, code, message in told)


async def test_what_is_too_long_is_said_to_be(staff: Client, company: dict[str, Any]):
    answer = await staff.post(f"/companies/{company['id']}/contacts", {**PERSON, "name": "x" * 201})
    assert [each["message"] for each in answer.json()["errors"]] == ["At most 200 characters."]


async def test_a_label_that_names_somebody(staff: Client, company: dict[str, Any]):
    answer = await staff.patch(f"/companies/{company['id']}", {"tags": ["ok", "aino@x.example"]}, version="*")
    assert at_fault(answer) == ["tags.1"]


async def test_a_change_to_what_somebody_else_has_changed_meanwhile(staff: Client, company: dict[str, Any]):
    path = f"/companies/{company['id']}"
    assert (await staff.patch(path, {"tags": ["a"]}, version='"1"')).status_code == 200
    assert refusal(await staff.patch(path, {"tags": ["b"]}, version='"1"'))[:2] == (412, "version-stale")
    assert refusal(await staff.patch(path, {"tags": ["b"]}, version=None))[:2] == (428, "if-match-missing")
    assert (await staff.get(path)).json()["tags"] == ["a"]


async def test_a_body_that_is_too_large_or_no_json(staff: Client):
    assert refusal(await staff.send("POST", "/companies", b'{"business_id": "' + b"1" * 10_000_000 + b'"}'))[:2] == (
        413,
        "body-too-large",
    )
    assert refusal(await staff.send("POST", "/companies", b'{"business_id": "0100'))[:2] == (400, "json-broken")
    assert refusal(await staff.send("POST", "/companies", b"[" * 1_000))[:2] == (400, "json-too-deep")
