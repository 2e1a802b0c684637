"""Watches effects while they are under way: between which two looks an attempt began, and became unsure.

A service keeps no times of its attempts, and its clock may be wrong: the rig looks, again and again, by its own.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from notifications.settings import Settings as MailSettings
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.store import Document
from tyrsky.webhooks import Settings as WebhookSettings

from tests.faults.ledger import Ledger
from tests.faults.parts import Layout
from tests.faults.repeated import LATE_SECONDS, Sender

UNDER_WAY: Document = {"$or": [{"state.status": "sending"}, {"state.unsure": True}]}
FIELDS = {"state.status": 1, "state.attempts": 1, "state.unsure": 1}

AT_ONCE: dict[str, int] = {
    "notifications": MailSettings.model_fields["mail_at_once"].default,
    "seats": WebhookSettings.model_fields["webhook_at_once"].default,
}
"""How many effects an instance has in hand at most: the rig leaves these settings alone."""

WAYS_OUT = {"notifications": ("notifications-smtp", "SMTP_SECONDS"), "seats": ("seats-webhook", "WEBHOOK_SECONDS")}


def senders(layout: Layout) -> list[Sender]:
    """The services that do something outside."""
    found = list[Sender]()
    for service, (way_out, setting) in WAYS_OUT.items():
        seconds = float(layout.environment(service)[setting])
        found.append(Sender(service, layout.instances(service), AT_ONCE[service], seconds, way_out))
    return found


@dataclass(frozen=True)
class Seen:
    """An attempt that is under way: its number, and between which moments it was claimed."""

    number: int
    since: float
    until: float


class UnderWay:
    """What one sender has under way, from look to look."""

    def __init__(self, sender: Sender, ledger: Ledger) -> None:
        self.sender = sender
        self._ledger = ledger
        self._before = ledger.now()
        self._attempts: dict[str, Seen] = {}
        self._unsure: set[str] = set()
        self._looking = asyncio.Lock()

    async def look(self, database: AsyncDatabase[Document], collection: str) -> None:
        """Look once."""
        async with self._looking:
            began = self._ledger.now()
            found: list[dict[str, Any]] = await database[collection].find(UNDER_WAY, FIELDS).to_list()
            told = [(e["_id"], e["state"]["status"], e["state"]["attempts"], e["state"]["unsure"]) for e in found]
            self.seen(began, self._ledger.now(), told)

    def seen(self, began: float, ended: float, found: Iterable[tuple[str, str, int, bool]]) -> None:
        """What a look between these moments found: id, status, number of attempts, and whether it is unsure."""
        attempts: dict[str, Seen] = {}
        for id, status, number, unsure in found:
            before = self._attempts.get(id)
            if unsure and id not in self._unsure:
                self._unsure.add(id)
                self._note(id, before or Seen(number, self._before, ended), ended)
            if status == "sending":
                same = before is not None and before.number == number
                attempts[id] = before if before and same else Seen(number, self._before, ended)
        self._attempts, self._before = attempts, began

    def _note(self, id: str, attempt: Seen, ended: float) -> None:
        """It hurt between the claim and the longest that an attempt may take."""
        until = min(ended, attempt.until + self.sender.seconds + LATE_SECONDS)
        self._ledger.noted("unsure", service=self.sender.service, id=id, since=attempt.since, until=until)
