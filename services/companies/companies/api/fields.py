"""A college's own fields of companies."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.aggregate import Rejected
from tyrsky.auth import Caller, role
from tyrsky.catalogue import worded
from tyrsky.handling import Handling, handling
from tyrsky.listing import Listing, Page, equals
from tyrsky.store import Loaded

from companies import field
from companies.api.words import Line, Staff
from companies.care import FIELDS_MAX, FieldValue
from companies.field import CHOICES_MAX, ChangeField, DefineField, FieldCommand, Kind, aggregate, field_id
from companies.problems import problems

router = APIRouter(prefix="/fields", tags=["fields"])

Fields = Annotated[Handling[field.Field, FieldCommand], Depends(handling(aggregate))]
Admin = Annotated[Caller, Depends(role("coordinator", "admin"))]
"""What a college asks of companies is agreed upon, and not everybody's to change."""

FieldId = Annotated[UUID, Path(description="A field of the college's own.")]
Key = Annotated[str, StringConstraints(max_length=40, pattern="^[a-z][a-z0-9_]*$"), worded("field-key-wrong")]
Label = Annotated[str, Line, StringConstraints(max_length=100)]


class Labels(BaseModel):
    """What something is called."""

    model_config = ConfigDict(extra="forbid")

    fi: Label = Field(examples=["Ala"])
    sv: Label | None = Field(None, description="Without it, the Finnish one stands.", examples=["Bransch"])
    en: Label | None = Field(None, description="Without it, the Finnish one stands.", examples=["Sector"])


class Choice(BaseModel):
    """One of the values that can be chosen."""

    model_config = ConfigDict(extra="forbid")

    value: Key = Field(examples=["it"])
    labels: Labels
    offered: bool = Field(True, description="False: it stays where it was chosen, and is not chosen again.")


class NewField(BaseModel):
    """A field to define."""

    model_config = ConfigDict(extra="forbid")

    key: Key = Field(description="What it is called in requests; it never changes.", examples=["sector"])
    kind: Kind = Field(description="It never changes either.")
    labels: Labels
    choices: list[Choice] = Field([], max_length=CHOICES_MAX, description="Of `choice` and `choices`.")
    required: bool = Field(False, description="It cannot be emptied once it is filled in.")


class FieldChanges(BaseModel):
    """What is otherwise now. What is left out, or null, stays as it is."""

    model_config = ConfigDict(extra="forbid")

    labels: Labels | None = None
    choices: list[Choice] | None = Field(
        None, max_length=CHOICES_MAX, description="All of them: none that was there can be missing."
    )
    required: bool | None = None
    retired: bool | None = Field(None, description="True: it is shown where it is filled in, and not filled in again.")


class FieldView(BaseModel):
    """A field of the college's own."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "2e9a6c1b-7d40-5a8f-9c3e-1b0d5f7a8e62",
                "key": "sector",
                "kind": "choice",
                "labels": {"fi": "Ala", "sv": "Bransch", "en": "Sector"},
                "choices": [{"value": "it", "labels": {"fi": "ICT", "sv": None, "en": None}, "offered": True}],
                "required": False,
                "retired": False,
            }
        }
    )

    id: UUID
    key: str
    kind: Kind
    labels: field.Labels
    choices: list[field.Choice]
    required: bool
    retired: bool

    @classmethod
    def of(cls, loaded: Loaded[field.Field]) -> Self:
        """The field as the college's staff sees it."""
        return cls(id=loaded.id, **loaded.state.model_dump())


class FieldsAsked(Listing):
    """How the list of fields can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"key": "state.key"}

    sort: Literal["key", "-key"] = Field("key", description="By key.")
    retired: Annotated[bool | None, equals("state.retired")] = Field(None, description="Those alone that are, or not.")


async def defined(fields: Fields) -> dict[str, field.Field]:
    """The college's fields by their keys."""
    found = await fields.find(FieldsAsked.model_validate({"limit": 2 * FIELDS_MAX}))
    return {each.state.key: each.state for each in found.items}


def searched(fields: Mapping[str, field.Field], asked: Sequence[str]) -> list[dict[str, Any]]:
    """What is asked of the store to find companies by their fields.

    :raises Rejected: ``field-search-wrong``, ``field-unknown``.
    """
    return [_searched(fields, each) for each in asked]


_OPERATORS = {":": None, ">": "$gt", "<": "$lt"}


def _searched(fields: Mapping[str, field.Field], asked: str) -> dict[str, Any]:
    at = next((index for index, letter in enumerate(asked) if letter in _OPERATORS), None)
    if at is None or len(asked) > field.TEXT_MAX:
        raise Rejected("field-search-wrong", field="field")
    key, operator, text = asked[:at], _OPERATORS[asked[at]], asked[at + 1 :]
    if key not in fields:
        raise Rejected("field-unknown", field="field")
    value = field.read(fields[key], text)
    if value is None or (operator and fields[key].kind not in ("number", "date")):
        raise Rejected("field-search-wrong", field="field")
    return {f"state.fields.{key}": {operator: value} if operator else value}


@router.post(
    "",
    status_code=201,
    operation_id="defineField",
    summary="Define a field",
    responses=problems("field-already-defined", "field-many", "field-choices-wrong", "field-choice-twice"),
)
async def define(new: NewField, fields: Fields, by: Admin) -> FieldView:
    """Define what else the college wants to know of each company."""
    if new.key not in (known := await defined(fields)) and len(known) >= FIELDS_MAX:
        raise Rejected("field-many", most=FIELDS_MAX)
    command = DefineField.model_validate({"field_id": field_id(by.college, new.key), **new.model_dump()})
    return await fields.handle(command, FieldView)


@router.get("", operation_id="listFields", summary="List fields")
async def find(asked: Annotated[FieldsAsked, Query()], fields: Fields, staff: Staff) -> Page[FieldView]:
    """The college's own fields."""
    return (await fields.find(asked)).of(FieldView.of)


@router.get("/{field_id}", operation_id="getField", summary="One field", responses=problems("field-unknown"))
async def get(field_id: FieldId, fields: Fields, staff: Staff) -> FieldView:
    """One field of the college's own."""
    return await fields.show(field_id, FieldView)


@router.patch(
    "/{field_id}",
    operation_id="changeField",
    summary="Change a field",
    responses=problems("field-unknown", "field-choices-wrong", "field-choice-twice", "field-choice-missing"),
)
async def change(field_id: FieldId, changes: FieldChanges, fields: Fields, by: Admin) -> FieldView:
    """Call a field otherwise, offer other choices, require it, or retire it. What was filled in stays as it is."""
    command = ChangeField.model_validate({"field_id": field_id, **changes.model_dump(exclude_none=True)})
    return await fields.handle(command, FieldView)


__all__ = ["FieldValue", "Fields", "defined", "router", "searched"]
