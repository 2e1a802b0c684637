"""What companies need, and places for students, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from companies.lapsing import lapse
from companies.need import need_on_visit
from companies.potential import aggregate
from tyrsky.service import Service

from .calling import Client
from .making import MATTI, Registered, at, company_of, made

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

TODAY = datetime.now(UTC).date()
TERMS: dict[str, Any] = {
    "places": 3,
    "starts_on": (TODAY + timedelta(days=30)).isoformat(),
    "ends_on": (TODAY + timedelta(days=200)).isoformat(),
}
POTENTIAL = {"form": "apprenticeship", "field_of_study": "1013", "terms": TERMS}


async def visited(staff: Client, company: dict[str, Any]) -> str:
    """A visit that was made."""
    body = {"id": str(uuid4()), "visited_at": at(-3), "needs": ["recruitment"]}
    return (await made(staff, f"/companies/{company['id']}/visits/recorded", body))["id"]


async def outbox(service: Service, collection: str, id: str) -> str:
    found = await service.database[collection].find_one({"_id": id})
    assert found is not None
    return str(found["outbox"])


async def test_a_need_goes_from_charted_to_met_and_the_network_hears_no_words(
    service: Service, staff: Client, registered: Registered
):
    company = await company_of(staff, registered)
    body = {"id": str(uuid4()), "kind": "guidance-competence", "level": 2, "words": "Pirjo on uusi."}
    need = await made(staff, f"/companies/{company['id']}/needs", body)
    assert (need["id"], need["status"], need["level"]) == (body["id"], "charted", 2)
    path = f"/needs/{need['id']}"
    refused = await staff.post(f"{path}/close", {"outcome": "met"})
    assert (refused.status_code, refused.json()["code"]) == (409, "need-not-offered")
    await made(staff, f"{path}/offer", {"why": "Pirjolle koulutus."})
    await made(staff, f"{path}/assess", {"level": 4})
    closed = await made(staff, f"{path}/close", {"outcome": "met"})
    assert [turn["status"] for turn in closed["history"]] == ["charted", "offered", "offered", "met"]
    assert (closed["charted_level"], closed["level"], (await staff.get(path)).json()) == (2, 4, closed)
    assert "Pirjo" not in await outbox(service, "needs", need["id"])


async def test_a_need_is_sent_again_after_days(service: Service, staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    path = f"/companies/{company['id']}/needs"
    body = {"id": str(uuid4()), "kind": "training", "words": "Hygieniapassi.", "charted_at": at(-30)}
    first = await made(staff, path, body)
    await service.database["needs"].update_one({"_id": first["id"]}, {"$set": {"receipts": []}})
    assert await made(staff, path, body) == first
    other = await staff.post(path, {**body, "words": "Muuta."})
    assert (other.status_code, other.json()["code"]) == (409, "need-already-charted")


async def test_a_need_on_a_visit_has_an_id_that_follows_from_it(staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    visit = await visited(staff, company)
    path = f"/companies/{company['id']}/needs"
    need = await made(staff, path, {"kind": "recruitment", "visit_id": visit, "words": "Kaksi kokkia."})
    assert need["id"] == str(need_on_visit(UUID(visit), "recruitment"))
    own = await staff.post(path, {"id": str(uuid4()), "kind": "recruitment", "visit_id": visit})
    assert (own.status_code, own.json()["code"]) == (422, "need-id-not-free")
    unknown = await staff.post(path, {"kind": "recruitment", "visit_id": str(uuid4())})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "visit-unknown")
    elsewhere = await company_of(staff, registered)
    other = await staff.post(f"/companies/{elsewhere['id']}/needs", {"kind": "recruitment", "visit_id": visit})
    assert (other.status_code, other.json()["code"]) == (409, "visit-of-another-company")
    listed = (await staff.get("/needs", visit_id=visit)).json()["items"]
    assert listed == [need]


async def test_needs_are_listed_by_what_and_when(staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    path = f"/companies/{company['id']}/needs"
    old = await made(staff, path, {"kind": "training", "charted_at": at(-100)})
    new = await made(staff, path, {"kind": "guidance-competence", "level": 3})
    await made(staff, f"/needs/{old['id']}/close", {"outcome": "withdrawn"})

    async def ids(**asked: Any) -> list[str]:
        answer = await staff.get("/needs", company_id=company["id"], **asked)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]]

    assert await ids() == [new["id"], old["id"]]
    assert await ids(sort="charted_at") == [old["id"], new["id"]]
    assert await ids(kind=["training"]) == await ids(status="withdrawn") == await ids(charted_before=at(-1))
    assert await ids(level_from=3) == [new["id"]]
    assert await ids(level_from=4) == []
    assert await ids(business_id=company["business_id"], kind=["training", "recruitment"]) == [old["id"]]


async def test_places_are_charted_confirmed_and_agreed_upon_with_an_instructor(
    service: Service, staff: Client, registered: Registered
):
    company = await company_of(staff, registered)
    path = f"/companies/{company['id']}"
    found = await made(staff, f"{path}/potentials", {**POTENTIAL, "words": "Pirjo ohjaa."})
    assert (found["status"], found["employment"], found["paid"]) == ("charted", True, True)
    own = f"/potentials/{found['id']}"
    confirmed = await made(staff, f"{own}/confirm", {"terms": {**TERMS, "places": 2}})
    assert (confirmed["status"], confirmed["terms"]["places"]) == ("confirmed", 2)

    pirjo = await made(staff, f"{path}/contacts", {**MATTI, "name": "Pirjo"})
    boss = await made(staff, f"{path}/contacts", {**MATTI, "role": "decision-maker"})
    stranger = await made(
        staff, f"/companies/{(await company_of(staff, registered))['id']}/contacts", {**MATTI, "name": "Muu"}
    )
    agreement = {"places": 2, "agreed_on": TODAY.isoformat(), "instructor_id": pirjo["id"]}
    for wrong, code in (
        ({"instructor_id": boss["id"]}, "contact-not-instructor"),
        ({"instructor_id": stranger["id"]}, "contact-of-another-company"),
        ({"instructor_id": str(uuid4())}, "contact-unknown"),
        ({"places": 3}, "places-too-many"),
    ):
        assert (await staff.post(f"{own}/agree", {**agreement, **wrong})).json()["code"] == code
    agreed = await made(staff, f"{own}/agree", agreement)
    assert (agreed["status"], agreed["agreed_places"], agreed["instructor_id"]) == ("agreed", 2, pirjo["id"])
    assert (await staff.post(f"{own}/withdraw", {})).json()["code"] == "potential-is-over"
    told = await outbox(service, "potentials", found["id"])
    assert "Pirjo" not in told
    assert pirjo["id"] not in told


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"field_of_study": "kokki"}, "request-invalid"),
        ({"terms": {**TERMS, "places": 0}}, "request-invalid"),
        ({"terms": {**TERMS, "places": 501}}, "request-invalid"),
        ({"terms": {**TERMS, "weekly_hours": 24}}, "apprenticeship-hours-too-few"),
        ({"terms": {**TERMS, "age_min": 14}}, "apprentice-too-young"),
        ({"terms": {**TERMS, "ends_on": "9999-12-31"}}, "period-too-long"),
        ({"terms": {**TERMS, "starts_on": "9999-12-31", "ends_on": "9999-12-31"}}, "period-too-far-ahead"),
        ({"terms": {**TERMS, "starts_on": "0001-01-01", "ends_on": "0001-01-01"}}, "period-over"),
    ],
)
async def test_places_that_cannot_be(wrong: dict[str, Any], code: str, staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    answer = await staff.post(f"/companies/{company['id']}/potentials", {**POTENTIAL, **wrong})
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_places_are_sent_again_after_days_and_listed(service: Service, staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    path = f"/companies/{company['id']}/potentials"
    body = {"id": str(uuid4()), **POTENTIAL}
    first = await made(staff, path, body)
    await service.database["potentials"].update_one({"_id": first["id"]}, {"$set": {"receipts": []}})
    assert await made(staff, path, body) == first
    other = await staff.post(path, {**body, "terms": {**TERMS, "places": 4}})
    assert (other.status_code, other.json()["code"]) == (409, "potential-already-charted")

    async def count(**asked: Any) -> int:
        answer = await staff.get("/potentials", company_id=company["id"], **asked)
        assert answer.status_code == 200, answer.text
        return len(answer.json()["items"])

    for asked in ({}, {"form": "apprenticeship"}, {"field_of_study": "10"}, {"open_on": TERMS["ends_on"]}):
        assert await count(**asked) == 1, asked
    for asked in ({"form": "training-agreement"}, {"field_of_study": "11"}, {"open_on": TODAY}, {"status": "lapsed"}):
        assert await count(**asked) == 0, asked


async def test_what_is_over_lapses_by_itself_once(service: Service, staff: Client, registered: Registered):
    company = await company_of(staff, registered)
    found = await made(staff, f"/companies/{company['id']}/potentials", POTENTIAL)
    decider = service.deciders.of(aggregate)
    last = datetime.fromisoformat(TERMS["ends_on"]).replace(tzinfo=UTC)
    assert await lapse(decider, "vaao", last) == 0
    assert (await staff.get(f"/potentials/{found['id']}")).json()["status"] == "charted"
    await lapse(decider, "sasky", last + timedelta(days=2))
    assert (await staff.get(f"/potentials/{found['id']}")).json()["status"] == "charted"
    assert await lapse(decider, "vaao", last + timedelta(days=2)) >= 1
    assert (await staff.get(f"/potentials/{found['id']}")).json()["status"] == "lapsed"
    assert await lapse(decider, "vaao", last + timedelta(days=2)) == 0
