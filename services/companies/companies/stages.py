"""How far a college has come with a company: it follows from what happened, and nobody sets it by hand.

Somebody was in touch: contacted. A visit was made: visited. Something was agreed upon, or a need was met: cooperating.
That three times: partner.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, get_args
from uuid import UUID

from pydantic import AwareDatetime, StringConstraints
from tyrsky.aggregate import PrivateEvent, State
from tyrsky_contracts.companies import Stage

PARTNER_AFTER = 3
"""Cooperations that make a partner: once may be chance, twice a favour."""

Because = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.-]{1,99}$")]
"""The kind of event that led to a stage, such as ``visit.recorded``."""

_ORDER: tuple[Stage, ...] = get_args(Stage)


class Reached(State):
    """A stage, when it was reached, and by what."""

    stage: Stage
    reached_at: AwareDatetime
    because: Because


class Progress(State):
    """The stages that were reached, each further on; ``cooperations`` are remembered until there are enough."""

    reached: tuple[Reached, ...] = ()
    cooperations: tuple[UUID, ...] = ()


class CooperationCounted(PrivateEvent):
    """The college and the company did something together."""

    cause: UUID


class StageNoted(PrivateEvent):
    """A stage was reached that the network takes for reached already: a company that was absorbed had."""

    reached: Reached


def later(one: Stage, other: Stage) -> bool:
    """Whether the first stage is further on than the second."""
    return _ORDER.index(one) > _ORDER.index(other)


def furthest(reached: Iterable[Reached | None]) -> Stage:
    """The last of the stages that were reached."""
    stages: list[Stage] = ["unknown", *(each.stage for each in reached if each)]
    return max(stages, key=_ORDER.index)


def stage_of(cooperations: Sequence[UUID]) -> Stage:
    """What so many cooperations make of a company."""
    return "partner" if len(cooperations) >= PARTNER_AFTER else "cooperating"
