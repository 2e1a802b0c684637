"""Guarded writes, those that come together as one message: each is made if its document is still as it was read."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, WriteConcernError

from tyrsky.outages import passes
from tyrsky.together import Together

Document = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Guarded:
    """A write and what must hold for it. ``token`` is that of the claim that comes with it, by which one can see
    afterwards that it took place; empty when there is none."""

    guard: Document
    change: Document
    token: str


class GuardedWrites:
    """Those of one collection."""

    def __init__(self, collection: AsyncCollection[Document]) -> None:
        self._collection = collection
        self._together = Together(self._write_all)

    async def write(self, asked: Guarded) -> bool:
        """Make it; whether its guard held.

        :raises Exception: the store's, or the client's: what has no form in BSON.
        """
        # Without a claim nothing in the document tells afterwards whose write it was: such a one goes by itself.
        return await self._together.ask(asked) if asked.token else await self._write(asked)

    async def _write(self, asked: Guarded) -> bool:
        result = await self._collection.update_one(asked.guard, asked.change)
        return result.matched_count == 1

    async def _write_all(self, asked: Sequence[Guarded]) -> Sequence[bool | Exception]:
        """Several guarded writes in one message. How many took place is told, and not which: when it is not all of
        them, their claims are looked for, and those that failed are tried each by itself."""
        if len(asked) == 1:
            return [await self._write(asked[0])]
        failed: Collection[int] = range(len(asked))
        try:
            result = await self._collection.bulk_write(
                [UpdateOne(each.guard, each.change) for each in asked], ordered=False
            )
            if result.matched_count == len(asked):
                return [True] * len(asked)
            failed = ()
        except BulkWriteError as error:
            if concern := error.details["writeConcernErrors"]:
                raise WriteConcernError(concern[0]["errmsg"], concern[0].get("code")) from None
            failed = [each["index"] for each in error.details["writeErrors"]]
        except Exception as error:
            if passes(error):
                raise
            # One's, such as a text that has no form in BSON; the others are as good as before.
            log.warning("of %d writes together one cannot be made: %s", len(asked), type(error).__name__)
        written = await self._written(asked)
        # Whose claim is not there was too late, or was written and claimed anew since: then its receipt tells.
        again = [index for index in failed if asked[index].token not in written]
        tried = await asyncio.gather(*(self._tried(asked[index]) for index in again))
        outcomes: list[bool | Exception] = [each.token in written for each in asked]
        for index, outcome in zip(again, tried, strict=True):
            outcomes[index] = outcome
        return outcomes

    async def _written(self, asked: Sequence[Guarded]) -> set[str]:
        """The tokens of the claims that are in the store."""
        about = {name: {"$in": [each.guard[name] for each in asked]} for name in ("_id", "college")}
        tokens = [each.token for each in asked]
        found = self._collection.find({**about, "lease_token": {"$in": tokens}}, {"lease_token": 1})
        return {document["lease_token"] async for document in found}

    async def _tried(self, asked: Guarded) -> bool | Exception:
        try:
            return await self._write(asked)
        except Exception as error:
            return error
