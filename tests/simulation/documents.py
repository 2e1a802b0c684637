"""What the server of the store in memory keeps: each collection's documents, as BSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import bson
from bson.codec_options import CodecOptions
from pymongo.errors import DuplicateKeyError, WriteError

from tests.simulation.dialect import (
    MISSING,
    Document,
    Unsupported,
    found_at,
    matches,
    operators,
    order,
    project,
    updated,
)

AWARE = CodecOptions[Document](tz_aware=True, tzinfo=UTC)
DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
Sort = Sequence[tuple[str, int]]


def plain(document: Mapping[str, Any]) -> Document:
    """What is left of a document, a filter or an update on its way through BSON."""
    return bson.decode(bson.encode(document), AWARE)


class Documents:
    """What the server has of one collection: each document's bytes, and the same read, which nobody may change."""

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[bytes, Document]] = {}

    def all(self) -> list[Document]:
        """Every document, in the order of their insertion."""
        return [bson.decode(encoded, AWARE) for encoded, _ in self._kept.values()]

    def seen(self) -> list[Document]:
        """The same, to be looked at and not to be changed."""
        return [document for _, document in self._kept.values()]

    def matching(self, filter: Mapping[str, Any], sort: Sort = ()) -> list[tuple[bytes, Document]]:
        """What a filter finds."""
        id = filter.get("_id")
        by_id = self._kept.get(id) if isinstance(id, str) else None  # as an index would
        kept = [by_id] if by_id else [] if isinstance(id, str) else self._kept.values()
        found = [each for each in kept if matches(each[1], filter)]
        for path, direction in reversed(sort):
            found.sort(key=lambda each: order(next(found_at(each[1], path), MISSING)), reverse=direction < 0)
        return found

    def find(self, filter: Document, projection: Mapping[str, Any] | None, sort: Sort, limit: int) -> list[Document]:
        """What a filter finds, for whoever asked."""
        found = self.matching(filter, sort)[: limit or None]
        if projection:
            return [plain(project(document, projection)) for _, document in found]
        return [bson.decode(encoded, AWARE) for encoded, _ in found]

    def insert(self, document: Document) -> None:
        """One more document."""
        if document["_id"] in self._kept:
            raise DuplicateKeyError("E11000 duplicate key error", 11000, {"keyValue": {"_id": document["_id"]}})
        self._write(document)

    def _write(self, document: Document) -> Document:
        encoded = bson.encode(document)
        if len(encoded) > DOCUMENT_BYTES_MAX:
            raise WriteError("the document is too large", 10334)
        self._kept[document["_id"]] = encoded, document
        return document

    def update(
        self, filter: Document, update: Document, *, upsert: bool = False, sort: Sort = ()
    ) -> tuple[list[tuple[Document, Document]], Any]:
        """The first document found, before and after; and the id of one that was made, when there was none."""
        found = self.matching(filter, sort)
        if not found and upsert:
            made = updated(_from_filter(filter), update, filter, inserting=True)
            self.insert(made)
            return [], made["_id"]
        changed: list[tuple[Document, Document]] = []
        for encoded, before in found[:1]:
            after = updated(bson.decode(encoded, AWARE), update, filter, inserting=False)
            if after["_id"] != before["_id"]:
                raise WriteError("_id cannot be changed", 66)
            changed.append((before, self._write(after)))
        return changed, None

    def delete(self, filter: Document, *, many: bool = False) -> int:
        """How many documents went."""
        found = self.matching(filter)[: None if many else 1]
        for _, document in found:
            del self._kept[document["_id"]]
        return len(found)


def _from_filter(filter: Document) -> Document:
    document: Document = {}
    for path, condition in filter.items():
        if path.startswith("$"):
            raise Unsupported(f"an upsert with {path}")
        if operators(condition):
            continue
        if "." in path:
            raise Unsupported(f"an upsert with {path}")
        document[path] = condition
    if "_id" not in document:
        raise Unsupported("an upsert without an _id")
    return document
