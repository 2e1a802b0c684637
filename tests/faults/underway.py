"""Watches effects while they are under way: between which two looks an attempt began, and became unsure.

A service keeps no times of its attempts, and its clock may be wrong: the rig looks, again and again, by its own.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from notifications.settings import Settings as MailSettings
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.store import Document
from tyrsky.webhooks import Settings as WebhookSettings

from tests.faults.ledger import Ledger
from tests.faults.parts import Layout
from tests.faults.repeated import LATE_SECONDS, Sender

UNDER_WAY: Document = {"state.status": "sending"}
UNSURE: Document = {"state.unsure": True}
FIELDS = {"state.status": 1, "state.attempts": 1, "state.unsure": 1}

AT_ONCE: dict[str, int] = {
    "notifications": MailSettings.model_fields["mail_at_once"].default,
    "seats": WebhookSettings.model_fields["webhook_at_once"].default,
}
"""How many effects an instance has in hand at most: the rig leaves these settings alone."""

WAYS_OUT = {"notifications": ("notifications-smtp", "SMTP_SECONDS"), "seats": ("seats-webhook", "WEBHOOK_SECONDS")}


LOAD_MAX = 0.05
"""How much of the time it takes to look at all effects."""


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
        self._all_before = self._before
        self._all_at = 0.0
        self._looking = asyncio.Lock()

    async def look(self, database: AsyncDatabase[Document], collection: str, *, all: bool = False) -> None:
        """Look once: at what is under way, and at what was when it was looked at last; and, for those that were not
        under way at any look, at ``all`` now and then: that reads the whole collection."""
        effects = database[collection]
        async with self._looking:
            began = self._ledger.now()
            found = await _found(effects, UNDER_WAY)
            still = {id for id, *_ in found}
            found += await _found(effects, {"_id": {"$in": [id for id in self._attempts if id not in still]}})
            self.seen(began, self._ledger.now(), found)
            began = self._ledger.now()
            if all or began >= self._all_at:
                found = await _found(effects, UNSURE)
                ended = self._ledger.now()
                self.all_seen(began, ended, [(id, number) for id, _, number, _ in found])
                self._all_at = ended + (ended - began) / LOAD_MAX

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

    def all_seen(self, began: float, ended: float, found: Iterable[tuple[str, int]]) -> None:
        """What a look at all found between these moments: the ids that are unsure, and their numbers of attempts."""
        for id, number in found:
            if id not in self._unsure:
                self._unsure.add(id)
                self._note(id, self._attempts.get(id) or Seen(number, self._all_before, ended), ended)
        self._all_before = began

    def _note(self, id: str, attempt: Seen, ended: float) -> None:
        """It hurt between the claim and the longest that an attempt may take."""
        until = min(ended, attempt.until + self.sender.seconds + LATE_SECONDS)
        self._ledger.noted("unsure", service=self.sender.service, id=id, since=attempt.since, until=until)


async def _found(effects: AsyncCollection[Document], which: Document) -> list[tuple[str, str, int, bool]]:
    found: list[dict[str, Any]] = await effects.find(which, FIELDS).to_list()
    return [(e["_id"], e["state"]["status"], e["state"]["attempts"], e["state"]["unsure"]) for e in found]
