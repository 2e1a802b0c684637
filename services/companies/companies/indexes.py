"""An index for each way in which a list is searched and sorted: college first, for every query names it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.store import Document

from companies import classification, register

INDEXES: dict[str, Sequence[Sequence[tuple[str, int]]]] = {
    register.COLLECTION: register.INDEXES,
    classification.COLLECTION: classification.INDEXES,
    "companies": [
        [("college", 1), ("state.name", 1), ("_id", 1)],
        [("college", 1), ("changed_at", 1), ("_id", 1)],
        [("college", 1), ("state.next_step.due", 1), ("_id", 1)],
        [("college", 1), ("state.search_keys", 1)],
        [("college", 1), ("state.business_id", 1)],
        [("college", 1), ("state.municipality", 1), ("state.business_line", 1)],
        [("college", 1), ("state.business_line", 1)],
        [("college", 1), ("state.situation", 1)],
        [("college", 1), ("state.stage", 1)],
        [("college", 1), ("state.tags", 1)],
        [("college", 1), ("state.relations", 1)],
        [("college", 1), ("state.owner", 1), ("state.next_step.due", 1)],
        [("state.business_id", 1), ("college", 1)],
    ],
    "areas": [[("college", 1), ("state.removed", 1), ("state.name", 1), ("_id", 1)]],
    "fields": [[("college", 1), ("state.key", 1)]],
    "notes": [
        [("college", 1), ("state.company_id", 1), ("state.at", 1), ("_id", 1)],
        [("college", 1), ("state.contact_id", 1), ("state.at", 1)],
    ],
    "audit": [
        [("row.college", 1), ("row.about", 1), ("row.at", 1), ("_id", 1)],
        [("row.college", 1), ("row.at", 1), ("_id", 1)],
        [("row.college", 1), ("row.by", 1), ("row.at", 1)],
        [("row.college", 1), ("row.thing", 1), ("row.at", 1)],
    ],
    "reads": [
        [("college", 1), ("at", 1), ("_id", 1)],
        [("college", 1), ("things", 1), ("at", 1)],
        [("college", 1), ("by", 1), ("at", 1)],
    ],
    "contacts": [
        [("college", 1), ("state.company_id", 1), ("state.name", 1)],
        [("college", 1), ("state.name", 1), ("_id", 1)],
        [("college", 1), ("state.keep_until", 1), ("_id", 1)],
        [("college", 1), ("state.found_by", 1)],
        [("state.due_at", 1), ("_id", 1)],
    ],
    "visits": [
        [("college", 1), ("state.starts_at", 1), ("_id", 1)],
        [("college", 1), ("state.company_id", 1), ("state.starts_at", 1)],
        [("college", 1), ("state.contact_id", 1), ("state.starts_at", 1)],
        [("college", 1), ("state.business_id", 1), ("state.starts_at", 1)],
        [("college", 1), ("state.municipality", 1), ("state.starts_at", 1)],
        [("college", 1), ("state.staff", 1), ("state.starts_at", 1)],
        [("college", 1), ("state.partners", 1), ("state.starts_at", 1)],
    ],
    "needs": [
        [("college", 1), ("state.charted_at", 1), ("_id", 1)],
        [("college", 1), ("state.company_id", 1), ("state.charted_at", 1)],
        [("college", 1), ("state.status", 1), ("state.charted_at", 1)],
        [("college", 1), ("state.visit_id", 1)],
    ],
    "potentials": [
        [("college", 1), ("state.terms.starts_on", 1), ("_id", 1)],
        [("college", 1), ("state.charted_at", 1), ("_id", 1)],
        [("college", 1), ("state.company_id", 1), ("state.terms.starts_on", 1)],
        [("college", 1), ("state.field_of_study", 1), ("state.terms.starts_on", 1)],
        [("college", 1), ("state.instructor_id", 1), ("state.charted_at", 1)],
        [("college", 1), ("state.status", 1), ("state.terms.ends_on", 1)],
    ],
}


async def prepare(database: AsyncDatabase[Document]) -> None:
    """Declare the indexes. Idempotent."""
    for collection, indexes in INDEXES.items():
        for keys in indexes:
            await database[collection].create_index(keys)
    # Contacts from before they had an end are looked at once, and get one.
    await database["contacts"].update_many(
        {"state.due_at": {"$exists": False}}, {"$set": {"state.due_at": datetime.now(UTC)}}
    )
