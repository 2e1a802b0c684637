"""Things that the tests know: one invitation, and moments around it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from notifications.notification import AcceptNotification, Notification, NotificationAccepted, aggregate
from tyrsky_contracts.notifications import VisitInvitation

ID = UUID("0198a3c2-0000-7000-8000-000000000001")
VISIT = UUID("0198a3c2-0000-7000-8000-00000000cafe")
NOON = datetime(2026, 1, 20, 10, 0, tzinfo=UTC)
SOON = NOON + timedelta(minutes=1)
LATER = NOON + timedelta(hours=1)
VISIT_STARTS = datetime(2026, 2, 3, 7, 0, tzinfo=UTC)
IN_FIVE_DAYS = NOON + timedelta(days=5)

invitation = VisitInvitation(
    company_name="Hämeen Metallityö Oy", starts_at=VISIT_STARTS, ends_at=VISIT_STARTS + timedelta(minutes=90)
)


def request(**other: Any) -> AcceptNotification:
    """The invitation, or one that differs."""
    fields: dict[str, Any] = {
        "notification_id": ID,
        "now": NOON,
        "kind": "visit-invitation",
        "to_email": "teppo.virtanen@metalli.example",
        "to_name": "Teppo Virtanen",
        "language": "fi",
        "about": VISIT,
        "data": invitation,
    }
    return AcceptNotification(**{**fields, **other})


def accepted(**other: Any) -> NotificationAccepted:
    """What is remembered when the invitation was accepted."""
    fields = dict(request(**other))
    return NotificationAccepted(accepted_at=fields.pop("now"), **fields)


def notification(**other: Any) -> Notification:
    """The invitation once it was accepted."""
    found = aggregate.fold(None, [accepted(**other)])
    assert found is not None
    return found


def an_invitation(**other: Any) -> AcceptNotification:
    """An invitation of its own, accepted now, to a visit in two weeks."""
    now = datetime.now(UTC)
    starts_at = now + timedelta(days=14)
    data = VisitInvitation(company_name="Metalli Oy", starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    return request(**{"notification_id": uuid4(), "now": now, "data": data, **other})
