"""People at a company of a college, for the tests of contacts."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from companies.erasing import Erasing
from companies.views import objections
from tyrsky.deliveries import Delivery, Message
from tyrsky.rows import ProjectionReaction
from tyrsky.service import Service
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.topics import ALL

from .calling import Client

codec = Codec(ALL)


class People:
    """Somebody new at a company of one college, with an address that nobody else has."""

    def __init__(self, service: Service, staff: Client, company: str) -> None:
        self.service = service
        self.staff = staff
        self.company = company

    async def add(self, **other: Any) -> dict[str, Any]:
        person = {"name": "Aino Esimerkki", "email": f"aino-{uuid4().hex[:8]}@kahvila.example", **other}
        answer = await self.staff.post(f"/companies/{self.company}/contacts", person)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def do(self, person: dict[str, Any], what: str, body: Any = None) -> dict[str, Any]:
        answer = await self.staff.post(f"/contacts/{person['id']}/{what}", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def get(self, person: dict[str, Any]) -> dict[str, Any]:
        return (await self.staff.get(f"/contacts/{person['id']}")).json()

    async def document(self, person: dict[str, Any]) -> dict[str, Any]:
        return await self.service.database["contacts"].find_one({"_id": person["id"]}) or {}

    async def told(self, person: dict[str, Any]) -> list[str]:
        """What the network will be told of the contact."""
        waiting = (await self.document(person))["outbox"]
        return [entry["headers"]["ce_type"] for entry in waiting if entry["topic"] != "audit"]

    async def heard(self, person: dict[str, Any]) -> None:
        """The network hears what waits in the contact's outbox."""
        reaction = ProjectionReaction(objections, self.service.database, service="companies")
        edition = await reaction.edition()
        for entry in (await self.document(person))["outbox"]:
            headers = [(name, value.encode()) for name, value in entry["headers"].items()]
            event, about = codec.decode(headers, entry["body"].encode())
            if type(event) in objections.events:
                message = Message("companies", 0, about.sequence, person["id"], tuple(headers), entry["body"].encode())
                await reaction.take({person["id"]: [Delivery(message, event, about)]}, edition)

    async def looked_after(self, person: dict[str, Any] | None = None, due_at: datetime | None = None) -> None:
        """What is due is erased, once somebody's time has come."""
        if person and due_at:
            day = {"state.keep_until": due_at.date().isoformat(), "state.due_at": due_at}
            if (await self.document(person))["state"]["copies_due"]:
                day = {"state.copies_due": due_at, "state.due_at": due_at}
            await self.service.database["contacts"].update_one({"_id": person["id"]}, {"$set": day})
        erasing = Erasing(self.service)
        await erasing.once()
        await erasing.once()  # the copies


async def people_of(service: Service, staff: Client, registered: Callable[..., Awaitable[str]]) -> People:
    company = (await staff.post("/companies", {"business_id": await registered()})).json()
    return People(service, staff, company["id"])
