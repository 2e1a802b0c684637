"""What a route gets of an aggregate: carry out commands, get one, list some; always for the caller's college.

Visits = Annotated[Handling[Visit, VisitCommand], Depends(handling(visit.aggregate))]

async def plan(new: NewVisit, visits: Visits, staff: Outreach) -> VisitView:
    return await visits.handle(PlanVisit(visit_id=visits.new_id(), now=visits.now, ...), VisitView)
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Generic, Protocol, Self, TypeVar
from uuid import UUID, uuid5

from fastapi import Depends, Request, Response

from tyrsky.aggregate import Aggregate, C, S, Unknown
from tyrsky.deciding import Decider, Deciders
from tyrsky.drafting import Ask
from tyrsky.listing import Listing, Page
from tyrsky.preconditions import Wish, etag, wish
from tyrsky.remembering import Remembered
from tyrsky.store import Document, Loaded


class View(Protocol):
    """A response model (Pydantic's) that knows how it is made of an aggregate: a class method ``of``."""

    @classmethod
    def of(cls, loaded: Loaded[Any], /) -> Self:
        """The aggregate as the caller sees it."""
        ...

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """The view as it was once given."""
        ...

    def model_dump(self, *, mode: str) -> Document:
        """The view as JSON values."""
        ...


V = TypeVar("V", bound=View)


class Handling(Generic[S, C]):
    """One kind of aggregate, for one request of one caller."""

    def __init__(self, decider: Decider[S, C], remembered: Remembered, wished: Wish, response: Response) -> None:
        self._decider = decider
        self._remembered = remembered
        self._by = wished.by
        self._wish = wished
        self._response = response
        self._ids = 0

    @property
    def now(self) -> datetime:
        """The moment of the request, in UTC, for a rule that looks at the time; it is that of the events too."""
        return self._wish.now

    def new_id(self) -> UUID:
        """An id for something new. It follows from the Idempotency-Key, so a repeat makes the same thing."""
        self._ids += 1
        return uuid5(self._wish.id, f"{self._decider.aggregate.name} {self._ids}")

    async def handle(self, command: C, view: type[V]) -> V:
        """Carry out a command and answer with the aggregate after it; a repeat gets the answer that the first got.

        :raises Rejected: the rules' refusal, or ``version-stale``, ``key-reused``, ``busy``.
        """
        ask = Ask(
            command,
            uuid5(self._wish.id, f"command {next(self._wish.commands)}"),
            self._by.college,
            fingerprint=self._wish.fingerprint,
            expected_version=self._wish.expected_version,
            answer=lambda loaded: view.of(loaded).model_dump(mode="json"),
            memory=self._remembered if self._wish.keyed else None,
            at=self._wish.now,
            by=self._by.subject,
        )
        done = await self._decider.carry_out(ask)
        self._response.headers["ETag"] = etag(done.version)
        if done.replayed:
            self._response.headers["Idempotent-Replayed"] = "true"
        return view.model_validate(done.answer)

    async def get(self, id: UUID) -> Loaded[S]:
        """One aggregate of the caller's college, to look something up in it.

        :raises Unknown: when there is none, or it is another college's.
        """
        loaded = await self._decider.store.load(self._by.college, id)
        if loaded is None:
            raise Unknown(self._decider.aggregate.name, id)
        return loaded

    async def show(self, id: UUID, view: type[V]) -> V:
        """One aggregate of the caller's college as the answer, with its ETag.

        :raises Unknown: when there is none, or it is another college's.
        """
        loaded = await self.get(id)
        self._response.headers["ETag"] = etag(loaded.version)
        return view.of(loaded)

    async def find(self, listing: Listing, filter: Document | None = None) -> Page[Loaded[S]]:
        """A page of the caller's college's aggregates, narrowed by ``filter`` (fields as ``state.<field>``)."""
        store = self._decider.store
        base = {**(filter or {}), "college": self._by.college}
        page = await listing.page(store.collection, base, without=("receipts", "outbox"))
        return page.of(store.loaded)


def handling(aggregate: Aggregate[S, C]) -> Callable[..., Awaitable[Handling[S, C]]]:
    """Dependency: :class:`Handling` of an aggregate that the service keeps."""

    async def of_the_caller(  # async, or FastAPI would hand it to a thread, and so every request
        request: Request,
        response: Response,
        wished: Annotated[Wish, Depends(wish)],
    ) -> Handling[S, C]:
        deciders: Deciders = request.app.state.deciders
        return Handling(deciders.of(aggregate), request.app.state.remembered, wished, response)

    return of_the_caller
