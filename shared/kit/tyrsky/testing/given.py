"""Rules as sentences: ``given(visit, planned).when(CancelVisit(...)).then(VisitCancelled(...))``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from tyrsky.aggregate import Aggregate, C, Happening, Rejected, S


@dataclass(frozen=True)
class given(Generic[S, C]):  # noqa: N801 - it reads as a word of a sentence
    """An aggregate to which some things have happened."""

    aggregate: Aggregate[S, C]
    happened: tuple[Happening, ...]

    def __init__(self, aggregate: Aggregate[S, C], *happened: Happening) -> None:
        object.__setattr__(self, "aggregate", aggregate)
        object.__setattr__(self, "happened", happened)

    def when(self, command: C) -> "Outcome[S]":
        """What is decided about ``command`` now."""
        state = self.aggregate.fold(None, self.happened)
        try:
            decided = self.aggregate.decide(state, command)
        except Rejected as refusal:
            return Outcome(state, (), refusal)
        # Folded here, so that a decision which the aggregate cannot take up fails the test that made it.
        return Outcome(self.aggregate.fold(state, decided), tuple(decided), None)


@dataclass(frozen=True)
class Outcome(Generic[S]):
    """What a command came to; each method fails the test when it was otherwise."""

    state: S | None
    happenings: Sequence[Happening]
    refusal: Rejected | None

    def then(self, *expected: Happening) -> "Outcome[S]":
        """Exactly these happened, in this order; nothing at all without arguments."""
        assert self.refusal is None, f"was refused: {self.refusal.code} {self.refusal.about}"
        assert tuple(self.happenings) == expected
        return self

    def rejected(self, code: str, *, field: str | None = None) -> "Outcome[S]":
        """It was refused with this code, for this field."""
        assert self.refusal is not None, f"was not refused, but came to {self.happenings}"
        assert (self.refusal.code, self.refusal.field) == (code, field)
        return self
