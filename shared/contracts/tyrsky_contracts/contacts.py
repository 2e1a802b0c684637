"""Events on the topic ``companies`` that are about contacts' rights: ids, and hashes of addresses; never who it is."""

from uuid import UUID

from pydantic import AwareDatetime

from tyrsky_contracts.addresses import AddressHash
from tyrsky_contracts.event import Event


class ContactObjected(Event, type="tyrsky.contact.objected.v1"):
    """Somebody wants no messages. Who has the address, in whichever college, sends nothing to it; one event an address.

    It is never taken back: what the person consents to later is between them and the college that they told.
    """

    contact_id: UUID
    hash: AddressHash
    at: AwareDatetime


class ContactErased(Event, type="tyrsky.contact.erased.v1"):
    """A college holds nothing on somebody any more. Who has copies of what it told erases them."""

    contact_id: UUID
    company_id: UUID
