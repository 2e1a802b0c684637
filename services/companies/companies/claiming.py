"""One of several instances does a day's work: whose turn it is, and how far it has come, is in a document.

No clock tells who lives (decision 41): who works counts in the document, and another that sees the same count at
several looks in a row goes on from there. That may be wrong, when a process was slow: then it learns of it at its next
count, and stops. What was done twice was done twice to the same end.

The document::

    {_id: work, day, holder, beats,
     after,            # up to where the work is done
     done, goes_on?, pause_until?, counts: {name: number}}
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from tyrsky.store import CODEC, Document

COLLECTION = "day_works"

REFRESH = "register-refresh"

LOOKS_MAX = 10
"""So many looks without a change are one's end."""


@dataclass(frozen=True)
class Claim:
    """The right to do a day's work, from ``after`` on, until somebody else has it."""

    day: str
    holder: str
    after: str
    counts: dict[str, int]


class DayWork:
    """A work that is done once a day."""

    def __init__(self, database: AsyncDatabase[Document], name: str) -> None:
        self._collection = database.get_collection(COLLECTION, codec_options=CODEC)
        self._name = name
        self._looked: tuple[str, int] = ("", 0)
        self._looks = 0

    async def claim(self, day: str, now: datetime) -> Claim | None:
        """Today's work, if it is nobody's, or of somebody who does not count any more. To be asked again and again."""
        found = await self._collection.find_one({"_id": self._name})
        if found is None:
            return await self._begin(day)
        if found["pause_until"] is not None and now < found["pause_until"]:
            return None
        if found["day"] == day and (found["done"] or self._is_done_by_another(found)):
            return None
        holder = uuid4().hex
        mine: Document = {"day": day, "holder": holder, "done": False, "pause_until": None}
        if found["day"] != day:
            # What was not done the day before comes first, so that the last ones are not left out each day.
            is_through = found["done"] and not found["goes_on"]
            mine |= {"after": "" if is_through else found["after"], "counts": {}}
        as_it_was = {"_id": self._name, "day": found["day"], "holder": found["holder"], "beats": found["beats"]}
        taken = await self._collection.find_one_and_update(
            as_it_was, {"$set": mine, "$inc": {"beats": 1}}, return_document=ReturnDocument.AFTER
        )
        return Claim(day, holder, taken["after"], taken["counts"]) if taken else None

    async def _begin(self, day: str) -> Claim | None:
        holder = uuid4().hex
        new: Document = {"_id": self._name, "day": day, "holder": holder, "beats": 0}
        try:
            await self._collection.insert_one({**new, "after": "", "done": False, "pause_until": None, "counts": {}})
        except DuplicateKeyError:
            return None
        return Claim(day, holder, "", {})

    def _is_done_by_another(self, found: Document) -> bool:
        """Whether whoever has it is at work, as far as can be told. Who gave it back is not."""
        if found["pause_until"] is not None:
            return False
        looked = (found["holder"], found["beats"])
        self._looks = self._looks + 1 if looked == self._looked else 0
        self._looked = looked
        return self._looks < LOOKS_MAX

    async def keep(self, claim: Claim, after: str, counts: dict[str, int]) -> bool:
        """Count, and tell how far it is; False when the work is somebody else's by now."""
        return await self._update(claim, {"after": after, "counts": counts})

    async def pause(self, claim: Claim, until: datetime) -> None:
        """Give it back: whoever looks after that time goes on."""
        await self._update(claim, {"pause_until": until})

    async def finish(self, claim: Claim, *, goes_on: bool) -> None:
        """The day's work is done; it ``goes_on`` from there the next day, or begins anew."""
        await self._update(claim, {"done": True, "goes_on": goes_on})

    async def _update(self, claim: Claim, change: Document) -> bool:
        mine = {"_id": self._name, "day": claim.day, "holder": claim.holder}
        result = await self._collection.update_one(mine, {"$set": change, "$inc": {"beats": 1}})
        return result.matched_count == 1
