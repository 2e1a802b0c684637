"""Contacts erased when it is time, and the copies of what was erased: answers, and invitations that wait to be sent."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from tyrsky.drafting import Ask
from tyrsky.due import Due
from tyrsky.service import Service
from tyrsky.store import Loaded
from tyrsky_contracts.notifications import NotificationRequested

from companies import contact
from companies.contact_commands import CheckRetention, ContactCommand, RecordCopiesErased
from companies.contact_state import Contact

ASKING = {"visits": "state.contact_id"}
"""Collections whose aggregates ask that a contact be told something, and where they name the contact."""


class Erasing:
    """Looks after contacts that are due."""

    def __init__(self, service: Service) -> None:
        self._forgetting = service.forgetting
        self._decider = service.deciders.of(contact.aggregate)
        due: Due[Contact, ContactCommand] = Due(self._decider, service.settings.colleges, self.look_after)
        self.run, self.once = due.run, due.once

    async def look_after(self, found: Loaded[Contact]) -> None:
        """The copies of what was erased, or else what is to be erased."""
        now = datetime.now(UTC)
        if found.state.copies_due:
            await self._forget_copies(found)
            await self._carry_out(RecordCopiesErased(contact_id=found.id, now=now), found)
        else:
            await self._carry_out(CheckRetention(contact_id=found.id, now=now), found)

    async def _forget_copies(self, found: Loaded[Contact]) -> None:
        def nobody(kind: str, body: dict[str, Any]) -> dict[str, Any]:
            if kind != NotificationRequested.type or body.get("contact_id") != str(found.id):
                return body
            return {**body, "to_email": "", "to_name": "", "data": {**body["data"], "answer_url": None}}

        await self._forgetting.answers(found)
        for collection, field in ASKING.items():
            await self._forgetting.unpublished(collection, {"college": found.college, field: str(found.id)}, nobody)

    async def _carry_out(self, command: ContactCommand, found: Loaded[Contact]) -> None:
        await self._decider.carry_out(Ask(command, command_id(command, found), found.college))


def command_id(command: ContactCommand, found: Loaded[Contact]) -> UUID:
    """The same for whoever looks after the same."""
    return uuid5(found.id, f"{type(command).__name__} {found.state.due_at}")
