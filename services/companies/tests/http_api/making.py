"""What the tests make again and again, and how they read what was published."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tyrsky.service import Service
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.notifications import NotificationRequested
from tyrsky_contracts.topics import ALL

from .calling import Client

Registered = Callable[..., Awaitable[str]]

MATTI = {"name": "Matti Malli", "role": "workplace-instructor", "language": "sv", "email": "matti@kahvila.example"}


def at(hours: float) -> str:
    """A moment so many hours from now."""
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def made(client: Client, path: str, body: Any = None, **asked: Any) -> dict[str, Any]:
    """What a POST made."""
    answer = await client.post(path, body, **asked)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def company_of(staff: Client, registered: Registered, **fields: Any) -> dict[str, Any]:
    return await made(staff, "/companies", {"business_id": await registered(**fields)})


async def invited(by: Client, company: dict[str, Any], **other: Any) -> dict[str, Any]:
    """A visit tomorrow, to which Matti is invited."""
    contact = await made(by, f"/companies/{company['id']}/contacts", MATTI)
    when = {"starts_at": at(24), "ends_at": at(25), "contact_id": contact["id"]}
    return await made(by, f"/companies/{company['id']}/visits", {**when, **other})


async def outbox(service: Service, visit_id: str) -> list[dict[str, Any]]:
    """What waits to be published of a visit, beside its entries in the audit log."""
    found = await service.database["visits"].find_one({"_id": visit_id})
    assert found is not None
    return [each for each in found["outbox"] if each["topic"] != "audit"]


async def news(service: Service, visit_id: str) -> list[NotificationRequested]:
    """What is to be told of a visit, in order."""
    codec, told = Codec(ALL), list[NotificationRequested]()
    for each in await outbox(service, visit_id):
        headers = [(name, value.encode()) for name, value in each["headers"].items()]
        event, _ = codec.decode(headers, each["body"].encode())
        if isinstance(event, NotificationRequested):
            told.append(event)
    return told


async def link(service: Service, visit_id: str) -> str:
    """The address, in the service, of the link that was sent last."""
    url = (await news(service, visit_id))[-1].data.answer_url
    assert url is not None
    return re.sub(r"^https?://[^/]+", "", url)
