"""A store for each test that wants one, and senders at work on it."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from notifications.notification import AcceptNotification, Notification, NotificationCommand, aggregate
from notifications.sending import Sending
from notifications.settings import Settings
from notifications.silence import Silence
from pymongo import AsyncMongoClient
from tyrsky.deciding import Decider
from tyrsky.drafting import Ask
from tyrsky.effects import Effects
from tyrsky.store import Document, Loaded, Store
from tyrsky_contracts import topics
from tyrsky_contracts.codec import Codec

from .known import an_invitation


class Office:
    """The notifications of one deployment: takes requests on, lets senders work, and looks what became of them."""

    def __init__(self, client: AsyncMongoClient[Document], name: str) -> None:
        self.client = client
        self.name = name
        self.decider = self._decider(client)

    def _decider(self, client: AsyncMongoClient[Document]) -> Decider[Notification, NotificationCommand]:
        return Decider(Store(client[self.name], aggregate), Codec(topics.ALL), publish=lambda _: None)

    async def accept(self, command: AcceptNotification | None = None, *, college: str = "vaao") -> UUID:
        command = command or an_invitation()
        await self.decider.carry_out(Ask(command, uuid4(), college, cause=command.request))
        return command.notification_id

    async def look(self, id: UUID, *, college: str = "vaao") -> Loaded[Notification]:
        loaded = await self.decider.store.load(college, id)
        assert loaded is not None
        return loaded

    async def status(self, id: UUID) -> str:
        return (await self.look(id)).state.status

    async def outbox(self, id: UUID) -> list[Document]:
        document = await self.decider.store.collection.find_one({"_id": str(id)})
        assert document is not None
        return document["outbox"]

    @asynccontextmanager
    async def sender(
        self, port: int, client: AsyncMongoClient[Document] | None = None, **other: Any
    ) -> AsyncGenerator[Effects[Notification, NotificationCommand]]:
        """A sender at work; with a ``client``, one that shares nothing with the office but the store."""
        base: dict[str, Any] = {
            "colleges": ["vaao"],
            "oidc_issuer": "http://localhost",
            "smtp_port": port,
            "mail_poll_seconds": 0.1,
            "mail_retry_seconds": 0.1,
        }
        decider = self._decider(client) if client else self.decider
        settings = Settings(**{**base, **other})
        sending = Effects(decider, Sending(settings, Silence(self.client[self.name])), settings.colleges)
        decider.listen(sending.hear)
        await sending.prepare()
        work = asyncio.create_task(sending.run())
        try:
            yield sending
            assert not work.done(), "the sender ended by itself"
        finally:
            work.cancel()
            await asyncio.wait([work], timeout=10)


@pytest.fixture
def mongo_uri() -> str:
    return os.environ.get("MONGO_URI", "mongodb://127.0.0.1:17017")


@pytest.fixture
async def office(mongo_uri: str) -> AsyncIterator[Office]:
    """An office with a database of its own."""
    async with AsyncMongoClient[Document](mongo_uri, tz_aware=True) as client:
        name = f"notifications_{uuid4().hex[:12]}"
        yield Office(client, name)
        await client.drop_database(name)


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 20) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)
