"""What was sent, to whom, and what became of it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from tyrsky.auth import Caller, role
from tyrsky.dispatches import Status
from tyrsky.handling import Handling, handling
from tyrsky.listing import Listing, Moment, Page, any_of, at_least, below, equals
from tyrsky.store import Loaded
from tyrsky_contracts.notifications import Language, NotificationKind

from notifications.notification import Notification, NotificationCommand, aggregate
from notifications.problems import problems

router = APIRouter(prefix="/notifications", tags=["notifications"])

Notifications = Annotated[Handling[Notification, NotificationCommand], Depends(handling(aggregate))]
By = Annotated[Caller, Depends(role("outreach", "coordinator", "admin", "operator"))]

SEE_RECIPIENTS = frozenset({"outreach", "coordinator", "admin"})


class Recipient(BaseModel):
    """Who a notification is for."""

    name: str
    email: str


class NotificationView(BaseModel):
    """One message to one person, and what became of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0198a3c2-7d10-7e3a-9b0a-3f8f6c1d2e4f",
                "kind": "visit-invitation",
                "about": "0198a3c2-6f20-7c1b-8d4e-5a6b7c8d9e0f",
                "change": None,
                "language": "fi",
                "status": "sent",
                "attempts": 1,
                "unsure": False,
                "reason": None,
                "accepted_at": "2026-01-20T10:00:00Z",
                "next_attempt_at": None,
                "ended_at": "2026-01-20T10:00:01Z",
                "to": {"name": "Teppo Virtanen", "email": "teppo.virtanen@metalli.example"},
            }
        }
    )

    id: UUID
    kind: NotificationKind
    about: UUID = Field(description="What it is about: of an invitation to a visit, the visit.")
    change: Literal["moved", "cancelled"] | None = Field(
        None, description="What is the news of an invitation that was sent before; null when it is the first."
    )
    language: Language
    status: Status
    attempts: int = Field(description="How many times it was tried.")
    unsure: bool = Field(description="An attempt ended without an answer of the mail server: it may have come twice.")
    reason: str | None = Field(
        description="Why it was not sent (yet): a mail server's enhanced status code, such as `5.1.1`, or a word."
    )
    accepted_at: AwareDatetime
    next_attempt_at: AwareDatetime | None = Field(description="When it is tried next; null when it is not.")
    ended_at: AwareDatetime | None = Field(description="When it was sent, refused or given up.")
    to: Recipient | None = Field(
        description="Null for those whose role is not to contact people, and when the person was erased since, or it "
        "has been ended for 90 days."
    )

    @classmethod
    def of(cls, loaded: Loaded[Notification], by: Caller) -> Self:
        """The notification as ``by`` may see it."""
        state = loaded.state
        sees_recipients = not by.roles.isdisjoint(SEE_RECIPIENTS)
        return cls(
            id=loaded.id,
            kind=state.kind,
            about=state.about,
            change=state.data.change,
            language=state.language,
            status=state.status,
            attempts=state.attempts,
            unsure=state.unsure,
            reason=state.reason,
            accepted_at=state.accepted_at,
            next_attempt_at=state.due_at if state.status == "accepted" else None,
            ended_at=state.ended_at,
            to=Recipient(name=state.to_name, email=state.to_email) if sees_recipients and state.to_email else None,
        )


class NotificationsAsked(Listing):
    """How the list of notifications can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"accepted_at": "state.accepted_at"}

    sort: Literal["accepted_at", "-accepted_at"] = Field("-accepted_at", description="By when it was accepted.")
    status: Annotated[list[Status], any_of("state.status")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )
    kind: Annotated[NotificationKind | None, equals("state.kind")] = Field(None, description="Of one kind.")
    about: Annotated[UUID | None, equals("state.about")] = Field(None, description="About one thing, such as a visit.")
    contact_id: Annotated[UUID | None, equals("state.contact_id")] = Field(None, description="To one contact.")
    accepted_from: Annotated[Moment | None, at_least("state.accepted_at")] = Field(
        None, description="Accepted then or later."
    )
    accepted_before: Annotated[Moment | None, below("state.accepted_at")] = Field(None, description="Accepted earlier.")


@router.get("", operation_id="listNotifications", summary="List notifications")
async def find(
    asked: Annotated[NotificationsAsked, Query()], notifications: Notifications, by: By
) -> Page[NotificationView]:
    """What the college has told to whom, the newest first."""
    page = await notifications.find(asked)
    return page.of(lambda loaded: NotificationView.of(loaded, by))


@router.get(
    "/{notification_id}",
    operation_id="getNotification",
    summary="One notification",
    responses=problems("notification-unknown"),
)
async def get(notification_id: UUID, notifications: Notifications, by: By) -> NotificationView:
    """What became of one notification."""
    return NotificationView.of(await notifications.get(notification_id), by)
