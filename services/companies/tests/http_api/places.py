"""Municipalities and areas, for the service's tests."""

from typing import Any

from companies.classification import COLLECTION, Class, document
from tyrsky.service import Service

from .calling import Client

PLACES = (
    Class(kind="region", code="06", level=1, names={"fi": "Pirkanmaa", "sv": "Birkaland"}),
    Class(kind="region", code="14", level=1, names={"fi": "Etelä-Pohjanmaa", "sv": "Södra Österbotten"}),
    Class(kind="municipality", code="020", parent="06", names={"fi": "Akaa"}),
    Class(kind="municipality", code="908", parent="06", names={"fi": "Valkeakoski"}),
    Class(kind="municipality", code="989", parent="14", names={"fi": "Ähtäri", "sv": "Etseri"}),
    Class(kind="municipality", code="887", parent="06", names={"fi": "Urjala"}, gone=True),
)


async def known(service: Service, *classes: Class) -> None:
    """The classification has these, and the places of above."""
    for each in (*PLACES, *classes):
        wanted = document(each)
        await service.database[COLLECTION].replace_one({"_id": wanted["_id"]}, wanted, upsert=True)


async def area_of(staff: Client, service: Service, *municipalities: str, name: str = "Eteläinen") -> dict[str, Any]:
    """A new area of the caller's college."""
    await known(service)
    answer = await staff.post("/areas", {"name": name, "municipalities": list(municipalities or ("908",))})
    assert answer.status_code == 201, answer.text
    return answer.json()
