"""What counts for a college when it chooses whom to reach first, and how much."""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args
from uuid import UUID, uuid5

from pydantic import Field
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, State

Factor = Literal["reach", "employer", "age", "line", "size"]
FACTORS: tuple[Factor, ...] = get_args(Factor)

Weight = Annotated[float, Field(ge=0, le=10)]
LinePrefix = Annotated[str, Field(pattern="^[0-9]{2,5}$")]


class Priorities(State):
    """What counts, and how much. ``lines`` are lines of business, or classes of them, that the college teaches for."""

    reach: Weight = 5
    employer: Weight = 3
    age: Weight = 1
    line: Weight = 2
    size: Weight = 2
    lines: Annotated[tuple[LinePrefix, ...], Field(max_length=200)] = ()


PRIORITIES = UUID("d4a7b1c8-2e5f-5a90-8b3c-6d7e8f9a0b1c")


def priorities_id(college: str) -> UUID:
    """The id of a college's priorities: it has one set."""
    return uuid5(PRIORITIES, college)


class PrioritiesSet(PrivateEvent):
    """A college finds these things important from now on."""

    priorities: Priorities


class SetPriorities(Command):
    """Find these things important."""

    priorities_id: UUID
    priorities: Priorities


def decide(known: Priorities | None, command: SetPriorities) -> Sequence[Happening]:
    """What a command comes to."""
    return [] if command.priorities == known else [PrioritiesSet(priorities=command.priorities)]


def evolve(known: Priorities | None, event: PrioritiesSet) -> Priorities:
    """The priorities after what happened."""
    return event.priorities


aggregate = Aggregate(
    "priorities", Priorities, SetPriorities, decide, evolve, plural="priorities", about=lambda id, _: id
)
