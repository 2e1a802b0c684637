"""An index for each way in which a list is searched and sorted: college first, for every query names it."""

from collections.abc import Sequence

from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.store import Document

from companies import classification, register

INDEXES: dict[str, Sequence[Sequence[tuple[str, int]]]] = {
    register.COLLECTION: register.INDEXES,
    classification.COLLECTION: classification.INDEXES,
    "companies": [
        [("college", 1), ("state.name", 1), ("_id", 1)],
        [("college", 1), ("state.municipality", 1)],
        [("college", 1), ("state.tags", 1)],
        [("state.business_id", 1), ("college", 1)],
    ],
    "areas": [[("college", 1), ("state.removed", 1), ("state.name", 1), ("_id", 1)]],
    "contacts": [[("college", 1), ("state.company_id", 1), ("state.name", 1)]],
    "visits": [
        [("college", 1), ("state.starts_at", 1), ("_id", 1)],
        [("college", 1), ("state.company_id", 1), ("state.starts_at", 1)],
    ],
}


async def prepare(database: AsyncDatabase[Document]) -> None:
    """Declare the indexes. Idempotent."""
    for collection, indexes in INDEXES.items():
        for keys in indexes:
            await database[collection].create_index(keys)
