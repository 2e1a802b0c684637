"""Who may, tried on every route: not strangers, not whose work it is not, and not the other college."""

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from tyrsky.openapi import operations
from tyrsky.service import Service
from tyrsky.testing.tokens import Authority

from .calling import Caller, Client
from .making import Registered
from .places import area_of

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

TOMORROW = datetime.now(UTC) + timedelta(days=1)
TIME = {"starts_at": TOMORROW.isoformat(), "ends_at": (TOMORROW + timedelta(hours=1)).isoformat()}
POTENTIAL = {
    "form": "apprenticeship",
    "field_of_study": "1013",
    "terms": {
        "places": 3,
        "starts_on": TOMORROW.date().isoformat(),
        "ends_on": (TOMORROW + timedelta(days=200)).date().isoformat(),
    },
}
SAID = {"at": "2026-09-03T10:00:00+03:00", "how": "Soitti."}
PERSON = {"name": "Aino Esimerkki", "email": "aino@kahvila.example"}


@pytest_asyncio.fixture(loop_scope="session")
async def company(staff: Client, registered: Registered) -> dict[str, Any]:
    return (await staff.post("/companies", {"business_id": await registered()})).json()


def refusal(answer: httpx2.Response) -> tuple[int, str, str | None]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["title"]
    return answer.status_code, told["code"], told.get("field")


BODIES: dict[str, dict[str, Any]] = {
    "registerCompany": {"business_id": "0100130-4"},
    "changeCompany": {"tags": []},
    "previewMerger": {"absorbed": str(uuid4())},
    "mergeCompany": {"absorbed": str(uuid4())},
    "unmergeCompany": {"released": str(uuid4())},
    "drawArea": {"name": "Kaikki", "municipalities": ["908"]},
    "addContact": {"name": "Aino", "phone": "040 123"},
    "changeContact": {"language": "sv"},
    "recordConsent": SAID,
    "withdrawConsent": SAID,
    "recordObjection": SAID,
    "writeNote": {"text": "Soita uudelleen."},
    "planVisit": TIME,
    "moveVisit": TIME,
    "recordUnplannedVisit": {"id": str(uuid4()), "visited_at": "2026-01-20T10:00:00Z"},
    "answerVisit": {"answer": "confirmed"},
    "shareVisit": {"partners": []},
    "remarkOnVisit": {"words": "Hyvä käynti."},
    "chartNeed": {"kind": "recruitment"},
    "assessNeed": {"level": 3},
    "offerForNeed": {"why": "Koulutus."},
    "closeNeed": {"outcome": "withdrawn"},
    "chartPotential": POTENTIAL,
    "agreePotential": {"places": 1, "agreed_on": "2026-01-20", "instructor_id": str(uuid4())},
}

PARTNERS_TOO = {"listJointVisits", "getJointVisit", "remarkOnVisit", "openCalendar", "getCalendar", "revokeCalendar"}


def new_field() -> dict[str, Any]:
    return {"key": f"f{uuid4().hex[:10]}", "kind": "number", "labels": {"fi": "Koko"}}


def wishes(service: Service, ids: dict[str, str], *, without: Collection[str] = ()) -> list[tuple[str, str, bytes]]:
    """A request for every operation of the service that needs a token, good but for whoever sends it."""
    found: list[tuple[str, str, bytes]] = []
    for name, operation in operations(service.app.openapi()):
        method, _, path = name.partition(" ")
        if operation.get("security") and operation["operationId"] not in without:
            body = b"" if method == "GET" else json.dumps(BODIES.get(operation["operationId"], {})).encode()
            found.append((method, path.format_map(ids), body))
    return found


async def refusals(client: Client, service: Service, *, without: Collection[str] = ()) -> dict[str, tuple[int, str]]:
    return {
        f"{method} {path}": refusal(await client.send(method, path, body))[:2]
        for method, path, body in wishes(service, NOWHERE, without=without)
    }


NOWHERE = {
    "company_id": str(uuid4()),
    "contact_id": str(uuid4()),
    "visit_id": str(uuid4()),
    "need_id": str(uuid4()),
    "potential_id": str(uuid4()),
    "feed_id": str(uuid4()),
    "area_id": str(uuid4()),
    "field_id": str(uuid4()),
    "note_id": str(uuid4()),
    "business_id": "0100130-4",
    "kind": "municipality",
    "day": "2026-09-10",
}


@pytest.mark.parametrize("role", ["municipal-partner", "operator"])
async def test_whose_work_it_is_not_may_do_nothing(role: str, caller: Caller, service: Service):
    theirs = PARTNERS_TOO if role == "municipal-partner" else set[str]()
    told = await refusals(caller("vaao", role), service, without=theirs)
    assert len(told) == 78 - len(theirs)
    assert set(told.values()) == {(403, "role-missing")}


async def test_who_is_nobody_may_do_nothing(http: httpx2.AsyncClient, service: Service, authority: Authority):
    for headers, code in (
        ({}, "token-missing"),
        ({"Authorization": "Bearer nonsense"}, "token-invalid"),
        (authority.headers(exp=1_700_000_000, iat=1_600_000_000), "token-expired"),
        (authority.headers("tredu"), "college-not-served"),
    ):
        told = await refusals(Client(http, headers), service)
        assert {answer[1] for answer in told.values()} == {code}
        assert {answer[0] for answer in told.values()} <= {401, 403}


async def test_what_is_another_colleges_is_not_there(
    caller: Caller, staff: Client, service: Service, company: dict[str, Any]
):
    path = f"/companies/{company['id']}"
    made = {
        "contact": (await staff.post(f"{path}/contacts", PERSON)).json(),
        "visit": (await staff.post(f"{path}/visits", TIME)).json(),
        "need": (await staff.post(f"{path}/needs", BODIES["chartNeed"])).json(),
        "potential": (await staff.post(f"{path}/potentials", BODIES["chartPotential"])).json(),
        "feed": (await staff.post("/calendar", {})).json(),
        "note": (await staff.post(f"{path}/notes", BODIES["writeNote"])).json(),
        "area": await area_of(staff, service),
        "field": (await caller("vaao", "coordinator").post("/fields", new_field())).json(),
    }
    ids = {f"{kind}_id": thing["id"] for kind, thing in made.items()}
    ids |= {"company_id": company["id"], "business_id": "", "kind": "", "day": "2026-09-10"}
    strangers = {role: caller("sasky", role, sub="stranger") for role in ("admin", "municipal-partner")}
    for method, path, body in wishes(service, ids, without={"listVisitsOfDay"}):
        if any(id and id in path for id in ids.values()):
            stranger = strangers["municipal-partner" if path.startswith("/joint-visits") else "admin"]
            status, code, _ = refusal(await stranger.send(method, path, body))
            assert (status, code.partition("-")[2]) == (404, "unknown"), f"{method} {path}"
    for path in ("/companies", "/contacts", "/visits", "/needs", "/potentials", "/areas", "/fields", "/audit/changes"):
        listed = (await strangers["admin"].get(path, limit=200)).json()["items"]
        assert not {company["id"], *ids.values()} & {each.get("id") or each["thing"] for each in listed}
    for kind in ("contact", "visit", "need", "potential", "note", "area", "field"):
        assert (await staff.get(f"/{kind}s/{made[kind]['id']}")).json() == made[kind]
