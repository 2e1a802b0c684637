"""What an aggregate is: two pure functions, ``decide`` and ``evolve``, and the state between them.

No clock, no id made, no I/O: what a decision needs comes in with the command.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from tyrsky_contracts.event import Event


class State(BaseModel):
    """What an aggregate remembers. Frozen: a change is a new state."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def but(self, **changes: Any) -> Self:
        """The same state with some fields changed, and validated again."""
        return self.model_validate({**dict(self), **changes})


class Command(BaseModel):
    """A wish, in the imperative. One whose rule looks at the time has it as a field, ``now: AwareDatetime``."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PrivateEvent(BaseModel):
    """An event that changes the state and never leaves the service: where personal data and notes belong."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Erasure(PrivateEvent):
    """Personal data is gone from the state. No answer that was given before this is kept: not in the aggregate's
    document, from this very write on, and see :mod:`tyrsky.forgetting` for what lies elsewhere."""


Happening = Event | PrivateEvent
"""What ``decide`` answers with: events for the network's topics, and private ones that stay at home."""


class Rejected(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """The rules say no. ``code`` is one of the declared problems, ``field`` the command's field that is at fault."""

    def __init__(self, code: str, *, field: str | None = None, **about: object) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.about = about


class Unknown(Rejected):
    """There is no such thing, or it is another college's, which is the same to the caller."""

    def __init__(self, kind: str, id: object) -> None:
        super().__init__(f"{kind}-unknown", id=str(id))


class Busy(Rejected):
    """Not now: too many want the same thing at once. Nothing was decided, and it may be asked for again."""

    def __init__(self) -> None:
        super().__init__("busy")


S = TypeVar("S", bound=State)
C = TypeVar("C", bound=Command)


@dataclass(frozen=True)
class Aggregate(Generic[S, C]):
    """A kind of aggregate. Its commands derive from one class, which has the id in the field ``<name>_id``.

    ``name`` is singular kebab case; the collection and the CloudEvents source use its plural ``plural``. With ``about``
    each change of it is told on the topic ``audit``, under what it answers: the id of the thing to which it belongs.
    With ``partition`` its events are read in one order with those of all aggregates for which it answers the same.
    """

    name: str
    state: type[S]
    command: type[C]
    decide: Callable[[S | None, C], Sequence[Happening]]
    evolve: Callable[[S | None, Any], S]
    plural: str = ""
    about: Callable[[UUID, S], UUID] | None = None
    partition: Callable[[S], str] | None = None

    def __post_init__(self) -> None:
        if not self.plural:
            object.__setattr__(self, "plural", self.name + "s")
        if self.id_field not in self.command.model_fields:
            raise TypeError(f"{self.command.__name__} has no field {self.id_field}")

    @property
    def id_field(self) -> str:
        """The commands' field that names the aggregate."""
        return f"{self.name.replace('-', '_')}_id"

    def id_of(self, command: C) -> UUID:
        """Which aggregate a command is for."""
        return getattr(command, self.id_field)

    def fold(self, state: S | None, happenings: Sequence[Happening]) -> S | None:
        """The state after what happened."""
        for happening in happenings:
            state = self.evolve(state, happening)
        return state
