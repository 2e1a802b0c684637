"""Two companies that turned out to be one: what belongs to either is found, and nothing new belongs to the one that
goes on as the other. And whoever is shown a contact is written down."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from companies.company import aggregate
from companies.merging import MergeInto
from tyrsky.drafting import Ask
from tyrsky.service import Service

from .calling import Caller, Client
from .making import MATTI, Registered, at, company_of, invited, made

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

Two = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]

TERMS = {"places": 2, "starts_on": at(240)[:10], "ends_on": at(24 * 200)[:10]}


@pytest_asyncio.fixture(loop_scope="session")
async def two(service: Service, staff: Client, registered: Registered) -> Two:
    """A company, the one that goes on as it, and a visit to that one from before."""
    company, other = await company_of(staff, registered), await company_of(staff, registered)
    visit = await invited(staff, other)
    await made(staff, f"/companies/{other['id']}/needs", {"kind": "recruitment"})
    potential = {"form": "training-agreement", "field_of_study": "1013", "terms": TERMS}
    await made(staff, f"/companies/{other['id']}/potentials", potential)
    await made(staff, f"/companies/{company['id']}/merge", {"absorbed": other["id"]})
    # As the policy does, when it hears of it.
    into = MergeInto(company_id=UUID(other["id"]), into=UUID(company["id"]))
    await service.deciders.of(aggregate).carry_out(Ask(into, uuid4(), "vaao"))
    return company, other, visit


async def test_lists_of_a_company_have_what_belongs_to_those_that_go_on_as_it(staff: Client, two: Two):
    company, other, visit = two
    assert [each["id"] for each in (await staff.get("/visits", company_id=company["id"])).json()["items"]] == [
        visit["id"]
    ]
    for path in ("/contacts", "/needs", "/potentials"):
        listed = (await staff.get(path, company_id=company["id"])).json()["items"]
        assert [each["company_id"] for each in listed] == [other["id"]], path
    contacts = (await staff.get(f"/companies/{company['id']}/contacts")).json()["items"]
    assert [each["id"] for each in contacts] == [visit["contact_id"]]


async def test_whom_one_knew_there_is_visited_noted_and_agreed_with(staff: Client, two: Two):
    company, other, visit = two
    path = f"/companies/{company['id']}"
    contact = {"contact_id": visit["contact_id"]}
    await made(staff, f"{path}/visits", {"starts_at": at(48), "ends_at": at(49), **contact})
    await made(staff, f"{path}/notes", {"kind": "call", "text": "Soitettiin.", **contact})
    charted = await made(staff, f"{path}/needs", {"kind": "training", "visit_id": visit["id"], "words": "Trukki."})
    assert charted["company_id"] == other["id"]  # as the visit's record says, whose need is the same one
    potential = {"form": "training-agreement", "field_of_study": "1013", "terms": TERMS}
    places = await made(staff, f"{path}/potentials", potential)
    await made(staff, f"/potentials/{places['id']}/confirm", {})
    agreement = {"places": 1, "agreed_on": at(-48)[:10], "instructor_id": visit["contact_id"]}
    agreed = await made(staff, f"/potentials/{places['id']}/agree", agreement)
    assert agreed["instructor_id"] == visit["contact_id"]


async def test_nothing_new_belongs_to_a_company_that_goes_on_as_another(staff: Client, two: Two):
    company, other, _ = two
    for path, body in (
        ("contacts", MATTI),
        ("visits", {"starts_at": at(48), "ends_at": at(49)}),
        ("visits/recorded", {"id": str(uuid4()), "visited_at": at(-2)}),
        ("notes", {"text": "Uusi."}),
        ("needs", {"kind": "training"}),
        ("potentials", {"form": "training-agreement", "field_of_study": "1013", "terms": TERMS}),
    ):
        answer = await staff.post(f"/companies/{other['id']}/{path}", body)
        told = answer.json()
        assert (answer.status_code, told["code"], told["about"]["into"]) == (409, "company-merged", company["id"]), path


async def test_what_was_recorded_before_a_merger_may_be_sent_again(
    service: Service, staff: Client, registered: Registered
):
    company, other = await company_of(staff, registered), await company_of(staff, registered)
    body = {"id": str(uuid4()), "visited_at": at(-2), "notes": "Kahvia."}
    path = f"/companies/{other['id']}/visits/recorded"
    visit = await made(staff, path, body)
    await made(staff, f"/companies/{company['id']}/merge", {"absorbed": other["id"]})
    into = MergeInto(company_id=UUID(other["id"]), into=UUID(company["id"]))
    await service.deciders.of(aggregate).carry_out(Ask(into, uuid4(), "vaao"))
    assert await made(staff, path, body) == visit


async def test_whoever_is_shown_a_contact_is_written_down(staff: Client, caller: Caller, registered: Registered):
    company = await company_of(staff, registered)
    reader = caller(sub=(who := uuid4().hex))
    partner = caller("vaao", "municipal-partner", sub=(kunta := uuid4().hex))
    visit = await invited(staff, company, partners=[kunta], partners_see_contact=True)
    contact = visit["contact_id"]
    for path, asked in (
        (f"/contacts/{contact}", {}),
        (f"/contacts/{contact}/export", {}),
        (f"/companies/{company['id']}/contacts", {}),
        ("/contacts", {"company_id": company["id"]}),
    ):
        assert (await reader.get(path, **asked)).status_code == 200, path
    assert (await partner.get(f"/joint-visits/{visit['id']}")).json()["contact"]["name"] == MATTI["name"]
    auditor = caller("vaao", "coordinator")
    for by, times in ((who, 4), (kunta, 1)):
        reads = (await auditor.get("/audit/reads", by=by)).json()["items"]
        assert [(each["kind"], each["things"]) for each in reads] == [("contact", [contact])] * times
    # who is shown no contact leaves no trace
    await partner.get("/joint-visits")
    await reader.get("/contacts", company_id=str(uuid4()))
    assert len((await auditor.get("/audit/reads", by=kunta)).json()["items"]) == 1
    assert len((await auditor.get("/audit/reads", by=who)).json()["items"]) == 4
    theirs = (await caller("sasky", "admin").get("/audit/reads", by=who)).json()["items"]
    assert theirs == []
