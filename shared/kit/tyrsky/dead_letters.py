"""Messages that could not be taken, kept in the service's own database until they are: replayed, or dropped.

The letters of one key of one group are together in one document, a *box*, in the order they came in:

    {_id: "<group>/<topic>/<key>", group, topic, key, ordered: true, opened_at,
     partition, offset,  # of the first letter
     letters: [{id, partition, offset, headers, body, size, type, college, kept_at, attempts,
                cause?, error?, expires_at?}],
     count, bytes, attempts, due_at, lease_token, lease_until, expires_at?}

While a key has a box it is *parked*: what comes for it is put behind. Since a box is one document, an arriving message
is either put into it before its last letter is taken out, or finds it gone and is handled at once; there is no moment
between. A message of which not even the envelope can be read has no place in any order: it gets a box of its own
(``ordered: false``), behind which nothing waits and which only a person's replay opens.
"""

import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from tyrsky_contracts.topics import Topic

from tyrsky.boxes import NEVER, Box, box_id, letter_of, push, size_of
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.deliveries import Message, cause_of
from tyrsky.store import CODEC, Document

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

ERROR_LENGTH_MAX = 2000

TOTAL_SECONDS = 1.0
"""How old the count of all letters may be; the limit is not exact to the letter."""

Kept = Literal["kept", "gone"]


class Full(Exception):  # noqa: N818 - a state of affairs
    """There are as many letters as are allowed. Nothing is lost: the consumer waits for room."""


