"""An index for each way in which a list is searched and sorted: college first, for every query names it."""

from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.store import Document

from companies import register

INDEXES = {
    register.COLLECTION: [*register.INDEXES, [("name", 1), ("_id", 1)]],
    "companies": [
        [("college", 1), ("state.name", 1), ("_id", 1)],
        [("college", 1), ("state.municipality", 1)],
        [("college", 1), ("state.tags", 1)],
    ],
    "contacts": [[("college", 1), ("state.company_id", 1), ("state.name", 1)]],
    "visits": [
        [("college", 1), ("state.starts_at", 1), ("_id", 1)],
        [("college", 1), ("state.company_id", 1), ("state.starts_at", 1)],
        [("college", 1), ("state.staff", 1), ("state.starts_at", 1)],
        [("college", 1), ("state.partners", 1), ("state.starts_at", 1)],
    ],
    "needs": [
        [("college", 1), ("state.charted_at", 1), ("_id", 1)],
        [("college", 1), ("state.company_id", 1), ("state.charted_at", 1)],
    ],
    "potentials": [
        [("college", 1), ("state.terms.starts_on", 1), ("_id", 1)],
        [("college", 1), ("state.company_id", 1), ("state.terms.starts_on", 1)],
        [("college", 1), ("state.status", 1), ("state.terms.ends_on", 1)],
    ],
}


async def prepare(database: AsyncDatabase[Document]) -> None:
    """Declare the indexes. Idempotent."""
    for collection, indexes in INDEXES.items():
        for keys in indexes:
            await database[collection].create_index(keys)
