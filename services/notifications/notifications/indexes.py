"""An index for each way in which the list is searched and sorted: college first, for every query names it."""

from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.store import Document

INDEXES = (
    [("college", 1), ("state.accepted_at", 1), ("_id", 1)],
    [("college", 1), ("state.about", 1)],
)


async def prepare(database: AsyncDatabase[Document]) -> None:
    """Declare the indexes. Idempotent."""
    for keys in INDEXES:
        await database["notifications"].create_index(keys)
