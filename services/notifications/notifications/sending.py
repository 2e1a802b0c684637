"""Mails as effects outside: each composed from its notification, handed to the mail server, and what became of it."""

import logging
from datetime import datetime

from tyrsky.effects import Outcome, Pace
from tyrsky.mail_address import is_mail_address
from tyrsky.pausing import Pauses
from tyrsky.store import Loaded

from notifications import notification
from notifications.mail import compose
from notifications.notification import (
    Notification,
    NotificationCommand,
    RecordDeferred,
    RecordRefused,
    RecordSent,
    StartSending,
)
from notifications.settings import Settings
from notifications.silence import Silence
from notifications.smtp import MailServer

log = logging.getLogger(__name__)


class Sending:
    """How a notification is sent: see :class:`tyrsky.effects.Effect`."""

    aggregate = notification.aggregate
    routers = ()  # it has its own
    indexes = (
        [("college", 1), ("state.accepted_at", 1), ("_id", 1)],
        [("college", 1), ("state.about", 1)],
        [("college", 1), ("state.contact_id", 1)],
        [("state.forget_at", 1), ("_id", 1)],
    )

    def __init__(self, settings: Settings, silence: Silence) -> None:
        self._settings = settings
        self._silence = silence
        self._server = MailServer(settings)
        self.pace = Pace(
            settings.mail_at_once,
            settings.smtp_seconds,
            settings.mail_poll_seconds,
            Pauses(settings.mail_retry_seconds, settings.mail_retry_seconds_max),
        )

    def claim(self, found: Loaded[Notification], now: datetime, lease_until: datetime) -> NotificationCommand:
        """The command that claims the next attempt."""
        attempt, lost = found.state.attempts + 1, found.state.status == "sending"
        return StartSending(notification_id=found.id, now=now, attempt=attempt, lease_until=lease_until, lost=lost)

    async def attempt(self, claimed: Loaded[Notification]) -> Outcome:
        """Hand the message over, once; unless its contact has been erased, or objects, since it was asked for."""
        if why := await self._silence.about(claimed):
            return Outcome("refused", why)
        if not is_mail_address(claimed.state.to_email):
            return Outcome("refused", "address-malformed")  # accepted when the rule was another
        try:
            message = compose(claimed.id, claimed.state, self._settings.sender(claimed.college))
        except Exception as error:
            # Ours to mend: a corrected template sends it after all.
            log.error("notification %s: cannot be composed: %s", claimed.id, type(error).__name__)
            return Outcome("deferred", "not-composed")
        return await self._server.hand_over(message)

    async def close(self) -> None:
        """Each message has a connection of its own."""

    def news(
        self, claimed: Loaded[Notification], outcome: Outcome, now: datetime, retry_at: datetime
    ) -> NotificationCommand:
        """The command that writes down what came of an attempt."""
        id, attempt = claimed.id, claimed.state.attempts
        match outcome.status:
            case "sent":
                return RecordSent(notification_id=id, now=now, attempt=attempt)
            case "refused":
                return RecordRefused(notification_id=id, now=now, attempt=attempt, reason=outcome.reason)
            case "deferred":
                return RecordDeferred(
                    notification_id=id,
                    now=now,
                    attempt=attempt,
                    reason=outcome.reason,
                    retry_at=retry_at,
                    unsure=outcome.unsure,
                )
