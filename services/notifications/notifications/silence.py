"""Who is not to be told any more what was asked for before: contacts that were erased, or that object."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.store import CODEC, Document, Loaded

from notifications.notification import Notification

Why = Literal["recipient-erased", "recipient-objected"]

ERASED: Why = "recipient-erased"
OBJECTED: Why = "recipient-objected"

KEPT = timedelta(days=60)
"""So long it is known: a request lies on its topic for seven days, and is tried for five."""


class Silence:
    """Ids of contacts, since when, and why. It is asked before each attempt at a message."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._collection = database.get_collection("silence", codec_options=CODEC)

    async def prepare(self) -> None:
        """Declare the index by which real MongoDB forgets them; elsewhere the ids stay. Idempotent."""
        await self._collection.create_index([("at", 1)], expireAfterSeconds=int(KEPT.total_seconds()))

    async def begin(self, college: str, contact_id: UUID, why: Why, at: datetime) -> None:
        """From now on, for what was asked for before ``at``. Heard twice, or late, it is the last that counts."""
        await self._collection.update_one({"_id": f"{college}/{contact_id}/{why}"}, {"$max": {"at": at}}, upsert=True)

    async def about(self, message: Loaded[Notification]) -> Why | None:
        """Why a message is not to be sent."""
        state = message.state
        if state.contact_id is None:
            return None
        asked_at = state.request.time if state.request else state.accepted_at
        ids = {f"{message.college}/{state.contact_id}/{why}": why for why in (ERASED, OBJECTED)}
        found = self._collection.find({"_id": {"$in": list(ids)}, "at": {"$gte": asked_at}})
        silenced = {ids[each["_id"]] async for each in found}
        return ERASED if ERASED in silenced else OBJECTED if silenced else None
