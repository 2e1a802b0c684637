"""Places for students that a company could give: by form, field of study, number and period; and what became of them.

What the two forms of workplace-based learning ask for is in ``terms.py``.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown
from tyrsky_contracts.event import BusinessId
from tyrsky_contracts.needs import (
    FieldCodes,
    FieldOfStudy,
    Form,
    Places,
    PotentialAgreed,
    PotentialCharted,
    PotentialClosed,
    PotentialConfirmed,
    PotentialOutcome,
)

from companies.charting import TURNS_MAX, Turn, Words, check_charted
from companies.terms import Terms, check, finnish_day

Status = Literal["charted", "confirmed", "agreed", "lapsed", "withdrawn"]


class Potential(State):
    """Places that a company could give. ``charted`` are the terms as first heard of, ``terms`` as they are now."""

    status: Status
    company_id: UUID
    business_id: BusinessId
    form: Form
    field_codes: FieldCodes
    field_of_study: FieldOfStudy
    charted_at: AwareDatetime
    charted: Terms
    terms: Terms
    visit_id: UUID | None = None
    survey_id: UUID | None = None
    words: Words = ""
    agreed_places: int | None = None
    agreed_on: date | None = None
    instructor_id: UUID | None = None
    history: tuple[Turn, ...] = ()


class PotentialFound(PrivateEvent):
    """A company could give places: all that is known, the words for it included."""

    company_id: UUID
    business_id: BusinessId
    form: Form
    field_codes: FieldCodes
    field_of_study: FieldOfStudy
    charted_at: AwareDatetime
    charted: Terms
    visit_id: UUID | None
    survey_id: UUID | None
    words: Words


class PotentialTurned(PrivateEvent):
    """It has come to another state, and why; on these terms."""

    turn: Turn
    terms: Terms


class PlacesAgreed(PrivateEvent):
    """How many places were agreed upon, when, and who is the responsible workplace instructor."""

    agreed_places: int
    agreed_on: date
    instructor_id: UUID


class PotentialCommand(Command):
    """What can be asked of a potential."""

    potential_id: UUID
    now: AwareDatetime


class ChartPotential(PotentialCommand):
    """A company could give places to students of a field."""

    charted_at: AwareDatetime
    company_id: UUID
    business_id: BusinessId
    form: Form
    field_codes: FieldCodes
    field_of_study: FieldOfStudy
    terms: Terms
    visit_id: UUID | None = None
    survey_id: UUID | None = None
    words: Words = ""


class ConfirmPotential(PotentialCommand):
    """The company says so itself; ``terms`` when they are others than were charted."""

    terms: Terms | None = None
    why: Words = ""


class AgreePotential(PotentialCommand):
    """So many places were agreed upon in writing, with this responsible workplace instructor (a contact's id)."""

    places: Places
    agreed_on: date
    instructor_id: UUID
    why: Words = ""


class LapsePotential(PotentialCommand):
    """Its period went by."""


class WithdrawPotential(PotentialCommand):
    """The company took it back."""

    why: Words = ""


def decide(potential: Potential | None, command: PotentialCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match potential, command:
        case None, ChartPotential():
            return _chart(command)
        case None, _:
            raise Unknown("potential", command.potential_id)
        case Potential(), ChartPotential():
            return _chart_again(potential, command)
        case Potential(status="withdrawn"), WithdrawPotential():
            return []  # clicked twice
        case Potential(), LapsePotential():
            return _lapse(potential, command)
        case Potential(), AgreePotential():
            return _agree(potential, command)
        case Potential(status="agreed" | "lapsed" | "withdrawn"), _:
            raise Rejected("potential-is-over", status=potential.status)
        case Potential(), ConfirmPotential():
            return _confirm(potential, command)
        case Potential(), WithdrawPotential():
            return _close(potential, command, "withdrawn", command.why)
        case _:
            raise TypeError(f"a potential cannot {type(command).__name__}")


def _chart(command: ChartPotential) -> Sequence[Happening]:
    check_charted(command.charted_at, command.now)
    check(command.form, command.terms, command.now)
    known = command.model_dump(exclude={"now", "terms"})
    charted = PotentialCharted.model_validate({**known, **command.terms.model_dump()})
    return [PotentialFound.model_validate({**known, "charted": command.terms}), charted]


def _chart_again(potential: Potential, command: ChartPotential) -> Sequence[Happening]:
    names = ("company_id", "form", "field_codes", "field_of_study", "visit_id", "survey_id", "words")
    same = all(getattr(potential, name) == getattr(command, name) for name in names)
    if not same or potential.charted != command.terms:
        raise Rejected("potential-already-charted")
    return []  # sent twice


def _confirm(potential: Potential, command: ConfirmPotential) -> Sequence[Happening]:
    terms = command.terms or potential.terms
    if potential.status == "confirmed" and terms == potential.terms:
        return []  # clicked twice
    if len(potential.history) >= TURNS_MAX:
        raise Rejected("history-full", turns=TURNS_MAX)
    check(potential.form, terms, command.now)
    confirmed = PotentialConfirmed(
        potential_id=command.potential_id,
        **_which(potential),
        places=terms.places,
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
    )
    return [_turned(terms, command, "confirmed", command.why), confirmed]


def _agree(potential: Potential, command: AgreePotential) -> Sequence[Happening]:
    agreed = PlacesAgreed(
        agreed_places=command.places, agreed_on=command.agreed_on, instructor_id=command.instructor_id
    )
    if potential.status == "agreed" and evolve(potential, agreed) == potential:
        return []  # clicked twice
    if potential.status == "charted":
        raise Rejected("potential-not-confirmed")
    if potential.status != "confirmed":
        raise Rejected("potential-is-over", status=potential.status)
    if command.places > potential.terms.places:
        raise Rejected("places-too-many", field="places", places=potential.terms.places)
    if command.agreed_on > finnish_day(command.now):
        raise Rejected("agreed-in-the-future", field="agreed_on")
    told = PotentialAgreed(
        potential_id=command.potential_id,
        **_which(potential),
        form=potential.form,
        field_codes=potential.field_codes,
        field_of_study=potential.field_of_study,
        places=command.places,
    )
    return [_turned(potential.terms, command, "agreed", command.why), agreed, told]


def _lapse(potential: Potential, command: LapsePotential) -> Sequence[Happening]:
    waits = potential.status in ("charted", "confirmed") and finnish_day(command.now) > potential.terms.ends_on
    return _close(potential, command, "lapsed", "") if waits else []  # who asks too early, or again, does no harm


def _close(potential: Potential, command: PotentialCommand, outcome: PotentialOutcome, why: str) -> Sequence[Happening]:
    closed = PotentialClosed(potential_id=command.potential_id, **_which(potential), outcome=outcome)
    return [_turned(potential.terms, command, outcome, why), closed]


def _turned(terms: Terms, command: PotentialCommand, status: Status, why: str) -> PotentialTurned:
    return PotentialTurned(turn=Turn(status=status, at=command.now, why=why), terms=terms)


def _which(potential: Potential) -> dict[str, Any]:
    return {"company_id": potential.company_id, "business_id": potential.business_id}


def evolve(potential: Potential | None, event: Happening) -> Potential:
    """The potential after what happened."""
    match potential, event:
        case None, PotentialFound():
            turn = Turn(status="charted", at=event.charted_at)
            return Potential(status="charted", terms=event.charted, history=(turn,), **dict(event))
        case Potential(), PotentialTurned():
            history = (*potential.history, event.turn)
            return potential.but(status=event.turn.status, terms=event.terms, history=history)
        case Potential(), PlacesAgreed():
            return potential.but(**dict(event))
        case Potential(), PotentialCharted() | PotentialConfirmed() | PotentialAgreed() | PotentialClosed():
            return potential  # what the network hears
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this potential")


aggregate = Aggregate("potential", Potential, PotentialCommand, decide, evolve, about=lambda id, its: its.company_id)
