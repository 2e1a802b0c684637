"""Outboxes emptied of what was published, beside the next publishing: the relay does not wait for the store, nor for
Kafka's readers.

An outbox is emptied when readers can see what was in it, not yet when Kafka has said that it is committed: once in a
while that is said, and nobody ever sees it (decision 61)."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from tyrsky.finding import CLAIMED, WAITING, claim_in
from tyrsky.holding import Holders
from tyrsky.producing import Partition, Places, Sender
from tyrsky.store import CODEC, Claim, Document

log = logging.getLogger(__name__)

UNCLEARED_MAX = 10_000
"""Claims that are published and not yet cleared; with more the relay waits. Not few: another's open transaction holds
up for seconds what is published behind it."""

PAUSE_SECONDS = 0.01
PAUSE_SECONDS_MAX = 0.1
"""How long it waits until it looks again: at first as long as Kafka takes to end a transaction in its partitions."""

HANGS_SECONDS = 2.0
HANGS_SECONDS_MAX = 30.0
"""After so long what is not seen may hang, and is ended once more; and how seldom that is done in the end."""


@dataclass(frozen=True)
class Published:
    """A claim whose events Kafka has taken, at a moment of the loop's clock: the first offset of them in each
    partition, and the one behind the last. Of the events no more is kept than what clearing needs."""

    claim: Claim
    sender: Sender
    at: float
    first: Places
    behind: Places


def published(claim: Claim, sender: Sender, where: Iterable[tuple[Partition, int]]) -> Published:
    """A claim whose events lie there."""
    first: Places = {}
    behind: Places = {}
    for partition, offset in where:
        first[partition] = min(offset, first.get(partition, offset))
        behind[partition] = max(offset + 1, behind.get(partition, 0))
    light = [replace(entry, body="", headers={}) for entry in claim.outgoing[-1:]]
    return Published(replace(claim, outgoing=light), sender, asyncio.get_running_loop().time(), first, behind)


class TakenAway(Exception):  # noqa: N818 - reads as the sentence that it is
    """Somebody takes over from this relay: what it has published is found where it was published, not cleared here."""


class Publisher(Protocol):
    """A relay, as far as the clearing sees it."""

    def publish(self, claim: Claim) -> None:
        """Publish what was added meanwhile."""
        ...

    def cleared(self, claims: Sequence[Claim], places: Places, *, well: bool) -> None:
        """Claims were cleared, or may not have been; whatever lies before these places is."""
        ...


class Clearer:
    """Empties outboxes, on behalf of one relay."""

    def __init__(self, database: AsyncDatabase[Document], holders: Holders, relay: Publisher) -> None:
        self._database = database
        self._holders = holders
        self._relay = relay
        self._waiting: list[Published] = []
        self._changed = asyncio.Condition()
        self._hangs: dict[Partition, tuple[float, float]] = {}
        """When what hangs in a partition is ended next, and how long it is let be after that."""

    async def take(self, batch: Sequence[Published]) -> None:
        """Clear it when it is seen."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._waiting) < UNCLEARED_MAX)
            self._waiting += batch
            self._changed.notify_all()

    async def done(self) -> None:
        """Return when all was cleared, or tried."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._waiting)

    async def run(self) -> None:
        """Until cancelled: whatever is seen, in one write a collection."""
        pause = PAUSE_SECONDS
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: bool(self._waiting))
            await asyncio.sleep(pause)
            moved = [await self._round(sender) for sender in {each.sender: None for each in self._waiting}]
            pause = PAUSE_SECONDS if any(moved) else min(pause * 2, PAUSE_SECONDS_MAX)
            async with self._changed:
                self._changed.notify_all()

    async def _round(self, sender: Sender) -> bool:
        """Clear what is seen of one holder's; whether there was any."""
        mine = left = [each for each in self._waiting if each.sender is sender]
        try:
            stable = await sender.stable(sorted({at for each in mine for at in each.behind}))
            seen = [each for each in mine if not _hidden(each, stable)]
            # After the offsets: who fences gives the holder up before, and an abort moves them on as a commit does.
            if seen and not await self._holders.is_held(seen[0].claim.by):
                raise TakenAway
            for name in sorted({each.claim.collection for each in seen}):
                await self.clear(name, [each.claim for each in seen if each.claim.collection == name])
            self._leave(seen, well=True)
            left = [each for each in mine if _hidden(each, stable)]
            await self._end_what_hangs(sender, left, stable)
        except Exception as error:
            log.warning("clearing what was published failed: %s", type(error).__name__)
            self._leave(left, well=False)
            return True
        return bool(seen)

    def _leave(self, those: Sequence[Published], *, well: bool) -> None:
        gone = {id(each) for each in those}
        places: Places = {}
        for each in those:
            places |= {at: max(offset, places.get(at, 0)) for at, offset in each.behind.items()}
        self._waiting = [each for each in self._waiting if id(each) not in gone]
        for each in self._waiting:  # not past what is still to be cleared
            places |= {at: min(offset, places[at]) for at, offset in each.first.items() if at in places}
        self._relay.cleared([each.claim for each in those], places, well=well)

    async def _end_what_hangs(self, sender: Sender, hidden: Sequence[Published], stable: Places) -> None:
        """What is not seen for long is ended once more. It may be somebody else's that holds readers up: then that
        changes nothing."""
        now = asyncio.get_running_loop().time()
        late = {at for each in hidden if now - each.at >= HANGS_SECONDS for at in _hidden(each, stable)}
        self._hangs = {at: self._hangs.get(at, (now, HANGS_SECONDS)) for at in sorted(late)}
        if due := [at for at, (next, _) in self._hangs.items() if next <= now]:
            log.warning("readers wait in %s for what is committed", ", ".join(f"{t}/{n}" for t, n in due))
            await sender.end_what_hangs(due)
            for at in due:
                _, pause = self._hangs[at]
                self._hangs[at] = now + pause, min(pause * 2, HANGS_SECONDS_MAX)

    async def clear(self, name: str, claims: Sequence[Claim]) -> None:
        """Empty the outboxes that are as they were claimed; publish on where something was added meanwhile.

        :raises TakenAway: one of them is claimed no more, or not by this claim.
        """
        events = [claim for claim in claims if claim.outgoing]
        if events and not await self._clear(name, events):
            raise TakenAway
        # The next save finds nothing that waits, and may claim the outbox anew before its mark is taken away.
        if marks := [claim for claim in claims if not claim.outgoing]:
            await self._clear(name, marks)

    async def _clear(self, name: str, claims: Sequence[Claim]) -> bool:
        """Whether all were claimed by these claims still."""
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
            return True
        return result.matched_count + await self._go_on(collection, claims) >= len(claims)

    async def _go_on(self, collection: AsyncCollection[Document], claims: Sequence[Claim]) -> int:
        """Of those that were not cleared take out what was published, and publish the rest; how many are claimed still.
        In as many calls for many as for one: else what is added while a slow store is asked is more every time."""
        mine = {claim.id: claim for claim in claims}
        query = {"_id": {"$in": list(mine)}, "lease_token": {"$in": [claim.token for claim in claims]}, **WAITING}
        found = [(mine[each["_id"]], each) async for each in collection.find(query, CLAIMED)]
        left = [(claim, document) for claim, document in found if document["lease_token"] == claim.token]
        taken_out: list[UpdateOne] = []
        for claim, document in left:
            # Without events: what was added meanwhile was private, and only the mark is left to be taken away.
            last = claim.outgoing[-1].sequence if claim.outgoing else 0
            document["outbox"] = [entry for entry in document["outbox"] if entry["sequence"] > last]
            this = {"_id": claim.id, "lease_token": claim.token}
            taken_out.append(UpdateOne(this, {"$pull": {"outbox": {"sequence": {"$lte": last}}}}))
        if taken_out:
            await collection.bulk_write(taken_out, ordered=False)
        for claim, document in left:
            if document.get("lease_by") == claim.by:
                self._relay.publish(claim_in(collection.name, document))
        return len(left)


def _hidden(each: Published, stable: Places) -> list[Partition]:
    """The partitions in which readers do not see all of it yet."""
    return [at for at, offset in each.behind.items() if stable[at] < offset]
