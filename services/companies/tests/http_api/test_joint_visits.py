"""Municipal partners: they see the visits that they were invited to, and nothing else."""

from typing import Any

import pytest
import pytest_asyncio
from tyrsky.service import Service

from .calling import Caller, Client
from .making import MATTI, Registered, company_of, invited, made, outbox

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

KUNTA = "d1c4f0a2-51b7-4a8e-8f3a-0c2b7a9e1003"


@pytest.fixture
def partner(caller: Caller) -> Client:
    return caller("vaao", "municipal-partner", sub=KUNTA)


@pytest_asyncio.fixture(loop_scope="session")
async def visit(staff: Client, registered: Registered) -> dict[str, Any]:
    return await invited(staff, await company_of(staff, registered), partners=[KUNTA])


async def shown(partner: Client, visit: dict[str, Any]) -> dict[str, Any]:
    answer = await partner.get(f"/joint-visits/{visit['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(partner: Client, **asked: Any) -> list[str]:
    return [each["id"] for each in (await partner.get("/joint-visits", limit=200, **asked)).json()["items"]]


async def test_a_partner_sees_the_visit_and_no_notes_nor_people(
    service: Service, staff: Client, partner: Client, visit: dict[str, Any]
):
    assert visit["id"] in await ids(partner)
    found = await shown(partner, visit)
    assert found.keys() == {
        *("id", "status", "business_id", "company_name", "municipality", "starts_at", "ends_at", "manner"),
        *("contact", "remark"),
    }
    assert found["contact"] is None
    assert (await partner.get(f"/visits/{visit['id']}")).status_code == 403
    assert KUNTA not in str(await outbox(service, visit["id"]))


async def test_the_contact_is_shown_when_the_college_says_so(staff: Client, partner: Client, visit: dict[str, Any]):
    wanted = {"partners": [KUNTA], "partners_see_contact": True}
    await made(staff, f"/visits/{visit['id']}/partners", wanted)
    shared = {"name": MATTI["name"], "role": MATTI["role"], "email": MATTI["email"], "phone": None}
    assert (await shown(partner, visit))["contact"] == shared
    assert {each["contact"] is None for each in (await partner.get("/joint-visits")).json()["items"]} == {True}


async def test_another_partner_sees_nothing_and_who_is_named_no_more_neither(
    caller: Caller, staff: Client, partner: Client, visit: dict[str, Any]
):
    other = caller("vaao", "municipal-partner", sub="somebody-else")
    elsewhere = caller("sasky", "municipal-partner", sub=KUNTA)
    path = f"/joint-visits/{visit['id']}"
    for stranger in (other, elsewhere):
        assert visit["id"] not in await ids(stranger)
        assert (await stranger.get(path)).json()["code"] == "visit-unknown"
        assert (await stranger.post(f"{path}/remark", {"words": "Hei."})).json()["code"] == "visit-unknown"
    await made(staff, f"/visits/{visit['id']}/partners", {"partners": []})
    assert visit["id"] not in await ids(partner)
    assert (await partner.get(path)).status_code == 404


async def test_a_partners_remark_is_for_staff_and_for_themselves(caller: Caller, staff: Client, visit: dict[str, Any]):
    second = "second-partner"
    await made(staff, f"/visits/{visit['id']}/partners", {"partners": [KUNTA, second]})
    for subject, words in ((KUNTA, "Tila löytyi."), (second, "Rahoitus avoinna."), (KUNTA, "Kaksi tilaa löytyi.")):
        partner = caller("vaao", "municipal-partner", sub=subject)
        answered = await made(partner, f"/joint-visits/{visit['id']}/remark", {"words": words})
        assert answered["remark"] == words == (await shown(partner, visit))["remark"]
    told = (await staff.get(f"/visits/{visit['id']}")).json()["remarks"]
    assert {(each["by"], each["words"]) for each in told} == {
        (KUNTA, "Kaksi tilaa löytyi."),
        (second, "Rahoitus avoinna."),
    }
