"""A class of the kit that forgets conditions in what it writes: half of the faults that somebody might make."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pymongo import UpdateOne

# pyright: reportPrivateUsage=false

Change = tuple[Any, str, Any]


class Careless:
    """A collection whose updates forget a condition."""

    def __init__(self, collection: Any, forgets: Collection[str]) -> None:
        self._collection = collection
        self._forgets = forgets

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    def _without(self, filter: Mapping[str, Any]) -> dict[str, Any]:
        return {name: each for name, each in filter.items() if name not in self._forgets}

    async def update_one(self, filter: Mapping[str, Any], update: Any, **more: Any) -> Any:
        return await self._collection.update_one(self._without(filter), update, **more)

    async def delete_one(self, filter: Mapping[str, Any]) -> Any:
        return await self._collection.delete_one(self._without(filter))

    async def bulk_write(self, writes: Iterable[Any], **more: Any) -> Any:
        careless = [UpdateOne(self._without(w._filter), w._doc) if isinstance(w, UpdateOne) else w for w in writes]
        return await self._collection.bulk_write(careless, **more)


def careless(kind: type, attribute: str, *forgets: str) -> Change:
    """A class that forgets conditions in whatever it writes to one of its collections."""
    begin: Any = kind.__init__

    def init(self: Any, *args: Any, **more: Any) -> None:
        begin(self, *args, **more)
        setattr(self, attribute, Careless(getattr(self, attribute), forgets))

    return kind, "__init__", init
