"""Outboxes emptied of what was published, beside the next publishing: the relay does not wait for the store."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pymongo import ReturnDocument, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from tyrsky.finding import CLAIMED, WAITING, claim_in
from tyrsky.producing import Places, Sender
from tyrsky.store import CODEC, Claim, Document

log = logging.getLogger(__name__)

UNCLEARED_MAX = 32
"""Batches that are published and not yet cleared; with one more the relay waits. Not few: another's open transaction
holds up for seconds what is published behind it."""


@dataclass(frozen=True)
class Published:
    """Claims whose events Kafka has taken, who published them, and where the topics go on behind them."""

    by: str | None
    sender: Sender
    claims: Sequence[Claim]
    behind: Places


class Publisher(Protocol):
    """A relay, as far as the clearing sees it."""

    def publish(self, claim: Claim) -> None:
        """Publish what was added meanwhile."""
        ...

    def cleared(self, batch: Published, *, well: bool) -> None:
        """A batch was cleared, or may not have been."""
        ...


class Clearer:
    """Empties outboxes, on behalf of one relay."""

    def __init__(self, database: AsyncDatabase[Document], relay: Publisher) -> None:
        self._database = database
        self._relay = relay
        self._waiting: asyncio.Queue[Published] = asyncio.Queue(UNCLEARED_MAX)

    async def take(self, batch: Published) -> None:
        """Clear it soon."""
        await self._waiting.put(batch)

    async def done(self) -> None:
        """Return when all was cleared, or tried."""
        await self._waiting.join()

    async def run(self) -> None:
        """Until cancelled: whatever waits, in one write a collection."""
        while True:
            batches = [await self._waiting.get()]
            while not self._waiting.empty():
                batches.append(self._waiting.get_nowait())
            behind: dict[Sender, Places] = defaultdict(dict)
            for batch in batches:
                behind[batch.sender] |= batch.behind
            claims = [claim for batch in batches for claim in batch.claims]
            well = False
            try:
                for sender, places in behind.items():
                    await sender.until_visible(places)
                for name in sorted({claim.collection for claim in claims}):
                    await self.clear(name, [claim for claim in claims if claim.collection == name])
                well = True
            except Exception as error:
                log.warning("clearing what was published failed: %s", type(error).__name__)
            finally:
                for batch in batches:
                    self._relay.cleared(batch, well=well)
                    self._waiting.task_done()

    async def clear(self, name: str, claims: Sequence[Claim]) -> None:
        """Empty the outboxes that are as they were claimed; publish on where something was added meanwhile."""
        collection = self._database.get_collection(name, codec_options=CODEC)
        result = await collection.bulk_write(
            [
                UpdateOne(
                    {"_id": claim.id, "lease_token": claim.token, "version": claim.version},
                    {"$set": {"outbox": []}, "$unset": {"outbox_since": "", "lease_by": ""}},
                )
                for claim in claims
            ],
            ordered=False,
        )
        if result.matched_count == len(claims):
            return
        tokens = [claim.token for claim in claims]
        left = {"_id": {"$in": [claim.id for claim in claims]}, "lease_token": {"$in": tokens}, **WAITING}
        uncleared = {document["_id"] async for document in collection.find(left, {"_id": 1})}
        for claim in (claim for claim in claims if claim.id in uncleared):
            # Without events: what was added meanwhile was private, and only the mark is left to be taken away.
            last = claim.outgoing[-1].sequence if claim.outgoing else 0
            # Matches only where the clearing above did not: it took the outbox_since away.
            document = await collection.find_one_and_update(
                {"_id": claim.id, "lease_token": claim.token, **WAITING},
                {"$pull": {"outbox": {"sequence": {"$lte": last}}}},
                projection=CLAIMED,
                return_document=ReturnDocument.AFTER,
            )
            if document is not None and document.get("lease_by") == claim.by:
                self._relay.publish(claim_in(name, document))
