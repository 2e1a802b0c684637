"""What an event is: a frozen fact with a type, carried in an envelope.

An event holds ids and facts, never personal data. Everything that is the same for every event (who, when, in what
order) is in its :class:`Envelope`, which travels as CloudEvents 1.0 attributes in Kafka's headers (binary mode).
"""

import re
from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

CollegeCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,15}$")]
"""A college of the network: two to sixteen small letters and digits, such as ``vaao``."""

BusinessId = Annotated[str, StringConstraints(pattern=r"^[0-9]{7}-[0-9]$")]
"""A Finnish business id (Y-tunnus) in its written form; the check digit is the service's to verify."""

EVENT_TYPE = re.compile(r"^(?P<name>[a-z][a-z0-9]*(\.[a-z][a-z0-9-]*){2})\.v(?P<version>[1-9][0-9]*)$")
"""``<whose>.<aggregate>.<what happened>.v<version>``, such as ``tyrsky.visit.planned.v1``."""

Attribute = Annotated[str, Field(min_length=1, max_length=200)]


class Event(BaseModel):
    """Something that happened: ``class VisitPlanned(Event, type="tyrsky.visit.planned.v1")``.

    A reader ignores fields that it does not know, so that a version may gain optional ones.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str] = ""

    def __init_subclass__(cls, *, type: str = "") -> None:
        super().__init_subclass__()
        if not EVENT_TYPE.match(type):
            raise TypeError(f"{cls.__name__} has no type of the form tyrsky.visit.planned.v1, but {type!r}")
        cls.type = type

    def upcast(self) -> "Event | None":
        """The same fact in the next version; ``None`` says that this version is the newest.

        A class that answers with an event is retired: it is read for ever, and never published again.
        """
        return None


class Envelope(BaseModel):
    """CloudEvents 1.0 attributes and Tyrsky's extensions of one event.

    ``sequence`` counts the events of one aggregate from 1 without a gap. ``correlationid`` is the first cause (the
    request), ``causationid`` the nearest (the command's or event's id). ``traceparent`` is where the event was born.
    ``partitionkey`` (CloudEvents' partitioning extension) is Kafka's key where that is not the aggregate's id: what has
    the same is read in one order by all.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    type: Attribute
    source: Attribute
    subject: Attribute
    time: AwareDatetime
    college: CollegeCode
    sequence: Annotated[int, Field(ge=1)]
    correlationid: Attribute
    causationid: Attribute
    specversion: Literal["1.0"] = "1.0"
    dataschema: Attribute | None = None
    traceparent: Attribute | None = None
    partitionkey: Attribute | None = None

    def headers(self) -> list[tuple[str, bytes]]:
        """Kafka headers in CloudEvents binary mode: ``ce_<attribute>``, plus ``content-type``."""
        attributes = self.model_dump(mode="json", exclude_none=True)
        return [("content-type", b"application/json")] + [
            (f"ce_{name}", str(value).encode()) for name, value in attributes.items()
        ]

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | None]]) -> Self:
        """The envelope of a message.

        :raises pydantic.ValidationError: when an attribute is missing or malformed.
        """
        return cls.model_validate(
            {
                name.removeprefix("ce_"): value.decode("utf-8", "replace")
                for name, value in headers
                if name.startswith("ce_") and value is not None
            }
        )
