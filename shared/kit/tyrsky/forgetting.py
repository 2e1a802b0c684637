"""Personal data erased where it lies beside an aggregate's state: in the answers of a day, and in events that wait.

The aggregate's own document has forgotten its answers in the write that brought the :class:`~tyrsky.aggregate.Erasure`.
What is left is done here, by whoever looks after the erasure, as often as it takes: twice is once.
"""

import json
from collections.abc import Callable
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from tyrsky.finding import WAITING
from tyrsky.remembering import Remembered
from tyrsky.store import CODEC, Document, Loaded

Rewrite = Callable[[str, dict[str, Any]], dict[str, Any]]
"""What becomes of an event, by its type and its body: the same, or one that tells nothing of the person."""


class Forgetting:
    """The copies of one service."""

    def __init__(self, database: AsyncDatabase[Document], remembered: Remembered) -> None:
        self._database = database
        self._remembered = remembered

    async def answers(self, loaded: Loaded[Any]) -> None:
        """All that were given about an aggregate. It is to be loaded after the erasure: its receipts name those that
        another process has yet to write. Of one that changed nothing there is no receipt: who wants to be sure comes
        again when it must have been written."""
        await self._remembered.forget(str(loaded.id), list(loaded.receipts.values()))

    async def unpublished(self, collection: str, which: Document, rewrite: Rewrite) -> int:
        """Rewrite events that wait in the outboxes of these aggregates; how many were. They keep their places: one that
        was taken out would leave a hole in the sequence, and a relay may be about to publish it."""
        rewritten = 0
        outboxes = self._database.get_collection(collection, codec_options=CODEC)
        async for document in outboxes.find({**which, **WAITING}, {"outbox": 1}):
            for entry in document["outbox"]:
                before = json.loads(entry["body"])
                after = rewrite(entry["headers"]["ce_type"], before)
                if after != before:
                    here = {"_id": document["_id"], "outbox.sequence": entry["sequence"]}
                    done = await outboxes.update_one(here, {"$set": {"outbox.$.body": json.dumps(after)}})
                    rewritten += done.matched_count
        return rewritten
