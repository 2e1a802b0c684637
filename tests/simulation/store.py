"""A store in memory with the face of PyMongo's asynchronous collections, as far as the kit uses it, and strict.

Documents are kept as BSON, so that what comes back is what a server would give back: moments of milliseconds, lists for
tuples, copies. A request is carried out at once and alone; one with several documents, document by document.
"""

# pyright: reportPrivateUsage=false

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import bson
from bson.codec_options import CodecOptions
from pymongo import DeleteOne, InsertOne, ReturnDocument, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError, WriteError
from pymongo.results import BulkWriteResult, DeleteResult, InsertManyResult, InsertOneResult, UpdateResult

from tests.simulation.dialect import Document, Unsupported, project
from tests.simulation.documents import Documents, Sort, plain
from tests.simulation.network import Direct, Transport


class Cursor:
    """What ``find`` answers with."""

    def __init__(self, ask: Callable[[Sort, int], Any]) -> None:
        self._ask = ask
        self._sort: Sort = ()
        self._limit = 0

    def sort(self, key: str | Sort, direction: int = 1) -> "Cursor":
        """In this order."""
        self._sort = [(key, direction)] if isinstance(key, str) else key
        return self

    def limit(self, limit: int) -> "Cursor":
        """So many at most; 0 is all."""
        self._limit = limit
        return self

    async def to_list(self, length: int | None = None) -> list[Document]:
        """All of them, or so many."""
        found: list[Document] = await self._ask(self._sort, self._limit)
        return found[:length]

    async def __aiter__(self) -> AsyncIterator[Document]:
        for document in await self.to_list():
            yield document


class Collection:
    """A client's collection."""

    def __init__(self, name: str, database: "Database", documents: Documents, transport: Transport) -> None:
        self.name = name
        self.database = database
        self.documents = documents
        self._transport = transport

    async def _all(self, what: str, works: Sequence[Callable[[], Any]]) -> list[Any]:
        return await self._transport.call(f"{self.name}.{what}", works, lambda: AutoReconnect("the connection broke"))

    async def _one(self, what: str, work: Callable[[], Any]) -> Any:
        return (await self._all(what, [work]))[0]

    async def create_index(self, keys: Sort, *, expireAfterSeconds: int = 0) -> str:  # noqa: N803 - as PyMongo has it
        """Nothing: every query scans. Unique indexes would be another matter."""
        return await self._one("create_index", lambda: "_".join(f"{name}_{direction}" for name, direction in keys))

    def find(self, filter: Mapping[str, Any] | None = None, projection: Mapping[str, Any] | None = None) -> Cursor:
        """What a filter finds."""
        where = plain(filter or {})

        def ask(sort: Sort, limit: int) -> Any:
            return self._one("find", lambda: self.documents.find(where, projection, sort, limit))

        return Cursor(ask)

    async def find_one(
        self,
        filter: Mapping[str, Any] | None = None,
        projection: Mapping[str, Any] | None = None,
        *,
        sort: Sort = (),
    ) -> Document | None:
        """The first that a filter finds."""
        where = plain(filter or {})

        found = await self._one("find_one", lambda: self.documents.find(where, projection, sort, 1))
        return found[0] if found else None

    async def count_documents(self, filter: Mapping[str, Any]) -> int:
        """How many a filter finds."""
        where = plain(filter)
        return await self._one("count", lambda: len(self.documents.matching(where)))

    async def insert_one(self, document: Document) -> InsertOneResult:
        """One more document."""
        document.setdefault("_id", bson.ObjectId())
        where = plain(document)
        await self._one("insert_one", lambda: self.documents.insert(where))
        return InsertOneResult(document["_id"], acknowledged=True)

    async def insert_many(self, documents: Iterable[Document], *, ordered: bool = True) -> InsertManyResult:
        """Several documents."""
        documents = list(documents)
        await self.bulk_write([InsertOne(document) for document in documents], ordered=ordered)
        return InsertManyResult([document["_id"] for document in documents], acknowledged=True)

    async def update_one(
        self, filter: Mapping[str, Any], update: Mapping[str, Any], *, upsert: bool = False
    ) -> UpdateResult:
        """Change one document."""
        where, how = plain(filter), plain(update)
        changed, made = await self._one("update_one", lambda: self.documents.update(where, how, upsert=upsert))
        return _update_result(changed, made)

    async def update_many(self, filter: Mapping[str, Any], update: Mapping[str, Any]) -> UpdateResult:
        """Change all that a filter finds."""
        where, how = plain(filter), plain(update)
        done = await self._each("update_many", where, lambda one: self.documents.update(one, how)[0])
        return _update_result([each for changed in done for each in changed], None)

    async def _each(self, what: str, where: Document, work: Callable[[Document], Any]) -> list[Any]:
        """Find which; then each is looked at again and dealt with by itself, and others come in between."""
        works: list[Callable[[], Any]] = []

        def find() -> None:
            works.extend(partial(work, {**where, "_id": each["_id"]}) for _, each in self.documents.matching(where))

        works.append(find)
        return (await self._all(what, works))[1:]

    async def find_one_and_update(
        self,
        filter: Mapping[str, Any],
        update: Mapping[str, Any],
        projection: Mapping[str, Any] | None = None,
        *,
        sort: Sort = (),
        upsert: bool = False,
        return_document: bool = ReturnDocument.BEFORE,
    ) -> Document | None:
        """Change one document and answer with it."""
        where, how = plain(filter), plain(update)

        def work() -> Document | None:
            changed, made = self.documents.update(where, how, sort=sort, upsert=upsert)
            if made is not None:
                changed = [({}, self.documents.matching({"_id": made})[0][1])]
                if return_document == ReturnDocument.BEFORE:
                    return None
            if not changed:
                return None
            return plain(project(changed[0][1 if return_document == ReturnDocument.AFTER else 0], projection))

        return await self._one("find_one_and_update", work)

    async def delete_one(self, filter: Mapping[str, Any]) -> DeleteResult:
        """Take one document away."""
        where = plain(filter)
        return DeleteResult({"n": await self._one("delete_one", lambda: self.documents.delete(where))}, True)

    async def delete_many(self, filter: Mapping[str, Any]) -> DeleteResult:
        """Take all away that a filter finds."""
        where = plain(filter)
        return DeleteResult({"n": sum(await self._each("delete_many", where, self.documents.delete))}, True)

    async def drop(self) -> None:
        """Take everything away."""
        await self._one("drop", lambda: self.documents.delete({}, many=True))

    async def bulk_write(self, requests: Sequence[Any], *, ordered: bool = True) -> BulkWriteResult:
        """Several writes, each by itself."""
        if not requests:
            raise ValueError("no writes")
        result: Document = {
            "writeErrors": [], "writeConcernErrors": [], "nInserted": 0, "nUpserted": 0, "nMatched": 0,
            "nModified": 0, "nRemoved": 0, "upserted": [],
        }  # fmt: skip
        works = [self._bulk_work(index, request, result, ordered) for index, request in enumerate(requests)]
        await self._all("bulk_write", works)
        if result["writeErrors"]:
            raise BulkWriteError(result)
        return BulkWriteResult(result, acknowledged=True)

    def _bulk_work(self, index: int, request: Any, result: Document, ordered: bool) -> Callable[[], None]:
        def attempt() -> None:
            match request:
                case InsertOne():
                    self.documents.insert(inserted)
                    result["nInserted"] += 1
                case UpdateOne():
                    changed, made = self.documents.update(where, how, upsert=bool(request._upsert))
                    result["nMatched"] += len(changed)
                    result["nModified"] += sum(before != after for before, after in changed)
                    if made is not None:
                        result["nUpserted"] += 1
                        result["upserted"].append({"index": index, "_id": made})
                case DeleteOne():
                    result["nRemoved"] += self.documents.delete(where)
                case _:
                    raise Unsupported(f"{type(request).__name__} in a bulk")

        def work() -> None:
            if ordered and result["writeErrors"]:
                return
            try:
                attempt()
            except (DuplicateKeyError, WriteError) as error:
                result["writeErrors"].append({"index": index, "code": error.code, "errmsg": str(error)})

        if isinstance(request, InsertOne):
            request._doc.setdefault("_id", bson.ObjectId())
            inserted = plain(request._doc)
        else:
            where = plain(request._filter)
            doc: Any = request._doc if isinstance(request, UpdateOne) else {}
            how = plain(doc)
        return work


