"""Answers outlive the process, are written many at a time, and are forgotten after a day."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.receipts import Receipt
from tyrsky.remembering import KEPT, Remembered
from tyrsky.store import Document

pytestmark = pytest.mark.stack


async def test_an_answer_is_known_at_once_and_to_the_next_process(database: AsyncDatabase[Document]) -> None:
    here, there = Remembered(database), Remembered(database)
    receipts = [Receipt(str(uuid4()), f"request {number}", 3, {"left": number}) for number in range(300)]
    for receipt in receipts:
        here.keep(receipt)
    seventh = UUID(receipts[7].key)
    assert await here.find(seventh) == receipts[7]
    assert await there.find(seventh) is None
    await here.stop()
    assert await there.find(seventh) == receipts[7]
    there.keep(receipts[0])  # the same one again, by another process
    await there.stop()
    assert await there.find(UUID(receipts[0].key)) == receipts[0]


async def test_old_answers_are_forgotten(database: AsyncDatabase[Document]) -> None:
    collection = database["answers"]
    old, young = str(uuid4()), str(uuid4())
    now = datetime.now(UTC)
    await collection.insert_many(
        [
            {"_id": old, "fingerprint": "a", "at": now - KEPT - timedelta(minutes=1)},
            {"_id": young, "fingerprint": "a", "at": now - KEPT + timedelta(minutes=1)},
        ]
    )
    remembered = Remembered(database)
    await remembered.prepare()
    running = asyncio.create_task(remembered.run())
    remembered.keep(Receipt(str(uuid4()), "new", 1, None))
    async with asyncio.timeout(10):
        while await collection.count_documents({"_id": old}):
            await asyncio.sleep(0.02)
    running.cancel()
    assert await collection.count_documents({"_id": young}) == 1
