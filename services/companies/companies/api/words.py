"""What the routes of this service have in common: who may, and how texts and moments come in."""

import re
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request
from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic_core import PydanticKnownError
from tyrsky.auth import Caller, role
from tyrsky.catalogue import worded
from tyrsky.language import Language, preferred
from tyrsky.listing import Moment

Staff = Annotated[Caller, Depends(role("outreach", "coordinator", "admin"))]
"""Those whose work it is to be in touch with companies."""

Partner = Annotated[Caller, Depends(role("municipal-partner"))]
"""People of municipal business services: they see the visits that they were invited to."""

Person = Annotated[Caller, Depends(role("outreach", "coordinator", "admin", "municipal-partner"))]
"""Any of these."""


async def _language(request: Request) -> Language:
    return preferred(request.headers.get("Accept-Language"))


InLanguage = Annotated[Language, Depends(_language)]
"""The language that the caller wants to be answered in."""


def _in_seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _in_words(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and DAY.fullmatch(value)):
        return value
    raise PydanticKnownError("date_parsing", {"error": "not as RFC 3339 has it"})


DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Day = Annotated[date, BeforeValidator(_in_words)]
"""A day of the calendar, as RFC 3339 writes it. A number is none, nor a moment."""

Appointed = Annotated[Moment, AfterValidator(_in_seconds)]
"""A time to meet at, kept to the second: nobody plans a visit to the microsecond."""

Happened = Annotated[Moment, AfterValidator(_in_seconds)]
"""When somebody said something, kept to the second: the store's milliseconds would make it earlier than it was sent."""
Subject = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")]
"""A person by the id that the identity provider gives them (``sub`` of their token)."""

_BREAKS = r"\x00-\x1f\x7f\u2028-\u202e\u2066-\u2069"
_UNSEEN = (
    r"\s\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
)

Line = StringConstraints(
    strip_whitespace=True, min_length=1, pattern=f"^[^{_BREAKS}]*[^{_BREAKS}{_UNSEEN}][^{_BREAKS}]*$"
)
"""One line of text that can be seen, read from one side: what has line breaks, or turns the direction of what follows,
could pass for more than it is, in a mail's head for instance; what nobody sees, for nothing."""

Text = StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")
"""Text of several lines, without control characters."""

Municipality = Annotated[str, StringConstraints(pattern="^[0-9]{3}$"), worded("municipality-code-wrong")]
BusinessLine = Annotated[str, StringConstraints(pattern="^[0-9]{2,5}$"), worded("business-line-wrong")]

Region = Annotated[str, StringConstraints(pattern="^[0-9]{2}$"), worded("region-code-wrong")]

BusinessIdText = Annotated[str, StringConstraints(min_length=1, max_length=30)]
"""A business id as people paste it; see :func:`companies.register.parse_business_id`."""

BusinessIdInPath = Annotated[str, Path(max_length=30, description="A business id (Y-tunnus).", examples=["0100130-4"])]

AreaId = Annotated[UUID, Path(description="An area of the college.")]
CompanyId = Annotated[UUID, Path(description="A company in the college's care.")]
ContactId = Annotated[UUID, Path(description="A contact at one of them.")]
VisitId = Annotated[UUID, Path(description="A visit to one of them.")]
NeedId = Annotated[UUID, Path(description="A need of one of them.")]
PotentialId = Annotated[UUID, Path(description="What one of them could give to students.")]
FeedId = Annotated[UUID, Path(description="A person's calendar feed.")]
