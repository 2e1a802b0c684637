"""When somebody is to be told something, then take that on."""

from datetime import UTC, datetime
from uuid import uuid5

from tyrsky import tracing
from tyrsky.policies import Policies
from tyrsky_contracts.event import Envelope
from tyrsky_contracts.notifications import NotificationRequested

from notifications.notification import AcceptNotification

policies = Policies()


@policies.when(NotificationRequested)
def accept_the_request(event: NotificationRequested, about: Envelope) -> AcceptNotification:
    """One request is one notification, however often it is delivered: its id follows from the event's."""
    return AcceptNotification(
        notification_id=uuid5(about.id, "notification"),
        now=datetime.now(UTC),
        kind=event.kind,
        contact_id=event.contact_id,
        to_email=event.to_email,
        to_name=event.to_name,
        language=event.language,
        about=event.about,
        data=event.data,
        request=about,
        traceparent=tracing.traceparent(),
    )
