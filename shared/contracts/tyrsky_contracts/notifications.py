"""Events on ``notification-requests`` (private: it carries addresses) and ``notifications`` (what became of them)."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from tyrsky_contracts.companies import Manner
from tyrsky_contracts.event import Event

Language = Literal["fi", "sv", "en"]
NotificationKind = Literal["visit-invitation"]

Words = Annotated[str, Field(min_length=1, max_length=300)]

Reason = Annotated[str, StringConstraints(pattern=r"^([245]\.[0-9]{1,3}\.[0-9]{1,3}|[a-z][a-z0-9-]{1,39})$")]
"""An enhanced status code (RFC 3463), such as ``5.1.1``, or a word; what a server said in prose may hold an address."""

AnswerUrl = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=500)]


class VisitInvitation(BaseModel):
    """What an invitation to a visit needs, or the news that the visit was moved or cancelled (``change``); the visit's
    id is the request's ``about``.

    ``revision`` counts the visit's changes from 0, so that a calendar knows the newer message. ``answer_url`` confirms
    or declines, by its key: whoever has it may answer.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    company_name: Words
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    revision: Annotated[int, Field(ge=0)] = 0
    manner: Manner = "on-site"
    change: Literal["moved", "cancelled"] | None = None
    answer_url: AnswerUrl | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at is not after starts_at")
        return self


class NotificationRequested(Event, type="tyrsky.notification.requested.v1"):
    """Somebody is to be told something. Private: it names a person, who is the contact ``contact_id`` of the college
    that asks: when that one is erased, so is this."""

    kind: NotificationKind
    contact_id: UUID | None = None
    to_email: Annotated[str, Field(max_length=254)]
    to_name: Annotated[str, Field(max_length=200)]
    language: Language
    about: UUID
    data: VisitInvitation


class NotificationSent(Event, type="tyrsky.notification.sent.v1"):
    """The receiving server took the message."""

    notification_id: UUID
    kind: NotificationKind
    about: UUID
    attempts: Annotated[int, Field(ge=1)]


class NotificationRefused(Event, type="tyrsky.notification.refused.v1"):
    """The message will not be sent. One that expired may never have been tried."""

    notification_id: UUID
    kind: NotificationKind
    about: UUID
    attempts: Annotated[int, Field(ge=0)]
    reason: Reason
