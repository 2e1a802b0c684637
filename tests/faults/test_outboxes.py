"""What the rig looks through for events that wait: in a run of hours it must not be the store's heaviest user."""

import os
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient
from tyrsky.store import Document, Store

from shared.kit.tests.core.room import room
from tests.faults import outboxes

pytestmark = pytest.mark.stack


async def test_only_aggregates_are_looked_through():
    async with AsyncMongoClient[Document](os.environ["MONGO_URI"], tz_aware=True) as client:
        database = client[f"outboxes-{uuid4().hex[:8]}"]
        await Store(database, room).prepare()
        waits: Document = {"_id": "r1", "outbox_since": datetime.now(UTC), "outbox": [{"sequence": 2}]}
        await database["rooms"].insert_many([waits, {"_id": "r2", "outbox": []}])
        await database["answers"].insert_one({"_id": "a1", "outbox_since": datetime.now(UTC)})
        looked_through = await outboxes.collections(database)
        assert looked_through == ["rooms"]
        assert await outboxes.waiting(database, looked_through) == {("rooms", "r1"): [2]}
        await client.drop_database(database)
