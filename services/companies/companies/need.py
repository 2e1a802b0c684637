"""What a company needs of vocational education, charted on a visit or from a survey, and what became of it.

What a visit's record says is the least that is known of a need: its kind. Who charts it with a level or in words fills
that in, before or after, and nobody's words are replaced by another's.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

from pydantic import AwareDatetime, Field
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown
from tyrsky_contracts.companies import Need as Kind
from tyrsky_contracts.event import BusinessId
from tyrsky_contracts.needs import Level, NeedAssessed, NeedCharted, NeedClosed, NeedOffered, NeedOutcome

from companies.charting import TURNS_MAX, Turn, Words, check_charted

Status = Literal["charted", "offered", "met", "not-met", "withdrawn"]


def need_on_visit(visit_id: UUID, kind: Kind) -> UUID:
    """The need of a kind that was charted on a visit: one, whoever charts it, and however often."""
    return uuid5(visit_id, kind)


class Need(State):
    """What a company needs. ``charted_level`` is how it was at first, ``level`` how it is now."""

    status: Status
    company_id: UUID
    business_id: BusinessId
    kind: Kind
    charted_at: AwareDatetime
    charted_level: Level | None = None
    level: Level | None = None
    visit_id: UUID | None = None
    survey_id: UUID | None = None
    words: Words = ""
    history: tuple[Turn, ...] = ()


class NeedFound(PrivateEvent):
    """A need became known: all of it, the words for it included."""

    company_id: UUID
    business_id: BusinessId
    kind: Kind
    charted_at: AwareDatetime
    charted_level: Level | None
    visit_id: UUID | None
    survey_id: UUID | None
    words: Words


class NeedDescribed(PrivateEvent):
    """More is known of a need that a visit's record had only named."""

    charted_level: Level | None
    words: Words


class NeedTurned(PrivateEvent):
    """The need has come to another state, or to another level in the same, and why."""

    turn: Turn
    level: Level | None


class NeedCommand(Command):
    """What can be asked of a need."""

    need_id: UUID


class ChartNeed(NeedCommand):
    """A company needs something. ``level``: how well its workplace instructors guide, of that kind of need alone."""

    now: AwareDatetime
    charted_at: AwareDatetime
    company_id: UUID
    business_id: BusinessId
    kind: Kind
    level: Level | None = None
    visit_id: UUID | None = None
    survey_id: UUID | None = None
    words: Words = ""


class AssessNeed(NeedCommand):
    """How well the company's workplace instructors can guide is this now."""

    now: AwareDatetime
    level: Level
    why: Words = ""


class OfferForNeed(NeedCommand):
    """Something was offered for it: what, is the reason."""

    now: AwareDatetime
    why: Annotated[Words, Field(min_length=1)]


class CloseNeed(NeedCommand):
    """It was met, or what was offered did not meet it, or the company needs it no more."""

    now: AwareDatetime
    outcome: NeedOutcome
    why: Words = ""


def decide(need: Need | None, command: NeedCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match need, command:
        case None, ChartNeed():
            return _chart(command)
        case None, _:
            raise Unknown("need", command.need_id)
        case Need(), ChartNeed():
            return _chart_again(need, command)
        case Need(status="met" | "not-met" | "withdrawn"), CloseNeed() if command.outcome == need.status:
            return []  # clicked twice
        case Need(status="met" | "not-met" | "withdrawn"), _:
            raise Rejected("need-is-closed", status=need.status)
        case Need(), AssessNeed():
            return _assess(need, command)
        case Need(), OfferForNeed():
            return _offer(need, command)
        case Need(), CloseNeed():
            return _close(need, command)
        case _:
            raise TypeError(f"a need cannot {type(command).__name__}")


def _chart(command: ChartNeed) -> Sequence[Happening]:
    _check_level(command.kind, command.level)
    check_charted(command.charted_at, command.now)
    known = command.model_dump(exclude={"now", "level"})
    charted = NeedCharted.model_validate({**known, "level": command.level})
    return [NeedFound.model_validate({**known, "charted_level": command.level}), charted]


def _chart_again(need: Need, command: ChartNeed) -> Sequence[Happening]:
    same = (need.company_id, need.kind, need.visit_id, need.survey_id) == (
        command.company_id,
        command.kind,
        command.visit_id,
        command.survey_id,
    )
    details, known = (command.level, command.words), (need.charted_level, need.words)
    if same and (details == known or (command.visit_id and details == (None, ""))):
        return []  # sent twice; or the visit's record says again what is known better
    if not (same and need.visit_id and known == (None, "") and need.status in ("charted", "offered")):
        raise Rejected("need-already-charted")
    _check_level(command.kind, command.level)
    described = NeedDescribed(charted_level=command.level, words=command.words)
    return [described, *([_assessed(need, command, command.level)] if command.level and not need.level else [])]


def _assess(need: Need, command: AssessNeed) -> Sequence[Happening]:
    _check_level(need.kind, command.level)
    if need.level == command.level and not command.why:
        return []
    turned = _turned(need, command, need.status, level=command.level)
    return [turned, *([_assessed(need, command, command.level)] if need.level != command.level else [])]


def _offer(need: Need, command: OfferForNeed) -> Sequence[Happening]:
    if need.status == "offered" and need.history[-1].why == command.why:
        return []  # clicked twice
    return [_turned(need, command, "offered"), NeedOffered(need_id=command.need_id, kind=need.kind, **_which(need))]


def _close(need: Need, command: CloseNeed) -> Sequence[Happening]:
    if need.status == "charted" and command.outcome != "withdrawn":
        raise Rejected("need-not-offered")
    closed = NeedClosed(need_id=command.need_id, kind=need.kind, outcome=command.outcome, **_which(need))
    turned = NeedTurned(turn=Turn(status=command.outcome, at=command.now, why=command.why), level=need.level)
    return [turned, closed]


def _turned(
    need: Need, command: AssessNeed | OfferForNeed, status: Status, *, level: Level | None = None
) -> NeedTurned:
    if len(need.history) >= TURNS_MAX:
        raise Rejected("history-full", turns=TURNS_MAX)
    return NeedTurned(turn=Turn(status=status, at=command.now, why=command.why), level=level or need.level)


def _assessed(need: Need, command: NeedCommand, level: Level) -> NeedAssessed:
    return NeedAssessed(need_id=command.need_id, level=level, **_which(need))


def _which(need: Need) -> dict[str, Any]:
    return {"company_id": need.company_id, "business_id": need.business_id}


def _check_level(kind: Kind, level: Level | None) -> None:
    if level is not None and kind != "guidance-competence":
        raise Rejected("need-without-level", field="level")


def evolve(need: Need | None, event: Happening) -> Need:
    """The need after what happened."""
    match need, event:
        case None, NeedFound():
            turn = Turn(status="charted", at=event.charted_at)
            return Need(status="charted", level=event.charted_level, history=(turn,), **dict(event))
        case Need(), NeedDescribed():
            return need.but(level=need.level or event.charted_level, **dict(event))
        case Need(), NeedTurned():
            return need.but(status=event.turn.status, level=event.level, history=(*need.history, event.turn))
        case Need(), NeedCharted() | NeedAssessed() | NeedOffered() | NeedClosed():
            return need  # what the network hears
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this need")


aggregate = Aggregate("need", Need, NeedCommand, decide, evolve, about=lambda id, need: need.company_id)
