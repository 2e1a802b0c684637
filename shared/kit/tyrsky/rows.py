"""Where read models are kept, and how they are read.

A row is ``{_id: key, row: {...}, sequences: {subject: sequence}, version}``. It is replaced only in the version that it
was read in, so that neither a redelivery nor an instance that lost its partitions can move it back. Which collection
holds a projection's rows is said by its *edition* in ``projections``; without one it is the projection's name.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic

from fastapi import Request
from pymongo import InsertOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError
from tyrsky_contracts.event import Envelope, Event

from tyrsky.aggregate import Unknown
from tyrsky.deliveries import Delivery, Edition, Failure, Taken, mark_failed, process_span
from tyrsky.projecting import Kept, Projection, R
from tyrsky.store import CODEC, Document, bson, only_duplicates

CONFLICTS_MAX = 20
EDITION_SECONDS = 1.0
"""How long a reader may take an edition for the current one. The edition before is kept for longer."""

Versioned = tuple[Kept[R], int]


class Shelf(Generic[R]):
    """One collection of one projection's rows."""

    def __init__(self, collection: AsyncCollection[Document], projection: Projection[R]) -> None:
        self.collection = collection
        self._projection = projection

    async def get(self, keys: Iterable[str]) -> dict[str, Versioned[R]]:
        """The rows of these keys that there are, with their versions."""
        wanted = list(keys)
        if not wanted:
            return {}
        documents = await self.collection.find({"_id": {"$in": wanted}}).to_list()
        return {document["_id"]: (self._kept(document), document["version"]) for document in documents}

    def _kept(self, document: Document) -> Kept[R]:
        row = document["row"]
        sequences = {_plain(subject): sequence for subject, sequence in document["sequences"].items()}
        return Kept(None if row is None else self._projection.row.model_validate(row), sequences)

    async def put(self, rows: Mapping[str, Versioned[R]]) -> bool:
        """Write rows, each over the version it was made from. False when one was not: somebody else was faster."""
        writes: list[InsertOne[Document] | UpdateOne] = []
        for key, (kept, version) in rows.items():
            document: Document = {
                "row": None if kept.row is None else bson(kept.row.model_dump()),
                "sequences": {_escaped(subject): sequence for subject, sequence in kept.sequences.items()},
                "version": version + 1,
            }
            if version:
                writes.append(UpdateOne({"_id": key, "version": version}, {"$set": document}))
            else:
                writes.append(InsertOne({"_id": key, **document}))
        try:
            result = await self.collection.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
            return False
        return result.inserted_count + result.matched_count == len(writes)

    async def fold(self, queues: Mapping[str, Sequence[Delivery]], group: str) -> Taken:
        """Fold deliveries into their rows: read all, fold in memory, write all; again when somebody was faster."""
        for attempt in range(CONFLICTS_MAX):
            events = [delivery.event for queue in queues.values() for delivery in queue]
            before = await self.get({key for event in events if (key := self._key_or_none(event)) is not None})
            after = {key: kept for key, (kept, _) in before.items()}
            count, failures = 0, dict[str, Failure]()
            for key, queue in queues.items():
                taken, error = self._fold_queue(queue, after, group)
                count += taken
                if error:
                    failures[key] = Failure(taken, error)
            versions = {key: version for key, (_, version) in before.items()}
            changed = {
                key: (kept, versions.get(key, 0))
                for key, kept in after.items()
                if key not in before or kept is not before[key][0]
            }
            if not changed or await self.put(changed):
                return Taken(count, failures)
            await asyncio.sleep(0.01 * attempt)
        raise TimeoutError(f"{self.collection.name}: others were faster {CONFLICTS_MAX} times")

    def _fold_queue(
        self, queue: Sequence[Delivery], rows: dict[str, Kept[R]], group: str
    ) -> tuple[int, Exception | None]:
        for index, delivery in enumerate(queue):
            with process_span(delivery.message, group) as span:
                try:
                    self._fold_one(delivery.event, delivery.about, rows)
                except Exception as error:  # a rule that a service wrote: it stops this key, and no other
                    mark_failed(span, error)
                    return index, error
        return len(queue), None

    def _fold_one(self, event: Event, about: Envelope, rows: dict[str, Kept[R]]) -> None:
        key = self._projection.key_of(event)
        if key is not None:
            rows[key] = self._projection.fold(rows.get(key, Kept[R]()), event, about)

    def _key_or_none(self, event: Event) -> str | None:
        try:
            return self._projection.key_of(event)
        except Exception:  # the fold meets the same error, where it counts
            return None

    async def digest(self) -> str:
        """A hash of all rows and of what they were folded from; the same for the same data, however it came."""
        hashed = hashlib.sha256()
        async for document in self.collection.find().sort("_id", 1):
            content = [document["_id"], document["row"], document["sequences"]]
            hashed.update(json.dumps(content, sort_keys=True, default=str).encode() + b"\n")
        return hashed.hexdigest()


