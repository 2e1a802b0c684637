"""Lists in one style: ``?limit=&cursor=&sort=-field&<filter>=``, page after page by where the last one ended.

A list declares its parameters as a model, so that OpenAPI, validation and the query come from one place::

    class VisitsAsked(Listing):
        sorts = {"starts_at": "state.starts_at"}

        sort: Literal["starts_at", "-starts_at"] = Field(default="-starts_at", description="By the time of the visit.")
        company_id: Annotated[UUID | None, equals("state.company_id")] = Field(default=None, description="To this one.")
        starts_from: Annotated[Moment | None, at_least("state.starts_at")] = Field(default=None, description="")

    async def find(asked: Annotated[VisitsAsked, Query()], ...) -> Page[VisitView]

A page is found by the sort value and id of the last document (keyset), not by counting, so that what is added or
removed meanwhile makes no document appear twice or be skipped. Each sort wants an index on (college, sort field, _id).
"""

import base64
import binascii
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError
from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.collection import AsyncCollection

from tyrsky.aggregate import Rejected

T = TypeVar("T")
U = TypeVar("U")
Document = dict[str, Any]

LIMIT_MAX = 200


def _in_words(value: object) -> object:
    if (isinstance(value, str) and ":" in value) or isinstance(value, datetime):
        return value
    raise PydanticKnownError("datetime_parsing", {"error": "not as RFC 3339 has it"})


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticKnownError("datetime_object_invalid", {"error": "beyond the calendar"}) from None


Moment = Annotated[AwareDatetime, BeforeValidator(_in_words), AfterValidator(_in_utc)]
"""A time with its time zone (RFC 3339), brought to UTC; within hours of the years 1 and 9999 there may be no such time.
A number is none: who means milliseconds would not be told that they were taken for seconds."""


def _day_in_words(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and DAY.fullmatch(value)):
        return value
    raise PydanticKnownError("date_parsing", {"error": "not as RFC 3339 has it"})


DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Day = Annotated[date, BeforeValidator(_day_in_words)]
"""A day of the calendar, ``2026-09-01``; a number is none."""


class Page(BaseModel, Generic[T]):
    """Some of a list, and where it goes on."""

    items: list[T]
    next: str | None = Field(
        default=None, description="The `cursor` of the next page; null on the last one.", examples=["9QJ2b1nTk3hbIk"]
    )

    def of(self, view: Callable[[T], U]) -> "Page[U]":
        """The same page, each item seen another way."""
        return Page[U](items=[view(item) for item in self.items], next=self.next)


@dataclass(frozen=True)
class Filter:
    """How a parameter narrows a list: the field that it looks at, and what it asks of that field."""

    field: str
    condition: Callable[[Any], Any]


def equals(field: str) -> Filter:
    """The field is the value; of a list field, one of its items is."""
    return Filter(field, _stored)


def any_of(field: str) -> Filter:
    """The field is one of the values (the parameter is a list, and is given many times)."""
    return Filter(field, lambda values: {"$in": [_stored(value) for value in values]})


def prefix(field: str) -> Filter:
    """The field, stored through :func:`fold`, begins with the text."""
    return Filter(field, lambda text: {"$regex": "^" + re.escape(fold(text)).replace("\0", r"\x00")})


def at_least(field: str) -> Filter:
    """The field is the value or more."""
    return Filter(field, lambda value: {"$gte": _stored(value)})


def below(field: str) -> Filter:
    """The field is less than the value."""
    return Filter(field, lambda value: {"$lt": _stored(value)})


def fold(text: str) -> str:
    """A text as it is stored to be found and sorted by: without case, and with one spelling of each letter."""
    return unicodedata.normalize("NFC", text).casefold()


