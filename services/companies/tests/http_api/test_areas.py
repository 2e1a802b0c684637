"""A college's areas over HTTP, and what they are good for: to search the register."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from companies.api import areas
from companies.testing import record
from tyrsky.service import Service

from .calling import Caller, Client
from .places import area_of, known

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

Registered = Callable[..., Awaitable[str]]


def refusal(answer: httpx2.Response) -> tuple[int, str, str | None]:
    told = answer.json()
    return answer.status_code, told["code"], told.get("field")


async def test_an_area_is_made_renamed_redrawn_and_removed(service: Service, staff: Client):
    area = await area_of(staff, service, "908", "020", name="Eteläinen Pirkanmaa")
    path = f"/areas/{area['id']}"
    assert area == {"id": area["id"], "name": "Eteläinen Pirkanmaa", "municipalities": ["020", "908"]}
    assert (await staff.get(path)).json() == area
    renamed = await staff.patch(path, {"name": "Etelä"}, version='"1"')
    assert renamed.json() == {**area, "name": "Etelä"}
    redrawn = await staff.patch(path, {"municipalities": ["908", "989"]}, version=renamed.headers["ETag"])
    assert redrawn.json()["municipalities"] == ["908", "989"]
    assert refusal(await staff.patch(path, {"name": "x"}, version='"1"'))[:2] == (412, "version-stale")
    gone = await staff.send("DELETE", path, b"")
    assert (gone.status_code, gone.content) == (204, b"")
    assert refusal(await staff.get(path))[:2] == (404, "area-unknown")
    assert refusal(await staff.patch(path, {"name": "x"}, version="*"))[:2] == (404, "area-unknown")
    assert refusal(await staff.get("/register", area=area["id"]))[:2] == (404, "area-unknown")
    assert (await staff.send("DELETE", path, b"")).status_code == 204


async def test_areas_are_listed_by_name(service: Service, caller: Caller):
    college = caller("sasky", "coordinator")
    for name in ("Länsi", "Etelä", "Pois"):
        area = await area_of(college, service, name=name)
    await college.send("DELETE", f"/areas/{area['id']}", b"")  # pyright: ignore[reportPossiblyUnboundVariable]
    first = (await college.get("/areas", limit=1)).json()
    assert [each["name"] for each in first["items"]] == ["Etelä"]
    second = (await college.get("/areas", limit=1, cursor=first["next"])).json()
    assert ([each["name"] for each in second["items"]], second["next"]) == (["Länsi"], None)


WRONG: dict[str, tuple[dict[str, Any], tuple[int, str, str | None]]] = {
    "empty": ({"municipalities": []}, (422, "area-empty", "municipalities")),
    "unknown": ({"municipalities": ["908", "999"]}, (422, "municipality-unknown", "municipalities")),
    "gone": ({"municipalities": ["887"]}, (422, "municipality-unknown", "municipalities")),
    "no code": ({"municipalities": ["Akaa"]}, (422, "request-invalid", None)),
    "too many": ({"municipalities": ["908"] * 321}, (422, "request-invalid", None)),
    "no name": ({"name": "  "}, (422, "request-invalid", None)),
    "a name of two lines": ({"name": "a\nb"}, (422, "request-invalid", None)),
    "a long name": ({"name": "x" * 101}, (422, "request-invalid", None)),
    "more": ({"colour": "red"}, (422, "request-invalid", None)),
}


@pytest.mark.parametrize("which", WRONG)
async def test_an_area_that_cannot_be(which: str, service: Service, staff: Client):
    area = await area_of(staff, service)
    other, told = WRONG[which]
    assert refusal(await staff.post("/areas", {"name": "Etelä", "municipalities": ["908"], **other})) == told
    assert refusal(await staff.patch(f"/areas/{area['id']}", other, version="*")) == told


async def test_a_college_has_so_many_areas_and_no_more(
    service: Service, caller: Caller, monkeypatch: pytest.MonkeyPatch
):
    college = caller("sasky", "admin")
    there = len((await college.get("/areas", limit=200)).json()["items"])
    monkeypatch.setattr(areas, "AREAS_MAX", there + 1)
    await known(service)
    body = {"name": "Viimeinen", "municipalities": ["908"]}
    made = await college.post("/areas", body, key="the-last-area")
    assert made.status_code == 201
    assert refusal(await college.post("/areas", body))[:2] == (409, "areas-too-many")
    assert (await college.post("/areas", body, key="the-last-area")).json() == made.json()


def where(municipality: str) -> list[dict[str, Any]]:
    [address] = record()["addresses"]
    return [{**address, "postOffices": [{"city": "X", "languageCode": "1", "municipalityCode": municipality}]}]


async def test_the_register_is_searched_by_area_and_region(service: Service, staff: Client, registered: Registered):
    names = [{"name": "Aluepaja Oy", "type": "1"}]
    ids = {code: await registered(names=names, addresses=where(code)) for code in ("020", "908", "887", "989")}
    south = await area_of(staff, service, "020", "989")

    async def found(**asked: Any) -> set[str]:
        answer = await staff.get("/register", name="aluepaja", **asked)
        assert answer.status_code == 200, answer.text
        return {each["business_id"] for each in answer.json()["items"]}

    assert await found(area=south["id"]) == {ids["020"], ids["989"]}
    assert await found(region="06") == {ids["020"], ids["908"], ids["887"]}
    assert await found(region="06", area=south["id"]) == {ids["020"]}
    assert await found(region="14", municipality="908") == set()
    page = (await staff.get("/register", name="aluepaja", region="06", limit=2)).json()
    more = (await staff.get("/register", name="aluepaja", region="06", limit=2, cursor=page["next"])).json()
    assert len(page["items"]) + len(more["items"]) == 3
    assert refusal(await staff.get("/register", region="99")) == (422, "region-unknown", "region")
    assert refusal(await staff.get("/register", region="Pirkanmaa"))[:2] == (422, "request-invalid")
    assert refusal(await staff.get("/register", area=str(uuid4())))[:2] == (404, "area-unknown")


async def test_nobody_searches_by_another_colleges_area(service: Service, staff: Client, caller: Caller):
    area = await area_of(staff, service)
    answer = await caller("sasky", "admin").get("/register", area=area["id"])
    assert refusal(answer)[:2] == (404, "area-unknown")
