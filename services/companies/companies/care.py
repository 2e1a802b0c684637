"""What a college makes of a company in its care: labels, own fields, relations, who looks after it, what is next.

The labels are told to the network; all the rest may be about people, and stays in the college.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import Field
from tyrsky.aggregate import Command, PrivateEvent, State
from tyrsky_contracts.companies import Tag

TAGS_MAX = 20
RELATIONS_MAX = 10
FIELDS_MAX = 50

Relation = Literal[
    "workplace",  # students learn at work there
    "employer",  # has hired the college's graduates
    "customer",  # buys training
    "provider",  # sells to the college
    "developer",  # develops education, or takes part in a project
    "adviser",  # sits on a board or a committee of the college's
]
"""What a company is to the college."""

Tags = Annotated[tuple[Tag, ...], Field(max_length=TAGS_MAX)]
Relations = Annotated[tuple[Relation, ...], Field(max_length=RELATIONS_MAX)]
Subject = Annotated[str, Field(min_length=1, max_length=255)]
"""Who somebody of the staff is to the identity provider."""

FieldValue = bool | float | str | tuple[str, ...]
"""A value of a field of the college's own; a date is text (``2026-11-24``)."""

FieldValues = Annotated[dict[str, FieldValue], Field(max_length=FIELDS_MAX)]


class NextStep(State):
    """What is to be done next with a company, and by when."""

    what: Annotated[str, Field(min_length=1, max_length=500)]
    due: date


class Care(State):
    """What the college makes of a company."""

    tags: Tags = ()
    relations: Relations = ()
    owner: Subject | None = None
    next_step: NextStep | None = None
    fields: FieldValues = Field(default_factory=dict)


class CompanyCommand(Command):
    """What can be asked of a company."""

    company_id: UUID


class CompanyAssigned(PrivateEvent):
    """Somebody of the staff looks after a company from now on; nobody, when it is null."""

    owner: Subject | None


class NextStepPlanned(PrivateEvent):
    """What is to be done next; nothing, when it is null: it was done, or given up."""

    next_step: NextStep | None


class CompanyRelated(PrivateEvent):
    """What the company is to the college was replaced."""

    relations: Relations


class FieldsFilled(PrivateEvent):
    """The fields of the college's own were filled in; all of them, as they are now."""

    fields: FieldValues


CareEvent = CompanyAssigned | NextStepPlanned | CompanyRelated | FieldsFilled

T = TypeVar("T")


def once(values: Iterable[T]) -> tuple[T, ...]:
    """Each once, in the order in which they came first."""
    return tuple(dict.fromkeys(values))


def changes(care: Care, wanted: dict[str, Any]) -> list[CareEvent]:
    """What changes when the parts of ``care`` in ``wanted`` become otherwise; labels are told elsewhere.

    ``wanted["fields"]`` names the fields that change alone; None takes a value away.
    """
    happenings: list[CareEvent] = []
    if "owner" in wanted and wanted["owner"] != care.owner:
        happenings.append(CompanyAssigned(owner=wanted["owner"]))
    if "next_step" in wanted and wanted["next_step"] != care.next_step:
        happenings.append(NextStepPlanned(next_step=wanted["next_step"]))
    if "relations" in wanted and once(wanted["relations"]) != care.relations:
        happenings.append(CompanyRelated(relations=once(wanted["relations"])))
    if "fields" in wanted:
        filled = {key: value for key, value in (care.fields | wanted["fields"]).items() if value is not None}
        if filled != care.fields:
            happenings.append(FieldsFilled(fields=filled))
    return happenings
