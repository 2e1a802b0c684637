"""Events that wait and that nobody publishes: those never claimed, and those of a relay that is no more.

What a relay left is taken over in this order: it is fenced at the broker; what readers can see of it is read from Kafka
and taken out of the outboxes, since it was published; the rest is free for whoever finds it. So an event is seen once
although the process died before it could note that it was published.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from tyrsky import metrics
from tyrsky.aside import Aside
from tyrsky.background import woken
from tyrsky.holding import Holders
from tyrsky.producing import Log
from tyrsky.store import CODEC, Claim, Document, Outgoing, new_token, waits_since

log = logging.getLogger(__name__)

POLL_SECONDS = 2.0
LOAD_MAX = 0.05
"""How much of the time polling may take: a store without an index reads the whole collection."""

REST_SECONDS_MAX = 5.0
"""How long it rests at most, however slow the store was the last time."""

HURRY_SECONDS = 0.5
"""How long until it is tried again to take over."""

CLAIMS_MAX = 500
"""Outboxes that are claimed at a time."""

ORPHAN_SECONDS = 10
"""After so long a claim of this relay that it knows nothing of is one whose save seemed to fail, and did not."""

WAITING: Mapping[str, Any] = {"outbox_since": {"$gt": datetime.fromtimestamp(0, UTC)}}
"""Not ``$exists``: for that MongoDB reads the whole index, which has those without the field too."""

UNCLAIMED: Mapping[str, Any] = {**WAITING, "lease_by": {"$exists": False}}

CLAIMED_BY: Mapping[str, Any] = {**WAITING, "lease_by": {"$exists": True}}
"""By whomever: asked for by itself where what waits for something else, a topic, say, would hide it."""

CLAIMED = {"version": 1, "lease_by": 1, "lease_token": 1, "outbox": 1}
"""What of a document makes a claim: states and receipts may be large."""


class Publisher(Protocol):
    """A relay, as far as the finder sees it."""

    def publish(self, claim: Claim) -> None:
        """Publish what was claimed."""
        ...

    def room(self) -> int:
        """How many claims more may be made."""
        ...

    def holds(self, collection: str, id: str) -> bool:
        """Whether a claim waits, or is being published."""
        ...

    def give_up(self) -> None:
        """Go on as another holder."""
        ...


class Finder:
    """Looks for what waits, on behalf of one relay."""

    def __init__(
        self, database: AsyncDatabase[Document], log: Log, holders: Holders, aside: Aside, relay: Publisher
    ) -> None:
        self.collections: list[str] = []
        self._database = database
        self._log = log
        self._holders = holders
        self._aside = aside
        self._relay = relay
        self._holder: str | None = None
        self._dead: set[str] = set()
        self._given_up: set[str] = set()
        self._orphans: dict[tuple[str, str, str], float] = {}
        self._wake = asyncio.Event()
        self._gone = asyncio.Event()

    def go_on_as(self, holder: str) -> None:
        """Kafka is there, and what is found is claimed for this holder."""
        self._holder = holder
        self._wake.set()
        self._gone.set()

    def gave_up(self, holder: str) -> None:
        """A holder of this very process is no more: nobody need wait for its silence."""
        self._holder = None
        self._given_up.add(holder)

    def these_are_dead(self, holders: set[str]) -> None:
        """Holders that seem to be no more."""
        self._dead = holders
        if holders:
            self._gone.set()

    async def release(self, claims: Sequence[Claim]) -> None:
        """Let whoever can publish them."""
        for name in sorted({claim.collection for claim in claims}):
            mine = [(claim.id, claim.token) for claim in claims if claim.collection == name]
            await self._collection(name).bulk_write(
                [UpdateOne({"_id": id, "lease_token": token}, {"$unset": {"lease_by": ""}}) for id, token in mine],
                ordered=False,
            )

    async def run(self) -> None:
        """Until cancelled: look for what waits."""
        while True:
            more = False
            began = asyncio.get_running_loop().time()
            for name in self.collections:
                try:
                    more = await self._poll(self._collection(name)) or more
                except Exception as error:  # whatever it is, the other collections' events go on
                    log.warning("looking for waiting events of %s failed: %s", name, type(error).__name__)
            took = asyncio.get_running_loop().time() - began
            rest = min(max(POLL_SECONDS, took / LOAD_MAX), REST_SECONDS_MAX)
            await woken(self._wake, 0.05 if more else rest)

    # -- taking over --------------------------------------------------------------------------------------------------

    async def take_over(self) -> None:
        """Until cancelled: from those that are no more. Beside the looking, since it may take as long as others'
        transactions are open."""
        while True:
            if (me := self._holder) and (gone := sorted(self._dead | self._given_up)):
                # All are fenced first: what one has left open holds up who reads what another has published.
                fenced = [each for each in gone if await self._well(partial(self._fence, me), each, me)]
                if any(await asyncio.gather(*(self._well(self._take_over, each, me) for each in fenced))):
                    self._wake.set()  # for what was freed
            await woken(self._gone, HURRY_SECONDS)

    async def _well(self, step: Callable[[str], Awaitable[bool]], holder: str, me: str) -> bool:
        try:
            return await step(holder)
        except Exception as error:  # whatever it is, the other holders have their turn
            log.warning("taking over from the relay %s failed, trying again: %s", holder, type(error).__name__)
            with suppress(Exception):
                await self._holders.pass_on(holder, me)  # another may be able to
            return False

    async def _fence(self, me: str, holder: str) -> bool:
        """Give it up first, so that it clears nothing any more, whatever it claims meanwhile: what readers can see
        behind the fence may lie behind what the fence has aborted. False when another takes over."""
        if not await self._holders.give_up(holder, me):
            return False
        topics = {topic for topic, _ in await self._holders.places(holder)}
        await self._log.fence(await self._holders.lanes(holder), topics)
        return True

    async def _take_over(self, holder: str) -> bool:
        """Of one that was fenced: take what readers can see of it out of the outboxes, and free the rest."""
        seen = await self._log.seen(await self._holders.places(holder))
        for name in sorted({*self.collections, *await self._holders.collections(holder)}):
            await self._free(self._collection(name), holder, seen)
        await self._holders.forget(holder)
        self._given_up.discard(holder)
        self._dead.discard(holder)
        metrics.relay_takeovers.inc()
        log.info("took over from the relay %s", holder)
        return True

    async def _free(
        self, collection: AsyncCollection[Document], holder: str, seen: Mapping[tuple[str, str], int]
    ) -> None:
        """Take out of the holder's outboxes what readers have seen, and let go of the rest."""
        written: list[UpdateOne] = []
        # By the holder, not by what was seen: that may be more keys than go in one query. With WAITING for its index.
        claimed = {**WAITING, "lease_by": holder}
        fields = {"outbox.topic": 1, "outbox.sequence": 1}
        async for document in collection.find(claimed, fields):
            id: str = document["_id"]
            waits = ((each.get("topic", ""), each.get("sequence", 0)) for each in document["outbox"])
            gone = [sequence for topic, sequence in waits if sequence <= seen.get((topic, id), 0)]
            if gone:  # not up to the last of them: of one transaction one topic's may be seen, and another's not
                taken_out = {"$pull": {"outbox": {"sequence": {"$in": gone}}}}
                written.append(UpdateOne({"_id": id, "lease_by": holder}, taken_out))
        for first in range(0, len(written), CLAIMS_MAX):
            await collection.bulk_write(written[first : first + CLAIMS_MAX], ordered=False)
        await collection.update_many(claimed, {"$unset": {"lease_by": ""}})

    # -- finding ------------------------------------------------------------------------------------------------------

    async def _poll(self, collection: AsyncCollection[Document]) -> bool:
        """Claim what waits and nobody has claimed; whether there may be more of it."""
        oldest = await self._oldest(collection, WAITING, CLAIMS_MAX)
        crowded = len(oldest) == CLAIMS_MAX
        size = await collection.count_documents(WAITING) if crowded else len(oldest)
        metrics.outbox_size.labels(collection.name).set(size)
        now = datetime.now(UTC)
        ages = ((now - since).total_seconds() for each in oldest if (since := waits_since(each)))
        metrics.outbox_oldest_age_seconds.labels(collection.name).set(max((0.0, *ages)))
        limit, holder = min(CLAIMS_MAX, self._relay.room()), self._holder  # it may be given up meanwhile
        if not oldest or not holder or limit <= 0:
            return False
        claimed = await self._oldest(collection, CLAIMED_BY, CLAIMS_MAX) if crowded else oldest
        await self._look_at_claims(collection.name, claimed)
        left_alone = self._aside.held_back(collection.name)
        absent = self._aside.absent_topics()
        free = [
            each["_id"]
            for each in oldest
            if "lease_by" not in each
            and each["_id"] not in left_alone
            and absent.isdisjoint(entry.get("topic") for entry in each["outbox"])
        ][:limit]
        if crowded and not free:
            query = {**UNCLAIMED, "outbox.topic": {"$nin": list(absent)}, "_id": {"$nin": list(left_alone)}}
            free = [each["_id"] for each in await self._oldest(collection, query, limit)]
        if not free:
            return False
        await self._claim(collection, holder, free)
        return crowded or len(free) == limit

    async def _oldest(
        self, collection: AsyncCollection[Document], query: Mapping[str, Any], limit: int
    ) -> list[Document]:
        fields = {"outbox_since": 1, "lease_by": 1, "lease_token": 1, "outbox.topic": 1, "outbox.headers.ce_time": 1}
        return await collection.find(query, fields).sort("outbox_since", 1).limit(limit).to_list(limit)

    async def _look_at_claims(self, name: str, documents: Sequence[Document]) -> None:
        """Notice claims that no living relay knows of."""
        now = asyncio.get_running_loop().time()
        orphans: dict[tuple[str, str, str], float] = {}
        others: set[str] = set()
        for document in documents:
            by = document.get("lease_by")
            at = name, document["_id"], str(document["lease_token"])
            if by and by != self._holder:
                others.add(by)
            elif by and not self._relay.holds(name, document["_id"]):
                orphans[at] = self._orphans.get(at, now)
        self._orphans = {at: since for at, since in self._orphans.items() if at[0] != name} | orphans
        if any(now - since > ORPHAN_SECONDS for since in orphans.values()):
            self._relay.give_up()
        # Claimed first and asked for after: a relay is known before it claims.
        self._given_up |= await self._holders.unknown(others) if others else set()

    async def _claim(self, collection: AsyncCollection[Document], holder: str, ids: Sequence[str]) -> None:
        token = new_token()
        claim = {"$set": {"lease_by": holder, "lease_token": token}}
        await collection.update_many({**UNCLAIMED, "_id": {"$in": ids}}, claim)
        # By the token, and not by the holder: that also has what was saved at this very moment.
        async for document in collection.find({"_id": {"$in": ids}, "lease_token": token}, CLAIMED):
            try:
                self._relay.publish(claim_in(collection.name, document))
            except (KeyError, TypeError):
                # Another version of the kit wrote it; it stays, and the metric of the oldest tells.
                log.error("%s %s has events in an outbox that cannot be read", collection.name, document["_id"])
                self._aside.hold_back(collection.name, document["_id"])
                mine = {"_id": document["_id"], "lease_token": token}
                await collection.update_one(mine, {"$unset": {"lease_by": ""}})

    def _collection(self, name: str) -> AsyncCollection[Document]:
        return self._database.get_collection(name, codec_options=CODEC)


def claim_in(collection: str, document: Document) -> Claim:
    """The claim that a document tells of.

    :raises KeyError, TypeError: when its outbox is not of this kit's version.
    """
    by, token = document["lease_by"], document["lease_token"]
    for entry in document["outbox"]:  # here, where one is in nobody's way, and not when it is sent with others
        headers = entry["headers"]
        texts = entry["topic"], entry["body"], headers["ce_id"], headers["ce_type"], *headers.values()
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("not text")
    outgoing = [Outgoing(**entry) for entry in document["outbox"]]
    return Claim(collection, document["_id"], document["version"], by, token, outgoing)