class Listing(BaseModel):
    """What every list can be asked. A subclass declares ``sorts`` (name to field), ``sort`` and its filters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sorts: ClassVar[Mapping[str, str]]

    limit: int = Field(default=50, ge=1, le=LIMIT_MAX, description="How many items a page has at most.")
    cursor: str | None = Field(default=None, max_length=4_096, description="`next` of the page before this one.")
    sort: Any

    async def page(
        self, collection: AsyncCollection[Document], base: Document, *, without: Sequence[str] = ()
    ) -> Page[Document]:
        """The page that was asked for, of the documents that match ``base`` too, ``without`` some of their fields.

        :raises Rejected: when the cursor is not one of this list, this order and these filters, or a filter's value is
            none that the store can hold.
        """
        field, order = self._order()
        narrowed = [base, *self._conditions()]
        if self.cursor is not None:
            narrowed.append(_beyond(field, order, *self._position(self.cursor)))
        projection = dict.fromkeys(without, 0) or None
        found = (
            collection.find({"$and": narrowed}, projection).sort([(field, order), ("_id", order)]).limit(self.limit + 1)
        )
        documents = await found.to_list(self.limit + 1)
        items, more = documents[: self.limit], len(documents) > self.limit
        return Page[Document](items=items, next=self._cursor(items[-1], field) if more else None)

    def _order(self) -> tuple[str, int]:
        name = str(self.sort)
        return self.sorts[name.removeprefix("-")], DESCENDING if name.startswith("-") else ASCENDING

    def _conditions(self) -> list[Document]:
        conditions: list[Document] = []
        for name, declared in type(self).model_fields.items():
            value = getattr(self, name)
            if value is None or value == []:
                continue
            marks = [mark for mark in declared.metadata if isinstance(mark, Filter)]
            try:
                conditions += [{mark.field: mark.condition(value)} for mark in marks]
            except OverflowError:
                raise Rejected("request-invalid", field=name) from None
        return conditions

    def _cursor(self, last: Document, field: str) -> str:
        value: Any = last
        for part in field.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        position = json.dumps([_written(value), last["_id"]], separators=(",", ":"))
        return base64.urlsafe_b64encode(self._seal(position) + position.encode()).decode().rstrip("=")

    def _position(self, cursor: str) -> tuple[Any, str]:
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            position = raw[8:].decode()
            if raw[:8] != self._seal(position):
                raise ValueError("of another list")
            written, identity = json.loads(position)
            if not isinstance(identity, str):
                raise ValueError("an id is text")
            return _read(written), _read(identity)
        except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
            raise Rejected("cursor-wrong", field="cursor") from None

    def _seal(self, position: str) -> bytes:
        """Binds a cursor to its list, order and filters. No secret: a forged cursor only starts elsewhere in what the
        caller may see anyway, for ``base`` always holds, and :func:`_read` lets nothing but plain values through."""
        asked = self.model_dump_json(exclude={"limit", "cursor"})
        return hashlib.sha256(f"{type(self).__qualname__}\n{asked}\n{position}".encode()).digest()[:8]


def _beyond(field: str, order: int, value: Any, identity: str) -> Document:
    """Documents after the one with this sort value and id. A missing value counts as null, which is before all others;
    MongoDB's ``$gt`` and ``$lt`` compare within one type only, so that null needs words of its own."""
    step = "$gt" if order == ASCENDING else "$lt"
    same: Document = {field: value, "_id": {step: identity}}
    if order == ASCENDING:
        return {"$or": [{field: {"$ne": None} if value is None else {"$gt": value}}, same]}
    return same if value is None else {"$or": [{field: {"$lt": value}}, {field: None}, same]}


def _stored(value: Any) -> Any:
    """A parameter's value as the documents hold it.

    :raises OverflowError: when BSON has no room for it.
    """
    match value:
        case UUID():
            return str(value)
        case Enum():
            return value.value
        case datetime() if value.tzinfo:
            return value.astimezone(UTC)
        case int() if not -(2**63) <= value < 2**63:
            raise OverflowError(f"{value.bit_length()} bits")
        case _:
            return value


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return {"at": aware.isoformat()}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"a list cannot be sorted by a {type(value).__name__}")


def _read(written: Any) -> Any:
    """A value of a cursor, when the store can hold such a one."""
    match written:
        case {"at": str(text), **rest} if not rest:
            return datetime.fromisoformat(text).astimezone(UTC)
        case str():
            written.encode()  # half of a surrogate pair is no text
            return written
        case int() if abs(written) < 2**63:
            return written
        case None | float():
            return written
        case _:
            raise ValueError("not a value to sort by")
