"""Classifications over HTTP: what codes mean, in the reader's language."""

from typing import Any

import pytest
from companies.classification import Class
from tyrsky.service import Service

from .calling import Client
from .places import known

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

LINES = (
    Class(kind="tol2025", code="I", level=1, names={"fi": "Majoitus- ja ravitsemistoiminta", "en": "Accommodation"}),
    Class(kind="tol2025", code="55", level=2, parent="I", names={"fi": "Majoitus", "en": "Accommodation of guests"}),
    Class(kind="tol2025", code="56", level=2, parent="I", names={"fi": "Ravitsemistoiminta", "en": "Food, beverages"}),
    Class(kind="tol2025", code="C", level=1, names={"fi": "Teollisuus", "en": "Manufacturing"}),
    Class(kind="tol2008", code="56", level=2, parent="I", names={"fi": "Ravitsemistoiminta", "sv": "Restaurang"}),
)


async def listed(staff: Client, path: str, language: str = "fi", **asked: Any) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    answer = await staff.send("GET", f"{path}?{query}", b"", **{"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def codes(items: list[dict[str, Any]]) -> list[str]:
    return [each["code"] for each in items]


async def test_a_classification_is_listed_by_level_parent_and_text(service: Service, staff: Client):
    await known(service, *LINES)
    path = "/classifications/tol2025"
    assert codes(await listed(staff, path)) == ["55", "56", "C", "I"]
    assert codes(await listed(staff, path, sort="-code")) == ["I", "C", "56", "55"]
    assert codes(await listed(staff, path, level=1)) == ["C", "I"]
    assert codes(await listed(staff, path, parent="I")) == ["55", "56"]
    for text in ("ravits", "RAVITSEMIS", "bever", "food"):
        assert "56" in codes(await listed(staff, path, text=text)), text
    assert codes(await listed(staff, path, text="accommodation", parent="I")) == ["55"]
    assert codes(await listed(staff, "/classifications/tol2008", text="restau")) == ["56"]
    page = (await staff.get(path, limit=3)).json()
    assert codes((await staff.get(path, limit=3, cursor=page["next"])).json()["items"]) == ["I"]


async def test_a_missing_translation_is_finnish_and_says_so(service: Service, staff: Client):
    await known(service, *LINES)
    path, asked = "/classifications/tol2025", {"parent": "I", "text": "ravits"}
    [swedish] = await listed(staff, path, "sv", **asked)
    [english] = await listed(staff, path, "en", **asked)
    assert (swedish["name"], swedish["name_language"]) == ("Ravitsemistoiminta", "fi")
    assert (english["name"], english["name_language"]) == ("Food, beverages", "en")
    assert english["names"] == {"fi": "Ravitsemistoiminta", "en": "Food, beverages"}


async def test_municipalities_are_listed_with_their_regions(service: Service, staff: Client):
    await known(service)
    [akaa, valkeakoski] = await listed(staff, "/municipalities", "sv", region="06")
    assert (akaa["code"], akaa["region"], akaa["region_name"], akaa["name_language"]) == (
        "020",
        "06",
        "Birkaland",
        "fi",
    )
    assert valkeakoski["name"] == "Valkeakoski"
    [etseri] = await listed(staff, "/municipalities", "sv", text="etser")
    assert (etseri["code"], etseri["name"], etseri["region_name"]) == ("989", "Etseri", "Södra Österbotten")
    assert codes(await listed(staff, "/municipalities", text="ahtari")) == ["989"]
    assert codes(await listed(staff, "/municipalities", gone="true")) == ["887"]


async def test_what_is_asked_wrongly_is_refused(service: Service, staff: Client):
    assert (await staff.get("/classifications/sausages")).status_code == 422
    assert (await staff.get("/classifications/tol2025", level=10)).status_code == 422
    answer = await staff.get("/classifications/tol2025", text="😀")
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "text-without-letters", "text")
    assert (await staff.get("/municipalities", parent="06")).status_code == 422
    assert (await staff.get("/municipalities", region="6")).status_code == 422
    assert (await staff.get("/classifications/field-of-education")).json() == {"items": [], "next": None}
