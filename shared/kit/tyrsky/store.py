"""Aggregates in MongoDB: one document is one aggregate, its outbox and the receipts of its last commands.

Every write is guarded by the version that was read, and holds state, events and receipts together: all of it is
committed, or none. No transactions, so it works on every server that speaks MongoDB's wire protocol. Every query names
the college. Works alike on PyMongo's ``AsyncMongoClient`` and on Motor.

The document::

    {_id, college, version, state, changed_at,
     sequence,                      # how many events were published, from 1 without a gap
     outbox: [{topic, sequence, headers, body}], outbox_since?,
     lease_by?, lease_token,        # the relay that claimed the outbox, and which of its claims it is; see tyrsky.relay
     receipts: [{key, fingerprint, version, answer, at, bytes}]}
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Generic
from uuid import UUID, uuid4

from bson import encode
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    DocumentTooLarge,
    DuplicateKeyError,
    OperationFailure,
)

from tyrsky import receipts
from tyrsky.aggregate import Aggregate, C, Rejected, S
from tyrsky.guarded import Guarded, GuardedWrites
from tyrsky.receipts import Receipt
from tyrsky.together import Together

Document = dict[str, Any]

DUPLICATE_KEY = 11000
"""MongoDB's code for an insert of what is there already."""

CANNOT_BE_ENCODED = (BSONError, OverflowError, UnicodeError)
"""What the client raises of a document that BSON has no form for."""

STATE_BYTES_MAX = 5 * 2**20
"""A document has 16 MB for its state, its receipts and its outbox."""

TOO_LARGE = {10334, 17419, 17420}
"""MongoDB's codes for a document that would become larger than it may be."""

CODEC = CodecOptions[Document](tz_aware=True, tzinfo=UTC)


@dataclass(frozen=True)
class Loaded(Generic[S]):
    """An aggregate as it was read; ``waiting`` events of it, of so many bytes, are not yet published."""

    id: UUID
    college: str
    version: int
    state: S
    sequence: int = 0
    receipts: dict[str, Receipt] = field(default_factory=dict[str, Receipt])
    waiting: int = 0
    waiting_bytes: int = 0


@dataclass(frozen=True)
class Outgoing:
    """An event that waits to be published. ``headers`` are text; ``body`` is JSON text."""

    topic: str
    sequence: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Change(Generic[S]):
    """What one write brings: the new state, and what is proven and published with it."""

    state: S
    version: int
    sequence: int
    outgoing: Sequence[Outgoing]
    receipts: Sequence[Receipt]
    now: datetime
    forgets: bool = False
    """Of the receipts from before, the answers."""


@dataclass(frozen=True)
class Claim:
    """Outgoing events of one aggregate that the relay ``by`` has the right to publish. ``token`` is new with each."""

    collection: str
    id: str
    version: int
    by: str
    token: str
    outgoing: Sequence[Outgoing]


def nobody() -> str | None:
    """No relay: what is saved is found by whoever polls."""
    return None


