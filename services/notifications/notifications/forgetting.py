"""Who a message was for, forgotten: when the contact was erased, or a while after the message came to its end."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from tyrsky.drafting import Ask
from tyrsky.due import Due
from tyrsky.policies import Policies
from tyrsky.service import Service
from tyrsky.store import Loaded
from tyrsky_contracts.contacts import ContactErased, ContactObjected
from tyrsky_contracts.event import Envelope
from tyrsky_contracts.topics import notification_requests

from notifications import notification
from notifications.notification import ADDRESS_KEPT, ForgetRecipient, Notification, NotificationCommand
from notifications.silence import ERASED, OBJECTED, Silence

GROUP = "notifications-forgetting"
REQUESTS = "notifications-policies"
"""Whose dead letters may be requests to tell an erased contact something."""

MESSAGES_MAX = 5_000
"""So many messages to one contact are found; those that are left are forgotten when they have ended for long enough."""


class Forgetting:
    """Looks after what is known of people here."""

    def __init__(self, service: Service, silence: Silence) -> None:
        self._silence = silence
        self._letters = service.letters
        self._decider = service.deciders.of(notification.aggregate)
        self._collection = self._decider.store.collection
        due: Due[Notification, NotificationCommand] = Due(
            self._decider, service.settings.colleges, self._forget, field="forget_at"
        )
        self.run, self.once = due.run, due.once
        self.policies = Policies(GROUP)
        self.policies.when(ContactErased)(self.forget_who_was_erased)
        self.policies.when(ContactObjected)(self.leave_alone_who_objects)

    async def prepare(self) -> None:
        """Messages that had ended before they had a day on which to be forgotten get one."""
        await self._collection.update_many(
            {"state.forget_at": {"$exists": False}, "state.ended_at": {"$gt": datetime.fromtimestamp(0, UTC)}},
            {"$set": {"state.forget_at": datetime.now(UTC) + ADDRESS_KEPT}},
        )

    async def forget_who_was_erased(self, event: ContactErased, about: Envelope) -> list[ForgetRecipient]:
        """In messages, sent or not, and in requests that nobody could take yet."""
        # First: whatever request is accepted after the look below is stopped by this.
        await self._silence.begin(about.college, event.contact_id, ERASED, about.time)
        contact = str(event.contact_id).encode()
        await self._letters.forget(REQUESTS, notification_requests.name, lambda body: contact in body)
        told = {"college": about.college, "state.contact_id": str(event.contact_id)}
        found = await self._collection.find(told, {"_id": 1}).sort("_id", 1).limit(MESSAGES_MAX).to_list(MESSAGES_MAX)
        return [ForgetRecipient(notification_id=UUID(each["_id"]), now=about.time) for each in found]

    async def leave_alone_who_objects(self, event: ContactObjected, about: Envelope) -> None:
        """What was asked for before is not sent any more; who asks after this has asked whether they may."""
        await self._silence.begin(about.college, event.contact_id, OBJECTED, about.time)

    async def _forget(self, found: Loaded[Notification]) -> None:
        command = ForgetRecipient(notification_id=found.id, now=datetime.now(UTC))
        await self._decider.carry_out(Ask(command, uuid5(found.id, "forget the recipient"), found.college))