def _update_result(changed: list[tuple[Document, Document]], made: Any) -> UpdateResult:
    raw: Document = {"n": len(changed) + (made is not None), "nModified": sum(a != b for a, b in changed)}
    if made is not None:
        raw["upserted"] = made
    return UpdateResult(raw, acknowledged=True)


class Server:
    """The store itself: what is in it outlives every process."""

    def __init__(self) -> None:
        self.databases: dict[str, dict[str, Documents]] = {}

    def client(self, transport: Transport | None = None) -> "Client":
        """A client of it."""
        return Client(self, transport or Direct())


class Client:
    """Somebody's way to the store."""

    def __init__(self, server: Server, transport: Transport) -> None:
        self._server = server
        self._transport = transport

    def __getitem__(self, name: str) -> "Database":
        return Database(name, self._server.databases.setdefault(name, {}), self._transport)

    async def drop_database(self, name: str) -> None:
        """Take a database away."""
        self._server.databases.pop(name, None)


class Database:
    """A client's database."""

    def __init__(self, name: str, collections: dict[str, Documents], transport: Transport) -> None:
        self.name = name
        self._collections = collections
        self._transport = transport

    def get_collection(self, name: str, codec_options: CodecOptions[Document] | None = None) -> Collection:
        """A collection; moments come back with their zone, as the kit wants it."""
        if codec_options is not None and not codec_options.tz_aware:
            raise Unsupported("moments without a zone")
        return Collection(name, self, self._collections.setdefault(name, Documents()), self._transport)

    __getitem__ = get_collection

    async def list_collection_names(self) -> list[str]:
        """Those that anything was written to."""
        answer = await self._transport.call(
            "list", [lambda: [n for n, c in self._collections.items() if c.all()]], _lost
        )
        return answer[0]

    async def drop_collection(self, name: str) -> None:
        """Take a collection away."""
        await self.get_collection(name).drop()


def _lost() -> Exception:
    return AutoReconnect("the connection broke")
