"""Aggregates that are to be looked after at a moment which their state names, such as data that is to be erased.

The state has the moment, ``due_at`` or another field; an index on it and ``_id``, which the service declares, finds
what is due, some at a time. Looking after one is a command, and it moves the moment on or takes it away. Several
processes may find the same: whoever comes second is told by the rules that nothing is to be done.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Generic

from tyrsky import metrics
from tyrsky.aggregate import C, S
from tyrsky.background import woken
from tyrsky.deciding import Decider
from tyrsky.pausing import Pauses, Resting
from tyrsky.store import Document, Loaded

log = logging.getLogger(__name__)

FOUND_MAX = 100
"""So many are fetched at a time."""

LOOK_SECONDS = 60.0
"""How often it is looked what has come due; what becomes due by a write of this process is looked at at once."""


class Due(Generic[S, C]):
    """Looks after what is due. ``run`` is the work in the background; ``look_after`` is called with each."""

    def __init__(
        self,
        decider: Decider[S, C],
        colleges: Collection[str],
        look_after: Callable[[Loaded[S]], Awaitable[None]],
        *,
        field: str = "due_at",
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._store = decider.store
        self._colleges = sorted(colleges)
        self._look_after = look_after
        self._name = decider.aggregate.name
        self._field = field
        self._seconds = look_seconds
        self._wake = asyncio.Event()
        self._resting = Resting(Pauses(look_seconds, 3_600))
        decider.listen(self._hear)

    def _hear(self, written: Loaded[Any]) -> None:
        due_at: datetime | None = getattr(written.state, self._field)
        if due_at is not None and due_at <= datetime.now(UTC):
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            while await self.once():
                pass
            await self._tell()
            await woken(self._wake, self._seconds)

    async def once(self) -> bool:
        """Look after some of what is due; whether there may be more. One that fails is let alone for a while, longer
        each time, and is in nobody's way."""
        where = {
            "college": {"$in": self._colleges},
            f"state.{self._field}": {"$lte": datetime.now(UTC)},
            "_id": {"$nin": self._resting.now()},
        }
        order = [(f"state.{self._field}", 1), ("_id", 1)]
        found = await self._store.collection.find(where).sort(order).limit(FOUND_MAX).to_list(FOUND_MAX)
        for document in found:
            await self._one(document)
        return len(found) == FOUND_MAX

    async def _tell(self) -> None:
        """How long overdue the first is that could not be looked after."""
        where = {"college": {"$in": self._colleges}, f"state.{self._field}": {"$lte": datetime.now(UTC)}}
        first = await self._store.collection.find_one(
            where, {f"state.{self._field}": 1}, sort=[(f"state.{self._field}", 1)]
        )
        overdue = datetime.now(UTC) - first["state"][self._field] if first else timedelta()
        metrics.due_overdue_seconds.labels(self._name, self._field).set(overdue.total_seconds())

    async def _one(self, document: Document) -> None:
        id: str = document["_id"]
        try:
            await self._look_after(self._store.loaded(document))
        except Exception as error:  # whatever it is, the others are looked after; its text may quote the person
            log.error("%s %s is due and could not be looked after: %s", self._name, id, type(error).__name__)
            self._resting.begin(id)
        else:
            self._resting.forget(id)
