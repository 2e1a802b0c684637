"""What was answered to each Idempotency-Key, for a day.

That a command was carried out is proven by its receipt, in the aggregate's own document, where the last few are kept.
This memory is the long one: a copy of the receipt under its own id, written after the answer, many at a time. It also
knows a key that comes again for something else. When the process dies before it is written, the aggregate still knows.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, PyMongoError

from tyrsky.background import woken
from tyrsky.receipts import Receipt
from tyrsky.store import CODEC, Document, only_duplicates
from tyrsky.together import Together

log = logging.getLogger(__name__)

KEPT = timedelta(days=1)
SWEEP_SECONDS = 3_600
UNWRITTEN_MAX = 10_000
"""Receipts that wait to be written; while the store is away, more are forgotten."""


class Remembered:
    """The answers of one service."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._collection: AsyncCollection[Document] = database.get_collection("answers", codec_options=CODEC)
        self._unwritten: dict[str, Receipt] = {}
        self._about: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._finds = Together(self._find)

    async def prepare(self) -> None:
        """Declare the index by which real MongoDB forgets; :meth:`run` sees to it elsewhere."""
        await self._collection.create_index([("at", 1)], expireAfterSeconds=int(KEPT.total_seconds()))
        await self._collection.create_index([("about", 1)])

    def find(self, id: UUID) -> "asyncio.Future[Receipt | None]":
        """The receipt of a command; None when it is new, or was asked for more than a day ago. It is being looked up
        from now on, whether or when somebody awaits it."""
        return self._finds.ask(str(id))

    async def _find(self, keys: Sequence[str]) -> Sequence[Receipt | None]:
        unwritten = {key: self._unwritten[key] for key in keys if key in self._unwritten}
        found = self._collection.find({"_id": {"$in": list(keys)}}, {"at": 0, "about": 0})
        written = {each["_id"]: Receipt(each.pop("_id"), **each) async for each in found}
        return [unwritten.get(key) or written.get(key) for key in keys]

    def keep(self, receipt: Receipt, about: str = "") -> None:
        """Remember a receipt, soon; ``about`` is the aggregate that its answer tells of."""
        if len(self._unwritten) < UNWRITTEN_MAX:
            self._unwritten[receipt.key] = receipt
            self._about[receipt.key] = about
            self._wake.set()

    async def forget(self, about: str, receipts: Sequence[Receipt]) -> None:
        """What was answered about an aggregate; not that it was. One of its ``receipts`` that somebody has yet to write
        is written here: then it comes too late."""
        for key in [*(each.key for each in receipts), *(key for key, its in self._about.items() if its == about)]:
            self._drop(key)
        await self._collection.update_many({"about": about}, {"$set": {"answer": None}})
        if not receipts:
            return
        now = datetime.now(UTC)
        writes = [
            UpdateOne(
                {"_id": each.key},
                {
                    "$set": {"answer": None},
                    "$setOnInsert": {
                        "fingerprint": each.fingerprint,
                        "version": each.version,
                        "about": about,
                        "at": now,
                    },
                },
                upsert=True,
            )
            for each in receipts
        ]
        try:
            await self._collection.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
            await self._collection.bulk_write(writes, ordered=False)  # they came in between, and are there now

    async def run(self) -> None:
        """Write receipts as they come, those that wait together in one write, and forget old ones."""
        if self._unwritten:  # a write that failed
            self._wake.set()
        swept_at = -SWEEP_SECONDS  # the loop's time may begin at 0, with the machine
        loop = asyncio.get_running_loop()
        while True:
            await woken(self._wake, SWEEP_SECONDS)
            await self._write()
            if loop.time() - swept_at >= SWEEP_SECONDS:
                swept_at = loop.time()
                await self._collection.delete_many({"at": {"$lt": datetime.now(UTC) - KEPT}})

    async def stop(self) -> None:
        """Write what waits."""
        try:
            await self._write()
        except PyMongoError as error:
            log.warning("%d answers were not written: %s", len(self._unwritten), type(error).__name__)

    async def _write(self) -> None:
        batch = list(self._unwritten.values())
        if not batch:
            return
        now = datetime.now(UTC)
        documents: list[Document] = [
            {
                "_id": receipt.key,
                "fingerprint": receipt.fingerprint,
                "version": receipt.version,
                "answer": receipt.answer,
                "about": self._about.get(receipt.key, ""),
                "at": now,
            }
            for receipt in batch
        ]
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):  # else another process wrote it, or this one before
                raise
        for receipt in batch:
            self._drop(receipt.key)

    def _drop(self, key: str) -> None:
        self._unwritten.pop(key, None)
        self._about.pop(key, None)
