"""Somebody objects, in one college, and is erased: what the other college sees, and what is left in any database."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from . import world

pytestmark = pytest.mark.stack

SAID = {"at": "2026-01-20T10:00:00+02:00", "how": "Soitti."}


async def everything(database: str) -> str:
    """All that a service's database holds, as text."""
    kept: list[Any] = []
    async with AsyncMongoClient[dict[str, Any]](world.setting("MONGO_URI")) as client:
        for name in await client[database].list_collection_names():
            if name != "register":
                kept += await client[database][name].find({}).to_list()
    return str(kept)


async def registered(folder: Path) -> str:
    id = world.business_id()
    world.import_register(folder, world.record(id, "Konepaja Koe Oy"))
    return id


async def test_an_objection_told_to_one_college_is_honoured_by_the_other(tmp_path: Path) -> None:
    vaao, sasky = world.Person("vaao-outreach"), world.Person("sasky-outreach")
    id, mark = await registered(tmp_path), uuid4().hex[:10]
    person = {"name": f"Kuutamo {mark}", "email": f"kuutamo.{mark}@kone.example"}
    _, theirs = await sasky.company_with_contact(id, person)
    _, ours = await vaao.company_with_contact(id, person)
    assert (await sasky.get(f"/contacts/{theirs}")).json()["may_be_written_to"]
    await vaao.made(f"/contacts/{ours}/objection", SAID)

    async def honoured() -> bool:
        return not (await sasky.get(f"/contacts/{theirs}")).json()["may_be_written_to"]

    assert await world.eventually(honoured)
    told = await world.messages("companies", [ours], 2)
    assert not [message for message in told if mark.encode() in message.value]


async def test_who_is_erased_is_in_no_database_any_more(tmp_path: Path) -> None:
    vaao = world.Person("vaao-outreach")
    id, mark = await registered(tmp_path), uuid4().hex[:10]
    person = {"name": f"Kuutamo {mark}", "email": f"kuutamo.{mark}@kone.example"}
    company, contact = await vaao.company_with_contact(id, person)
    visit = (await vaao.plan(company, contact)).json()["id"]

    async def sent() -> bool:
        found = await vaao.get(f"/notifications?about={visit}&contact_id={contact}&status=sent")
        return bool(found.json()["items"])

    assert await world.eventually(sent)
    assert mark in await everything("companies")
    assert mark in await everything("notifications")
    await vaao.made(f"/contacts/{contact}/erase")

    async def gone() -> bool:
        return mark not in await everything("companies") + await everything("notifications")

    assert await world.eventually(gone)
    assert (await vaao.get(f"/visits/{visit}")).json()["contact_id"] == contact
    assert (await vaao.get(f"/contacts/{contact}")).json()["erased_at"]
