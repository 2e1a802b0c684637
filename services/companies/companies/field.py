"""Fields of a college's own: what else it wants to know of each company, typed and checked.

A field that has values is never changed so that they become wrong: its kind stays, and choices are only added, or no
longer offered.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

from pydantic import Field as Limited
from pydantic import StringConstraints
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown

from companies.care import FieldValue

Kind = Literal["text", "number", "date", "yes-no", "choice", "choices"]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Label = Annotated[str, Limited(min_length=1, max_length=100)]

TEXT_MAX = 1_000
NUMBER_MAX = 1e15
"""Beyond it, a number is no longer exact as it is stored."""

CHOICES_MAX = 100

FIELDS = UUID("5b0a9c1e-0f6d-5c0b-8b1a-3f7e2d9c4a61")


def field_id(college: str, key: str) -> UUID:
    """The id of a field: a college has each key once."""
    return uuid5(FIELDS, f"{college}/{key}")


class Labels(State):
    """What something is called; where a language has no word, the Finnish one stands."""

    fi: Label
    sv: Label | None = None
    en: Label | None = None


class Choice(State):
    """One of the values that can be chosen; one that is no longer offered stays where it was chosen."""

    value: Key
    labels: Labels
    offered: bool = True


Choices = Annotated[tuple[Choice, ...], Limited(max_length=CHOICES_MAX)]


class Field(State):
    """What a college wants to know of companies. A retired one is shown, and no longer filled in."""

    key: Key
    kind: Kind
    labels: Labels
    choices: Choices = ()
    required: bool = False
    retired: bool = False


class FieldDefined(PrivateEvent):
    """A college has a field of its own."""

    key: Key
    kind: Kind
    labels: Labels
    choices: Choices
    required: bool


class FieldChanged(PrivateEvent):
    """The field is called, or offers, something else, or is needed where it was not."""

    labels: Labels
    choices: Choices
    required: bool


class FieldRetired(PrivateEvent):
    """The field is no longer filled in; or again, when it is false."""

    retired: bool


class FieldCommand(Command):
    """What can be asked of a field."""

    field_id: UUID


class DefineField(FieldCommand):
    """Have a field of the college's own."""

    key: Key
    kind: Kind
    labels: Labels
    choices: Choices = ()
    required: bool = False


class ChangeField(FieldCommand):
    """What is not set stays as it is."""

    labels: Labels | None = None
    choices: Choices | None = None
    required: bool | None = None
    retired: bool | None = None


def decide(field: Field | None, command: FieldCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match field, command:
        case None, DefineField():
            _check_choices(command.kind, command.choices)
            return [FieldDefined.model_validate(command.model_dump())]
        case Field(), DefineField():
            raise Rejected("field-already-defined", field="key", field_id=command.field_id)
        case Field(), ChangeField():
            return _changed(field, command)
        case _:
            raise Unknown("field", command.field_id)


def _changed(field: Field, command: ChangeField) -> Sequence[Happening]:
    wanted = field.but(**command.model_dump(exclude={"field_id"}, exclude_none=True))
    if wanted.choices != field.choices:
        _check_choices(field.kind, wanted.choices)
        missing = {each.value for each in field.choices} - {each.value for each in wanted.choices}
        if missing:
            raise Rejected("field-choice-missing", field="choices", missing=sorted(missing))
    happenings: list[Happening] = []
    if wanted.but(retired=field.retired) != field:
        happenings.append(FieldChanged(labels=wanted.labels, choices=wanted.choices, required=wanted.required))
    if wanted.retired != field.retired:
        happenings.append(FieldRetired(retired=wanted.retired))
    return happenings


def _check_choices(kind: Kind, choices: Choices) -> None:
    if (kind in ("choice", "choices")) != bool(choices):
        raise Rejected("field-choices-wrong", field="choices")
    if len({each.value for each in choices}) < len(choices):
        raise Rejected("field-choice-twice", field="choices")


def evolve(field: Field | None, event: Happening) -> Field:
    """The field after what happened."""
    match field, event:
        case None, FieldDefined():
            return Field.model_validate(event.model_dump())
        case Field(), FieldChanged() | FieldRetired():
            return field.but(**dict(event))
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this field")


aggregate = Aggregate("field", Field, FieldCommand, decide, evolve, about=lambda id, _: id)


def accepted(fields: Mapping[str, Field], given: Mapping[str, Any]) -> dict[str, FieldValue | None]:
    """What was given for fields, as it is kept. None takes a value away.

    :raises Rejected: ``field-unknown``, ``field-required``, ``field-value-wrong``; ``field`` names the one.
    """
    return {key: _accepted(fields.get(key), key, value) for key, value in given.items()}


def _accepted(field: Field | None, key: str, value: Any) -> FieldValue | None:
    where = f"fields.{key}"
    if field is None or (field.retired and value is not None):
        raise Rejected("field-unknown", field=where)
    if value is None:
        if field.required:
            raise Rejected("field-required", field=where)
        return None
    kept = _as_kept(field, value)
    if kept is None:
        raise Rejected("field-value-wrong", field=where, kind=field.kind)
    return kept


def _as_kept(field: Field, value: Any) -> FieldValue | None:
    """The value as it is kept; None when it is not of the field's kind."""
    offered = {each.value for each in field.choices if each.offered}
    match field.kind, value:
        case "text", str() if value.strip() and len(value) <= TEXT_MAX:
            return value.strip()
        case "number", int() | float() if not isinstance(value, bool) and abs(value) <= NUMBER_MAX:
            return float(value) if math.isfinite(value) else None
        case "date", str():
            return _day(value)
        case "yes-no", bool():
            return value
        case "choice", str() if value in offered:
            return value
        case "choices", list() if value and all(isinstance(each, str) and each in offered for each in value):  # pyright: ignore[reportUnknownVariableType]
            return tuple(dict.fromkeys(value))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return None


def _day(text: str) -> str | None:
    try:
        return text if date.fromisoformat(text).isoformat() == text else None  # a week's day has as many letters
    except ValueError:
        return None


def read(field: Field, text: str) -> FieldValue | None:
    """What is searched for, as it is kept (of several choices, one); None when no value can be so written."""
    match field.kind:
        case "number":
            try:
                return _as_kept(field, float(text))
            except ValueError:
                return None
        case "yes-no":
            return {"true": True, "false": False}.get(text)
        case "choice" | "choices":  # also one that is no longer offered: it stays where it was chosen
            return text if text in {each.value for each in field.choices} else None
        case "text" | "date":
            return _as_kept(field, text)
