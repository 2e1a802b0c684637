"""Whom to write to: asked right before, of the contact and of the network."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from companies import contact, views
from companies.api.objections import Addressee, Objections
from tyrsky.rows import Rows, Shelves
from tyrsky.service import Service
from tyrsky_contracts.addresses import AddressHashes

from .calling import Client
from .people import People, people_of

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="session")]

Registered = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture(loop_scope="session")
async def people(service: Service, staff: Client, registered: Registered) -> People:
    return await people_of(service, staff, registered)


async def test_whom_to_write_to_is_asked_right_before(people: People, service: Service):
    """What a visit asks of the contacts when it tells somebody something."""
    aino, by_phone = await people.add(language="sv"), await people.add(email=None, phone="040 555 1234")
    peppers = AddressHashes(["the-tests-have-a-pepper-of-their-own"])
    objections = Objections(Rows(Shelves(service.database, views.objections)), peppers)

    async def addressee(person: dict[str, Any]) -> Addressee | None:
        loaded = await service.deciders.of(contact.aggregate).store.load("vaao", UUID(person["id"]))
        assert loaded is not None
        return await objections.addressee(loaded)

    assert await addressee(aino) == Addressee(
        contact_id=UUID(aino["id"]), name="Aino Esimerkki", email=aino["email"], language="sv"
    )
    assert await addressee(by_phone) is None
    twin = await people.add(email=aino["email"])
    await people.do(twin, "objection", {"at": (datetime.now(UTC) - timedelta(days=1)).isoformat(), "how": "Soitti."})
    assert await addressee(twin) is None
    await people.heard(twin)
    assert await addressee(aino) is None
    await people.do(aino, "erase")
    assert await addressee(aino) is None
