"""Which relays live: each has a document, and counts in it as long as it lives.

No clock is asked, neither this machine's nor another's. Who sees another's count unchanged at several looks in a row
takes it for dead. That may be wrong, when a process was slow, and does no harm: the one that was taken for dead is
fenced at the broker before its work is taken over (see ``tyrsky.producing``), learns of it, and goes on under another
id.

The document::

    {_id: holder, beats,
     lanes: [transactional id],              # what it publishes with, to be fenced
     collections: [name],                    # where it claims; a process of another version may not have them
     places: [{topic, partition, offset}],   # whatever of its events lies before these, it has cleared
     given_up?}                              # the relay that takes over from it: it neither counts nor clears any more
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from tyrsky.producing import Places, lanes_of
from tyrsky.store import CODEC, Document

COLLECTION = "relays"

LOOK_SECONDS = 1.0
"""How often a relay counts, and looks at the others."""

LOOKS_MAX = 5
"""So many looks without a change are one's end."""

NOT_GIVEN_UP: Mapping[str, Any] = {"given_up": {"$exists": False}}


class Holders:
    """The relays of one service."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._collection: AsyncCollection[Document] = database.get_collection(COLLECTION, codec_options=CODEC)
        self._still: dict[str, tuple[int, int]] = {}
        self._beats = 0
        self._beating = asyncio.Lock()

    async def register(self, holder: str, collections: Sequence[str]) -> None:
        """From now on it may claim there: others know it, and wait for its end."""
        lanes = lanes_of(holder)
        await self._collection.insert_one(
            {"_id": holder, "beats": 0, "lanes": lanes, "collections": list(collections), "places": []}
        )

    async def beat(self, holder: str, places: Places) -> bool:
        """Tell that it lives, and from where on its events may have to be looked for; False when it was given up.

        One after the other, each with a count of its own: what is late, and what the driver tries again, does not
        overwrite newer places."""
        async with self._beating:
            self._beats += 1
            result = await self._collection.update_one(
                {"_id": holder, "beats": {"$lte": self._beats}, **NOT_GIVEN_UP},
                {"$set": {"beats": self._beats, "places": _stored(places)}},
            )
        return result.matched_count == 1

    async def give_up(self, holder: str, to: str) -> bool:
        """From now on it is known to be fenced soon: what it sees to be stable after this may be aborted.

        Whether ``to`` takes over: not while another does, who is not given up. Of two each would fence the producers
        with which the other is fencing, again and again."""
        document = await self._collection.find_one({"_id": holder}, {"given_up": 1})
        if document is None:
            return True
        before = document.get("given_up")
        if before not in (None, to) and await self.is_held(before):
            return False
        as_it_was = NOT_GIVEN_UP if before is None else {"given_up": before}
        result = await self._collection.update_one({"_id": holder, **as_it_was}, {"$set": {"given_up": to}})
        return result.matched_count == 1

    async def pass_on(self, holder: str, me: str) -> None:
        """Whoever can may take over."""
        await self._collection.update_one({"_id": holder, "given_up": me}, {"$set": {"given_up": ""}})

    async def is_held(self, holder: str) -> bool:
        """Whether nobody has given it up, so that nothing of it was fenced before this was asked."""
        return await self._collection.find_one({"_id": holder, **NOT_GIVEN_UP}, {"_id": 1}) is not None

    async def lanes(self, holder: str) -> list[str]:
        """What is to be fenced, as the holder's own version of the kit said it."""
        document = await self._collection.find_one({"_id": holder}) or {}
        return document.get("lanes") or lanes_of(holder)

    async def collections(self, holder: str) -> list[str]:
        """Where it may have claimed, as far as it has said so."""
        document = await self._collection.find_one({"_id": holder}) or {}
        return document.get("collections", [])

    async def places(self, holder: str) -> Places:
        """From where on its events may have to be looked for. Nothing of one that was forgotten has to be."""
        document = await self._collection.find_one({"_id": holder}) or {"places": []}
        return {(each["topic"], each["partition"]): each["offset"] for each in document["places"]}

    async def forget(self, holder: str) -> None:
        """It has claimed nothing, and can publish nothing."""
        await self._collection.delete_one({"_id": holder})
        self._still.pop(holder, None)

    async def look(self) -> set[str]:
        """Those that seem to be dead. To be asked every ``LOOK_SECONDS``."""
        beats = {each["_id"]: each["beats"] async for each in self._collection.find({}, {"beats": 1})}
        still: dict[str, tuple[int, int]] = {}
        for holder, count in beats.items():
            before, looks = self._still.get(holder, (count, -1))
            still[holder] = count, looks + 1 if count == before else 0
        self._still = still
        return {holder for holder, (_, looks) in still.items() if looks >= LOOKS_MAX}

    async def unknown(self, holders: Iterable[str]) -> set[str]:
        """Those of the holders that were forgotten: they claimed something in their last moment."""
        asked = set(holders)
        known = {each["_id"] async for each in self._collection.find({"_id": {"$in": list(asked)}}, {"_id": 1})}
        return asked - known


def _stored(places: Places) -> list[Document]:
    return [{"topic": topic, "partition": number, "offset": offset} for (topic, number), offset in places.items()]
