"""Who may be written to: what the contact says, and what the network has heard of the same address."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict
from tyrsky.rows import Rows, rows
from tyrsky.store import Loaded
from tyrsky_contracts.addresses import AddressHashes
from tyrsky_contracts.notifications import Language

from companies.api.contact_views import ContactView
from companies.contact_state import Contact
from companies.settings import Settings
from companies.views import Objected, objections


class Addressee(BaseModel):
    """Somebody who may be written to now."""

    model_config = ConfigDict(frozen=True)

    contact_id: UUID
    name: str
    email: str
    language: Language


class Objections:
    """What the network knows of those who want no messages. It is asked each time, so it cannot be out of date."""

    def __init__(self, known: Rows[Objected], hashes: AddressHashes) -> None:
        self._known = known
        self._hashes = hashes

    def hashes_of(self, *addresses: str | None) -> dict[str, str]:
        """The hash of each address, as the network is told."""
        return {address: self._hashes.of(address) for address in addresses if address}

    async def at(self, *addresses: str | None) -> datetime | None:
        """When whoever has one of these addresses last objected, in any college."""
        return _last((await self._known.get_all(self._known_as(*addresses))).values())

    async def seen(self, views: Sequence[ContactView]) -> list[ContactView]:
        """Contacts as they are shown: also with what other colleges' contacts with the same address have said."""
        hashes = [self._known_as(view.email, view.phone) for view in views]
        known = await self._known.get_all(set[str]().union(*hashes))
        return [
            view.objected(_last(known[hash] for hash in mine if hash in known))
            for view, mine in zip(views, hashes, strict=True)
        ]

    async def addressee(self, contact: Loaded[Contact]) -> Addressee | None:
        """Whom to write to, to be asked right before; None when nobody may or can be written to there."""
        state = contact.state
        if not state.email or not state.may_be_written_to(await self.at(state.email, state.phone)):
            return None
        return Addressee(contact_id=contact.id, name=state.name, email=state.email, language=state.language)

    def _known_as(self, *addresses: str | None) -> set[str]:
        return {hash for address in addresses if address for hash in self._hashes.known_as(address)}


def _last(known: Iterable[Objected]) -> datetime | None:
    return max((each.at for each in known if each.at), default=None)


async def objections_of_the_network(
    request: Request, known: Annotated[Rows[Objected], Depends(rows(objections))]
) -> Objections:
    """Dependency: :class:`Objections`."""
    settings: Settings = request.app.state.settings
    return Objections(known, AddressHashes([pepper.get_secret_value() for pepper in settings.address_peppers]))


NetworkObjections = Annotated[Objections, Depends(objections_of_the_network)]
