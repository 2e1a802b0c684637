"""Who is told of a visit by mail, and by which link they answer."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.links import new_key
from tyrsky.store import Loaded

from companies.api.contacts import Contacts
from companies.company import Company
from companies.contact import Contact
from companies.settings import Settings
from companies.visit_commands import Addressee, Visited

PATH = "/visits/answer/{visit_id}/{answer_key}"


def may_be_written_to(contact: Contact) -> bool:
    """Whether a contact is told of visits by mail. This is the one place that is asked, before each such mail."""
    return contact.email is not None


def visited(company: Loaded[Company]) -> Visited:
    """What a visit keeps of the company that it is made to."""
    municipality = company.state.municipality or ""
    return Visited(
        company_id=company.id,
        business_id=company.state.business_id,
        name=company.state.name,
        municipality=municipality if len(municipality) == 3 and municipality.isdecimal() else None,
    )


class Inviting:
    """Finds the contact of a visit and makes their link."""

    def __init__(self, contacts: Contacts, request: Request) -> None:
        self._contacts = contacts
        self._settings: Settings = request.app.state.settings

    async def at(self, company_id: UUID, contact_id: UUID | None) -> Loaded[Contact] | None:
        """The contact that is named, when it is one of the company's.

        :raises Rejected: ``contact-unknown``, ``contact-of-another-company``.
        """
        if contact_id is None:
            return None
        contact = await self._contacts.get(contact_id)
        if contact.state.company_id != company_id:
            raise Rejected("contact-of-another-company", field="contact_id")
        return contact

    async def known(self, contact_id: UUID | None) -> Loaded[Contact] | None:
        """The contact, if there still is one."""
        try:
            return None if contact_id is None else await self._contacts.get(contact_id)
        except Unknown:
            return None

    def addressee(self, visit_id: UUID, contact: Loaded[Contact] | None) -> Addressee | None:
        """Whom to tell, with a new link; None when nobody is to be written to."""
        if contact is None or contact.state.email is None or not may_be_written_to(contact.state):
            return None
        key = new_key()
        path = PATH.format(visit_id=visit_id, answer_key=key)
        return Addressee(
            name=contact.state.name,
            email=contact.state.email,
            language=contact.state.language,
            answer_key=key,
            answer_url=f"{self._settings.public_url}{path}?lang={contact.state.language}",
        )


async def _inviting(contacts: Contacts, request: Request) -> Inviting:
    return Inviting(contacts, request)


Invitations = Annotated[Inviting, Depends(_inviting)]
