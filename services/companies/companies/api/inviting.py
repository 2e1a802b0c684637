"""Who is told of a visit by mail, and by which link they answer."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.links import new_key
from tyrsky.store import Loaded

from companies.api.companies import together
from companies.api.contacts import Contacts
from companies.api.objections import NetworkObjections, Objections
from companies.company import Company
from companies.settings import Settings
from companies.visit_commands import Addressee, Visited

PATH = "/visits/answer/{visit_id}/{answer_key}"


def visited(company: Loaded[Company]) -> Visited:
    """What a visit keeps of the company that it is made to. The name of one that was added by hand may be a
    person's."""
    municipality = company.state.municipality or ""
    return Visited(
        company_id=company.id,
        business_id=company.state.business_id,
        name=company.state.name,
        name_is_public=company.state.origin == "register",
        municipality=municipality if len(municipality) == 3 and municipality.isdecimal() else None,
    )


class Inviting:
    """Finds the contact of a visit, asks whether they may be written to, and makes their link."""

    def __init__(self, contacts: Contacts, objections: Objections, request: Request) -> None:
        self._contacts = contacts
        self._objections = objections
        self._settings: Settings = request.app.state.settings

    async def check(self, company: Loaded[Company], contact_id: UUID | None) -> None:
        """Refuse a contact that is not one of the company's, nor of those that it absorbed.

        :raises Rejected: ``contact-unknown``, ``contact-of-another-company``.
        """
        if contact_id is None:
            return
        contact = await self._contacts.get(contact_id)
        if str(contact.state.company_id) not in together(company):
            raise Rejected("contact-of-another-company", field="contact_id")

    async def addressee(self, visit_id: UUID, contact_id: UUID | None) -> Addressee | None:
        """Whom to tell, with a new link; None when there is nobody, or nobody who may be written to."""
        try:
            contact = None if contact_id is None else await self._contacts.get(contact_id)
        except Unknown:
            return None
        told = await self._objections.addressee(contact) if contact else None
        if told is None:
            return None
        key = new_key()
        path = PATH.format(visit_id=visit_id, answer_key=key)
        url = f"{self._settings.public_url}{path}?lang={told.language}"
        return Addressee(**dict(told), answer_key=key, answer_url=url)


async def _inviting(contacts: Contacts, objections: NetworkObjections, request: Request) -> Inviting:
    return Inviting(contacts, objections, request)


Invitations = Annotated[Inviting, Depends(_inviting)]
