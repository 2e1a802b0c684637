"""What an open route gets of an aggregate: its caller shows a link in place of a token (``tyrsky.links``).

A link names the aggregate and not the college. It is looked for among the colleges that are served here, each by its
own name as in every other query; whether the key is right, the route or the rules ask before anything is said of it.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Generic
from uuid import UUID, uuid4

from fastapi import Request
from opentelemetry import trace

from tyrsky.aggregate import Aggregate, C, S
from tyrsky.deciding import Decider, Deciders
from tyrsky.drafting import Ask
from tyrsky.settings import Settings
from tyrsky.store import Document, Loaded


class Linked(Generic[S, C]):
    """One kind of aggregate, for one request of somebody with a link."""

    def __init__(self, decider: Decider[S, C], settings: Settings) -> None:
        self._decider = decider
        self._settings = settings
        now = datetime.now(UTC)
        self.now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # what the store keeps

    async def find(self, id: UUID) -> Loaded[S] | None:
        """The aggregate of a college that is served here; None when there is none."""
        for college in sorted(self._settings.colleges):
            loaded = await self._decider.store.load(college, id)
            if loaded is not None:
                trace.get_current_span().set_attribute("tyrsky.college", college)
                return loaded
        return None

    async def carry_out(self, command: C, college: str) -> None:
        """Carry out a command. It is asked for by a browser, which sends no key: it has to be harmless when repeated.

        :raises Rejected: the rules' refusal, or ``busy``.
        """
        await self._decider.carry_out(Ask(command, uuid4(), college, at=self.now))

    async def all(self, filter: Document, sort: str, limit: int) -> list[tuple[Loaded[S], datetime]]:
        """The aggregates that match, college included, in order of a field; each with when it was last changed."""
        store = self._decider.store
        found = store.collection.find(filter, {"receipts": 0, "outbox": 0}).sort([(sort, 1), ("_id", 1)]).limit(limit)
        return [(store.loaded(each), each["changed_at"]) for each in await found.to_list(limit)]


def linked(aggregate: Aggregate[S, C]) -> Callable[..., Awaitable[Linked[S, C]]]:
    """Dependency: :class:`Linked` of an aggregate that the service keeps."""

    async def of_the_link(request: Request) -> Linked[S, C]:
        deciders: Deciders = request.app.state.deciders
        return Linked(deciders.of(aggregate), request.app.state.settings)

    return of_the_link
