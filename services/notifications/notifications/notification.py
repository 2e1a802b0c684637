"""A notification: one message to one person, sent once, and what became of it.

``accepted`` → ``sending`` → ``sent``, or ``refused`` (the receiving server said no for good), or ``expired``; a try
that fails for the moment leads back to ``accepted``, with a later ``due_at``.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field
from tyrsky.aggregate import Aggregate, Command, Erasure, Happening, PrivateEvent, Rejected, Unknown
from tyrsky.dispatches import Effective
from tyrsky.mail_address import is_mail_address
from tyrsky_contracts.event import Envelope
from tyrsky_contracts.notifications import (
    Language,
    NotificationKind,
    NotificationRefused,
    NotificationSent,
    Reason,
    VisitInvitation,
)

from notifications.kinds import KINDS, expires_at

ADDRESS_KEPT = timedelta(days=90)
"""So long after the end of it who a notification was for is known: as long as the network hears what became of it."""


ERASED = "recipient-erased"
"""Why a message to somebody who was erased is not sent."""


class Notification(Effective):
    """A message, and what became of it."""

    kind: NotificationKind
    contact_id: UUID | None = None
    to_email: str
    to_name: str
    language: Language
    about: UUID
    data: VisitInvitation
    accepted_at: AwareDatetime
    expires_at: AwareDatetime
    unsure: bool = False
    reason: str | None = None
    ended_at: AwareDatetime | None = None
    forget_at: AwareDatetime | None = None


class NotificationCommand(Command):
    """A wish about one notification."""

    notification_id: UUID
    now: AwareDatetime


class AcceptNotification(NotificationCommand):
    """Take a request on. ``request`` and ``traceparent`` join the sending, which comes later, to what led to it."""

    kind: NotificationKind
    contact_id: UUID | None = None
    to_email: Annotated[str, Field(max_length=254)]
    to_name: Annotated[str, Field(max_length=200)]
    language: Language
    about: UUID
    data: VisitInvitation
    request: Envelope | None = None
    traceparent: str | None = None


class StartSending(NotificationCommand):
    """Claim the notification for one attempt, until ``lease_until``. Of two senders, the attempt's number picks one.
    ``lost``: the attempt that is under way was seen to stand still for longer than any may take."""

    attempt: int
    lease_until: AwareDatetime
    lost: bool = False


class RecordSent(NotificationCommand):
    """The receiving server took the message."""

    attempt: int


class RecordDeferred(NotificationCommand):
    """The attempt failed for the moment. ``unsure``: the message was handed over, and no answer came."""

    attempt: int
    reason: Reason
    retry_at: AwareDatetime
    unsure: bool = False


class RecordRefused(NotificationCommand):
    """The receiving server will not take the message, ever."""

    attempt: int
    reason: Reason


class ForgetRecipient(NotificationCommand):
    """Do not know any more who it was for; what was not sent yet is not sent."""


class NotificationAccepted(PrivateEvent):
    """A request was taken on. Private: it names a person."""

    kind: NotificationKind
    contact_id: UUID | None = None
    to_email: str
    to_name: str
    language: Language
    about: UUID
    data: VisitInvitation
    accepted_at: AwareDatetime
    request: Envelope | None
    traceparent: str | None


class SendingStarted(PrivateEvent):
    """A sender claimed the notification."""

    attempt: int
    lease_until: AwareDatetime


class SendingLost(PrivateEvent):
    """An attempt came to no known end: the message may have been sent."""


class SendingDeferred(PrivateEvent):
    """An attempt failed for the moment."""

    reason: str
    retry_at: AwareDatetime


class SendingEnded(PrivateEvent):
    """Nothing more will be tried."""

    ended_at: AwareDatetime


class RecipientForgotten(Erasure):
    """Nobody knows any more who it was for."""


def decide(notification: Notification | None, command: NotificationCommand) -> Sequence[Happening]:
    """What a command leads to."""
    match notification, command:
        case None, AcceptNotification():
            return _accept(command)
        case None, _:
            raise Unknown("notification", command.notification_id)
        case Notification(), AcceptNotification():
            return []  # a request is delivered twice
        case Notification(), ForgetRecipient():
            return _forget(notification, command)
        case Notification(), StartSending():
            return _start(notification, command)
        case Notification(ended_at=None), RecordSent(attempt=attempt):
            # Whichever attempt it was: the message is out.
            return [SendingEnded(ended_at=command.now), _sent(notification, command.notification_id, attempt)]
        case Notification(status="sending", attempts=attempts), RecordDeferred(attempt=attempt) if attempt == attempts:
            return _defer(notification, command)
        case Notification(status="sending", attempts=attempts), RecordRefused(attempt=attempt) if attempt == attempts:
            forgotten = [RecipientForgotten()] if command.reason == ERASED else []
            return [*_end(notification, command, command.reason), *forgotten]
        case _:
            return []  # late news of an attempt that was given up


def _accept(command: AcceptNotification) -> Sequence[Happening]:
    accepted = NotificationAccepted(
        kind=command.kind,
        contact_id=command.contact_id,
        to_email=command.to_email,
        to_name=command.to_name,
        language=command.language,
        about=command.about,
        data=command.data,
        accepted_at=command.now,
        request=command.request,
        traceparent=command.traceparent,
    )
    if is_mail_address(command.to_email):
        return [accepted]
    # Accepted all the same: were it rejected, nobody would hear of an invitation that never came.
    return [accepted, *_end(evolve(None, accepted), command, "address-malformed")]


def _forget(notification: Notification, command: ForgetRecipient) -> Sequence[Happening]:
    ended = [] if notification.ended_at else _end(notification, command, ERASED)
    known = notification.to_email or notification.to_name or notification.forget_at
    return [*ended, RecipientForgotten()] if ended or known else []


def _start(notification: Notification, command: StartSending) -> Sequence[Happening]:
    if not notification.is_due(command.now, lost=command.lost) or command.attempt != notification.attempts + 1:
        raise Rejected("notification-not-due", field="attempt")
    lost = [SendingLost()] if notification.status == "sending" else []
    if lost and not KINDS[notification.kind].again_when_unsure:
        return [*lost, *_end(notification, command, "unsure")]
    if command.now >= notification.expires_at:
        return [*lost, *_end(notification, command, "expired")]
    return [*lost, SendingStarted(attempt=command.attempt, lease_until=command.lease_until)]


def _defer(notification: Notification, command: RecordDeferred) -> Sequence[Happening]:
    lost = [SendingLost()] if command.unsure else []
    if lost and not KINDS[notification.kind].again_when_unsure:
        return [*lost, *_end(notification, command, "unsure")]
    deferred = SendingDeferred(reason=command.reason, retry_at=command.retry_at)
    if command.retry_at >= notification.expires_at:
        return [*lost, deferred, *_end(notification, command, "expired")]
    return [*lost, deferred]


def _end(notification: Notification, command: NotificationCommand, reason: str) -> Sequence[Happening]:
    return [
        SendingEnded(ended_at=command.now),
        NotificationRefused(
            notification_id=command.notification_id,
            kind=notification.kind,
            about=notification.about,
            attempts=notification.attempts,
            reason=reason,
        ),
    ]


def _sent(notification: Notification, notification_id: UUID, attempt: int) -> NotificationSent:
    return NotificationSent(
        notification_id=notification_id, kind=notification.kind, about=notification.about, attempts=attempt
    )


def evolve(notification: Notification | None, happening: Happening) -> Notification:  # noqa: C901 - a table in words
    """The notification after ``happening``."""
    if isinstance(happening, NotificationAccepted):
        return Notification(
            status="accepted",
            due_at=happening.accepted_at,
            expires_at=expires_at(happening.kind, happening.data, happening.accepted_at),
            **dict(happening),
        )
    if notification is None:
        raise ValueError(f"{type(happening).__name__} before NotificationAccepted")
    match happening:
        case SendingStarted():
            return notification.but(status="sending", attempts=happening.attempt, due_at=happening.lease_until)
        case SendingLost():
            return notification.but(unsure=True)
        case SendingDeferred():
            return notification.but(status="accepted", due_at=happening.retry_at, reason=happening.reason)
        case SendingEnded():
            forget_at = happening.ended_at + ADDRESS_KEPT
            return notification.but(due_at=None, ended_at=happening.ended_at, forget_at=forget_at)
        case RecipientForgotten():
            data = notification.data.model_copy(update={"answer_url": None})  # whoever has the link may answer
            return notification.but(to_email="", to_name="", data=data, forget_at=None)
        case NotificationSent():
            return notification.but(status="sent", reason=None)
        case NotificationRefused(reason="expired"):
            return notification.but(status="expired", reason=notification.reason or "expired")
        case NotificationRefused():
            return notification.but(status="refused", reason=happening.reason)
        case _:
            raise TypeError(f"{type(happening).__name__} is not about a notification")


aggregate = Aggregate("notification", Notification, NotificationCommand, decide, evolve)
