"""What waits in outboxes, whose it is, and how long it takes until it is published."""

import asyncio
import math
import time
from collections.abc import Iterable

from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.finding import WAITING
from tyrsky.store import Document

LOOK_SECONDS = 0.2

Place = tuple[str, str]
"""An aggregate's collection and id."""

Waiting = dict[Place, Iterable[int]]
"""Aggregates with the numbers of their events that wait."""


async def collections(database: AsyncDatabase[Document]) -> list[str]:
    """Those of aggregates, in which a relay looks for what waits. To look through the others would take a small store
    most of its time."""
    found: list[str] = []
    for name in sorted(await database.list_collection_names()):
        indexes = await database[name].index_information()
        if any(field == "outbox_since" for each in indexes.values() for field, _ in each["key"]):
            found.append(name)
    return found


async def waiting(database: AsyncDatabase[Document], collections: Iterable[str], holder: str = "") -> Waiting:
    """What is to be published; with a holder, only what that one has claimed."""
    query: Document = {**WAITING} | ({"lease_by": holder} if holder else {})
    found: Waiting = {}
    for name in collections:
        async for each in database[name].find(query, {"outbox.sequence": 1}):
            found[name, each["_id"]] = [entry["sequence"] for entry in each["outbox"]]
    return found


def left(before: Waiting, now: Waiting) -> list[Place]:
    """Where some of what waited before waits still, whoever has claimed it by now. What came later does not count."""
    return [at for at, numbers in before.items() if not set(numbers).isdisjoint(now.get(at, ()))]


async def until_published(database: AsyncDatabase[Document], before: Waiting, since: float, seconds: float) -> float:
    """Wait until somebody has published it; how long that took from a moment, or infinity after so many seconds."""
    collections = sorted({name for name, _ in before})
    while left(before, await waiting(database, collections)):
        if time.monotonic() - since > seconds:
            return math.inf
        await asyncio.sleep(LOOK_SECONDS)
    return time.monotonic() - since