class Store(Generic[S, C]):
    """The aggregates of one kind. ``claimant`` says which relay claims what is saved; without one nobody does."""

    def __init__(
        self,
        database: AsyncDatabase[Document],
        aggregate: Aggregate[S, C],
        claimant: Callable[[], str | None] = nobody,
    ) -> None:
        self.aggregate = aggregate
        self._claimant = claimant
        self.collection: AsyncCollection[Document] = database.get_collection(aggregate.plural, codec_options=CODEC)
        self._loads = Together(self._load)
        self._writes = GuardedWrites(self.collection)

    async def prepare(self) -> None:
        """Declare the indexes. Idempotent."""
        await self.collection.create_index([("outbox_since", 1)])
        await self.collection.create_index([("college", 1), ("changed_at", -1)])

    async def load(self, college: str, id: UUID) -> Loaded[S] | None:
        """One aggregate of a college; None when there is none, or it is another college's."""
        document = await self._loads.ask((college, str(id)))
        return None if document is None else self.loaded(document)

    async def _load(self, asked: Sequence[tuple[str, str]]) -> Sequence[Document | None]:
        if len(asked) == 1:
            ((college, id),) = asked
            return [await self.collection.find_one({"_id": id, "college": college})]
        found: dict[tuple[str, str], Document] = {}
        for college in sorted({college for college, _ in asked}):
            ids = [id for its, id in asked if its == college]
            async for document in self.collection.find({"_id": {"$in": ids}, "college": college}):
                found[college, document["_id"]] = document
        return [found.get(each) for each in asked]

    def loaded(self, document: Document) -> Loaded[S]:
        """The aggregate in a document, such as a listing found."""
        outbox: Sequence[Document] = document.get("outbox", ())
        return Loaded(
            id=UUID(document["_id"]),
            college=document["college"],
            version=document["version"],
            state=self.aggregate.state.model_validate(document["state"]),
            sequence=document["sequence"],
            receipts={r["key"]: Receipt.of(r) for r in document.get("receipts", ())},
            waiting=len(outbox),
            waiting_bytes=sum(len(each.get("body", "")) for each in outbox),
        )

    async def save(self, college: str, id: UUID, before: Loaded[S] | None, change: Change[S]) -> "Saved":
        """Write a change, if the aggregate is still as it was read.

        When nothing was waiting to be published, the claim on what this write publishes is taken with it, if there is
        a relay to claim: nobody else can have added to the outbox without changing the version.

        :raises Rejected: ``aggregate-full``, ``not-storable``, ``id-taken``.
        :raises PyMongoError: the store's own trouble.
        """
        claimable = bool(change.outgoing) and (before is None or not before.waiting)
        by = self._claimant() if claimable else None
        name = self.collection.name
        claim = Claim(name, str(id), change.version, by, new_token(), change.outgoing) if by else None
        try:
            state = bson(change.state.model_dump())
            if len(encode(state)) > STATE_BYTES_MAX:
                raise Rejected("aggregate-full")
            written = await (
                self._insert(college, id, state, change, claim)
                if before is None
                else self._update(college, before, state, change, claim)
            )
        except DocumentTooLarge:
            raise Rejected("aggregate-full") from None
        except CANNOT_BE_ENCODED:
            raise Rejected("not-storable") from None
        except OperationFailure as error:
            if error.code in TOO_LARGE:
                raise Rejected("aggregate-full") from None
            raise
        return Saved(written, claim if written else None)

    async def _insert(self, college: str, id: UUID, state: Document, change: Change[S], claim: Claim | None) -> bool:
        document: Document = {
            "_id": str(id),
            "college": college,
            "version": change.version,
            "state": state,
            "changed_at": change.now,
            "sequence": change.sequence,
            "outbox": [vars(entry) for entry in change.outgoing],
            "lease_token": claim.token if claim else "",
            "receipts": receipts.kept([], change.receipts, change.now),
        }
        if change.outgoing:
            document["outbox_since"] = change.now
        if claim:
            document["lease_by"] = claim.by
        try:
            await self.collection.insert_one(document)
        except DuplicateKeyError:
            # A client-made id may be another college's, and then stays so: to load it anew would find nothing again.
            if await self.collection.find_one({"_id": str(id), "college": {"$ne": college}}, {"_id": 1}):
                raise Rejected("id-taken") from None
            return False
        return True

    async def _update(
        self, college: str, before: Loaded[S], state: Document, change: Change[S], claim: Claim | None
    ) -> bool:
        replace: Document = {
            "version": change.version,
            "state": state,
            "changed_at": change.now,
            "sequence": change.sequence,
        }
        # Set and not pushed, since the guard holds what was read: an answer may hold personal data, and grows old.
        earlier = [each.forgotten() if change.forgets else each for each in before.receipts.values()]
        replace["receipts"] = receipts.kept(earlier, change.receipts, change.now)
        update: Document = {"$set": replace}
        if change.outgoing:
            update["$push"] = {"outbox": {"$each": [vars(entry) for entry in change.outgoing]}}
            # $min and not $set: what has waited longest tells how long the outbox has waited, and when the relay
            # cleared it meanwhile, the field is gone and comes back.
            update["$min"] = {"outbox_since": change.now}
        if claim:
            replace |= {"lease_by": claim.by, "lease_token": claim.token}
        guard = {"_id": str(before.id), "college": college, "version": before.version}
        return await self._writes.write(Guarded(guard, update, claim.token if claim else ""))


@dataclass(frozen=True)
class Saved:
    """Whether the write took place, and the claim that came with it."""

    written: bool
    claim: Claim | None


def new_token() -> str:
    """What tells one claim from every other."""
    return uuid4().hex


def waits_since(document: Document) -> datetime | None:
    """Since when at most the first event of an outbox waits; None when there is none.

    ``outbox_since`` is when the first came of all that waited since the outbox was last empty: long ago, where
    something is always added meanwhile. And an event's own time may be that of an old cause. It waits since neither."""
    for entry in document["outbox"]:
        since: datetime = document["outbox_since"]
        made = entry.get("headers", {}).get("ce_time")
        return max(since, datetime.fromisoformat(made)) if made else since
    return None


def only_duplicates(error: BulkWriteError) -> bool:
    """Whether all that went wrong with several writes is that somebody had inserted the same before."""
    return all(each["code"] == DUPLICATE_KEY for each in error.details["writeErrors"])


def bson(value: Any) -> Any:
    """``value`` in types that BSON has: ids, dates and decimals as text, moments as moments (of milliseconds)."""
    match value:
        case dict():
            return {str(name): bson(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [bson(each) for each in value]
        case Enum():
            return value.value
        case datetime():
            return value
        case UUID() | date() | Decimal():
            return str(value)
        case _:
            return value