class DeadLetters:
    """The boxes of one service."""

    def __init__(self, database: AsyncDatabase[Document], settings: ConsumerSettings | None = None) -> None:
        self._boxes = database.get_collection("dead_letters", codec_options=CODEC)
        self._settings = settings or ConsumerSettings()
        self._counted: tuple[float, int] = (-TOTAL_SECONDS, 0)

    async def prepare(self) -> None:
        """Declare the indexes. Idempotent."""
        await self._boxes.create_index([("group", 1), ("due_at", 1)])

    async def parked(self, group: str, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
        """Which of these keys (topic, key) are parked, and since which partition and offset."""
        ids = [box_id(group, topic, key) for topic, key in keys]
        found = self._boxes.find({"_id": {"$in": ids}}, {"topic": 1, "key": 1, "partition": 1, "offset": 1})
        return {(box["topic"], box["key"]): (box["partition"], box["offset"]) async for box in found}

    async def put(
        self, group: str, topic: Topic, message: Message, error: Exception, *, attempts: int, due_at: datetime | None
    ) -> None:
        """Keep a message that failed and park its key until it is due; a second time changes nothing.

        :param due_at: None for a message without a place in an order, which parks nothing.
        :raises Full: when there is no room.
        """
        await self._room()
        ordered = due_at is not None
        id = box_id(group, topic.name, message.key or "") if ordered else f"{group}/{topic.name}//{message.id}"
        letter = letter_of(message, topic) | {
            "cause": cause_of(error),
            "error": str(error)[:ERROR_LENGTH_MAX],
            "attempts": attempts,
        }
        box: Document = {
            "group": group,
            "topic": topic.name,
            "key": message.key,
            "ordered": ordered,
            "partition": message.partition,
            "offset": message.offset,
            "opened_at": letter["kept_at"],
            "attempts": 0,
            "due_at": due_at or NEVER,
            "lease_token": "",
            "lease_until": LONG_AGO,
        }
        with suppress(DuplicateKeyError):  # the letter is there already: the message was delivered a second time
            await self._boxes.update_one(
                {"_id": id, "letters.id": {"$ne": message.id}}, push(letter) | {"$setOnInsert": box}, upsert=True
            )

    async def behind(self, group: str, topic: Topic, message: Message) -> Kept:
        """Put a message behind the letters of its parked key, unless the key's box has gone meanwhile.

        :raises Full: when there is no room.
        """
        await self._room()
        id = box_id(group, topic.name, message.key or "")
        room = {
            "count": {"$lt": self._settings.letters_a_key_max},
            "bytes": {"$lt": self._settings.letters_a_key_bytes_max},
        }
        pushed = await self._boxes.update_one(
            {"_id": id, "letters.id": {"$ne": message.id}, **room}, push(letter_of(message, topic) | {"attempts": 0})
        )
        if pushed.matched_count:
            return "kept"
        box = await self._boxes.find_one({"_id": id}, {"letters.id": 1})
        if box is None:
            return "gone"
        if any(letter["id"] == message.id for letter in box["letters"]):
            return "kept"
        raise Full(f"one key has as many dead letters as are allowed: {id}")

    async def _room(self) -> None:
        now = time.monotonic()
        if now - self._counted[0] > TOTAL_SECONDS:
            self._counted = now, sum(count for *_, count in await self.counts())
        if self._counted[1] >= self._settings.letters_max:
            raise Full(f"{self._counted[1]} dead letters, as many as are allowed in all")

    async def counts(self) -> list[tuple[str, bool, int]]:
        """Group, whether a key is parked, and how many letters: for each box."""
        fields = {"group": 1, "ordered": 1, "count": 1}
        return [(box["group"], box["ordered"], box["count"]) async for box in self._boxes.find({}, fields)]

    async def claim_due(self, groups: Collection[str], now: datetime, lease: timedelta) -> Box | None:
        """The right to replay one box that is due, and that nobody else has the right to."""
        document = await self._boxes.find_one_and_update(
            {"group": {"$in": list(groups)}, "due_at": {"$lte": now}, "lease_until": {"$lte": now}},
            {"$set": {"lease_token": uuid4().hex, "lease_until": now + lease}},
            sort=[("due_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if document is None else Box.of(document)

    async def again(self, box: Box, now: datetime, lease: timedelta) -> Box | None:
        """The box as it is now, with the lease renewed; None when the lease is lost."""
        document = await self._boxes.find_one_and_update(
            {"_id": box.id, "lease_token": box.token},
            {"$set": {"lease_until": now + lease}},
            return_document=ReturnDocument.AFTER,
        )
        return None if document is None else Box.of(document)

    async def take_out(self, box_id: str, letter: Document) -> bool:
        """Take a letter out of its box: it has been taken, or is dropped."""
        result = await self._boxes.update_one(
            {"_id": box_id, "letters.id": letter["id"]},
            {"$pull": {"letters": {"id": letter["id"]}}, "$inc": {"count": -1, "bytes": -size_of(letter)}},
        )
        return result.matched_count == 1

    async def close_if_empty(self, box_id: str) -> bool:
        """Unpark a key of which no letter is left. Whatever is put behind comes before this, or finds no box."""
        return (await self._boxes.delete_one({"_id": box_id, "letters": {"$size": 0}})).deleted_count == 1

    async def failed_again(self, box: Box, letter: Document, error: Exception, due_at: datetime) -> None:
        """Write down that a replay failed, and give the box back."""
        await self._boxes.update_one(
            {"_id": box.id, "lease_token": box.token, "letters.id": letter["id"]},
            {
                "$set": {
                    "letters.$.cause": cause_of(error),
                    "letters.$.error": str(error)[:ERROR_LENGTH_MAX],
                    "due_at": due_at,
                    "lease_until": LONG_AGO,
                },
                "$inc": {"letters.$.attempts": 1, "attempts": 1},
            },
        )

    async def give_back(self, box: Box, due_at: datetime) -> None:
        """Let go of a box without a verdict."""
        await self._boxes.update_one(
            {"_id": box.id, "lease_token": box.token}, {"$set": {"due_at": due_at, "lease_until": LONG_AGO}}
        )

    async def replay(self, box_id: str, now: datetime) -> bool:
        """Ask the running service to replay a box at once, from its first letter."""
        result = await self._boxes.update_one({"_id": box_id}, {"$set": {"due_at": now, "attempts": 0}})
        return result.matched_count == 1

    async def find(self, **where: Any) -> AsyncIterator[Document]:
        """Boxes without headers and bodies, oldest first. ``where`` are fields; ``cause`` is a part of the text."""
        query = {field: value for field, value in where.items() if value is not None and field != "cause"}
        shown = {"letters.headers": 0, "letters.body": 0, "letters.error": 0}
        async for box in self._boxes.find(query, shown).sort("opened_at", 1):
            causes = [letter.get("cause", "") for letter in box["letters"]]
            if not where.get("cause") or any(where["cause"] in cause for cause in causes):
                yield box

    async def get(self, box_id: str) -> Document | None:
        """A box with everything in it, personal data too."""
        return await self._boxes.find_one({"_id": box_id})

    async def forget(self, group: str, topic: str, tells: Callable[[bytes], bool]) -> int:
        """Take out the letters whose body tells of somebody who is to be forgotten; how many there were."""
        forgotten = 0
        async for box in self._boxes.find({"group": group, "topic": topic}, {"letters.headers": 0}):
            for letter in box["letters"]:
                if tells(letter["body"] or b""):
                    forgotten += await self.take_out(box["_id"], letter)
            await self.close_if_empty(box["_id"])
        return forgotten

    async def expire(self, now: datetime) -> int:
        """Take out the letters of private topics that were kept for as long as they may be."""
        expired = 0
        async for box in self._boxes.find({"expires_at": {"$lte": now}}, {"letters.headers": 0}):
            ends = [(letter, letter.get("expires_at", NEVER)) for letter in box["letters"]]
            old = [letter for letter, end in ends if end <= now]
            young = [end for _, end in ends if end > now]
            for letter in old:
                expired += await self.take_out(box["_id"], letter)
            if young:
                await self._boxes.update_one({"_id": box["_id"]}, {"$set": {"expires_at": min(young)}})
            await self.close_if_empty(box["_id"])
        return expired