class Shelves(Generic[R]):
    """All editions of one projection's rows."""

    def __init__(self, database: AsyncDatabase[Document], projection: Projection[R]) -> None:
        self._database = database
        self._projection = projection
        self._pointers = database.get_collection("projections", codec_options=CODEC)
        self._cached: tuple[float, Shelf[R]] | None = None

    async def current(self) -> Edition:
        """The edition that is read and written now."""
        pointer = await self._pointers.find_one({"_id": self._projection.name})
        if pointer is None:
            return Edition(0, self._projection.name)
        complete = {(each["topic"], each["partition"]): each["offset"] for each in pointer["complete"]}
        return Edition(pointer["number"], pointer["collection"], complete)

    async def about_current(self) -> Shelf[R]:
        """The current edition, or what was it a second ago: enough to read from."""
        now = time.monotonic()
        if self._cached is None or now - self._cached[0] > EDITION_SECONDS:
            self._cached = now, self.shelf(await self.current())
        return self._cached[1]

    def shelf(self, edition: Edition) -> Shelf[R]:
        """The rows of one edition."""
        return Shelf(self._database.get_collection(edition.collection, codec_options=CODEC), self._projection)

    async def publish(self, edition: Edition) -> bool:
        """Make an edition the current one, in one write. False when somebody else made one meanwhile."""
        pointer: Document = {
            "number": edition.number,
            "collection": edition.collection,
            "complete": [
                {"topic": topic, "partition": partition, "offset": offset}
                for (topic, partition), offset in edition.complete.items()
            ],
        }
        name = self._projection.name
        if edition.number > 1:
            result = await self._pointers.update_one({"_id": name, "number": edition.number - 1}, {"$set": pointer})
            return result.matched_count == 1
        result = await self._pointers.update_one({"_id": name}, {"$setOnInsert": pointer}, upsert=True)
        return result.upserted_id is not None

    async def sweep(self, keep: Iterable[str]) -> None:
        """Drop the editions that are neither current nor the one before."""
        kept = {self._projection.name, *keep}
        for name in await self._database.list_collection_names():
            if name.startswith(f"{self._projection.name}_edition_") and name not in kept:
                await self._database.drop_collection(name)


class ProjectionReaction(Generic[R]):
    """A projection at work: a batch is read, folded in memory and written at once."""

    def __init__(self, projection: Projection[R], database: AsyncDatabase[Document], *, service: str) -> None:
        self.group = f"{service}-{projection.name}"
        self.events = projection.events
        self._shelves = Shelves(database, projection)

    def wants(self, college: str) -> bool:
        """A read model is of the whole network."""
        return bool(college)

    async def edition(self) -> Edition:
        """The edition that is written now."""
        return await self._shelves.current()

    async def take(self, queues: Mapping[str, Sequence[Delivery]], edition: Edition) -> Taken:
        """Fold a batch into the edition that it belongs to, though there may be a newer one by now."""
        return await self._shelves.shelf(edition).fold(queues, self.group)


class Rows(Generic[R]):
    """A projection's rows, for reading."""

    def __init__(self, shelves: Shelves[R]) -> None:
        self._shelves = shelves

    async def get(self, key: object) -> R | None:
        """The row of a key; None when nothing was heard of it."""
        return (await self.get_all([key])).get(str(key))

    async def get_all(self, keys: Iterable[object]) -> dict[str, R]:
        """The rows of several keys, as far as something was heard of them."""
        shelf = await self._shelves.about_current()
        found = await shelf.get([str(key) for key in keys])
        return {key: kept.row for key, (kept, _) in found.items() if kept.row is not None}

    async def some(self, keys: Iterable[object]) -> dict[str, R]:
        """The rows of these keys of which something was heard."""
        found = await (await self._shelves.about_current()).get(str(key) for key in keys)
        return {key: kept.row for key, (kept, _) in found.items() if kept.row is not None}

    async def show(self, key: object, *, of: str) -> R:
        """The row of a key as the answer.

        :raises Unknown: when nothing was heard of it: ``<of>-unknown``.
        """
        row = await self.get(key)
        if row is None:
            raise Unknown(of, key)
        return row

    async def collection(self) -> AsyncCollection[Document]:
        """The documents, for a listing; a row's fields are ``row.<field>``."""
        return (await self._shelves.about_current()).collection


def rows(projection: Projection[R]) -> Callable[[Request], Awaitable[Rows[R]]]:
    """A route's access to a projection: ``Annotated[Rows[Reach], Depends(rows(views.reach))]``."""
    shelves: dict[AsyncDatabase[Any], Shelves[R]] = {}

    async def reading(request: Request) -> Rows[R]:
        database = request.app.state.database
        if database not in shelves:
            shelves[database] = Shelves(database, projection)
        return Rows(shelves[database])

    return reading


def _escaped(subject: str) -> str:
    return subject.replace("%", "%25").replace(".", "%2E").replace("$", "%24")


def _plain(subject: str) -> str:
    return subject.replace("%24", "$").replace("%2E", ".").replace("%25", "%")
