"""A read model is a fold of events: rows by key, each remembering how far it has read every subject.

Declared in a service's ``views.py`` and pure: no store, no clock. ``tyrsky.rows`` keeps the rows.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from tyrsky_contracts.event import Envelope, Event

from tyrsky.aggregate import State

R = TypeVar("R", bound=State)
E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Kept(Generic[R]):
    """A row and how it came to be: the last sequence of every subject that it was folded from."""

    row: R | None = None
    sequences: Mapping[str, int] = field(default_factory=dict[str, int])


class Projection(Generic[R]):
    """A read model: ``Projection("reach", Reach, key=lambda event: event.business_id)``.

    Rows begin as ``row()``, so every field has a default. ``key`` names an event's row; ``None`` says that the event
    is not for this read model. Rows are seen by all colleges that the service serves: what is one college's own has
    the college in its key.
    """

    def __init__(self, name: str, row: type[R], *, key: Callable[[Any], object]) -> None:
        row()
        self.name = name
        self.row = row
        self._key = key
        self._folds: dict[type[Event], Callable[[R, Any, Envelope], R | None]] = {}

    @property
    def events(self) -> Collection[type[Event]]:
        """The events that it is folded from."""
        return self._folds.keys()

    def on(
        self, event: type[E]
    ) -> Callable[[Callable[[R, E, Envelope], R | None]], Callable[[R, E, Envelope], R | None]]:
        """Declare how an event changes its row. ``None`` takes the row away."""
        if event.upcast is not Event.upcast:
            raise TypeError(f"{event.__name__} is retired: fold its newest version")
        if event in self._folds:
            raise TypeError(f"{self.name} folds {event.__name__} twice")

        def declare(fold: Callable[[R, E, Envelope], R | None]) -> Callable[[R, E, Envelope], R | None]:
            self._folds[event] = cast("Callable[[R, Any, Envelope], R | None]", fold)
            return fold

        return declare

    def key_of(self, event: Event) -> str | None:
        """The row that an event belongs to."""
        key = self._key(event)
        return None if key is None else str(key)

    def fold(self, kept: Kept[R], event: Event, about: Envelope) -> Kept[R]:
        """The row after an event; the very same when the event, or a later one of its subject, is in it already.

        Only never back: a subject may begin at any sequence (its topic may not go back to the first) and may skip some
        (of other types).
        """
        if about.sequence <= kept.sequences.get(about.subject, 0):
            return kept
        row = self._folds[type(event)](kept.row or self.row(), event, about)
        return Kept(row, {**kept.sequences, about.subject: about.sequence})
