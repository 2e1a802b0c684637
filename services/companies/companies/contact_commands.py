"""What can be asked of a contact. All moments and hashes come in with the commands."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from pydantic import AwareDatetime
from tyrsky.aggregate import Command
from tyrsky_contracts.addresses import AddressHash
from tyrsky_contracts.companies import ContactRole
from tyrsky_contracts.notifications import Language

from companies.contact_state import Basis, Consent, Email, How, PersonName, Phone, Source


class ContactCommand(Command):
    """What can be asked of a contact."""

    contact_id: UUID


class AddContact(ContactCommand):
    """Somebody new at a company."""

    now: AwareDatetime
    company_id: UUID
    name: PersonName
    role: ContactRole
    language: Language
    email: Email | None = None
    phone: Phone | None = None
    basis: Basis = "public-task"
    source: Source = "other"
    collected_on: date | None = None
    period_ends_on: date | None = None
    consent: Consent | None = None


class ChangeContact(ContactCommand):
    """Who the contact is, or how to reach them, is otherwise now. What is not set stays as it is. ``hashes`` has those
    of the new addresses, for one who objected."""

    now: AwareDatetime
    hashes: Mapping[str, AddressHash] = {}
    name: PersonName = ""
    role: ContactRole = "other"
    language: Language = "fi"
    email: Email | None = None
    phone: Phone | None = None
    basis: Basis = "public-task"
    source: Source = "other"
    collected_on: date | None = None
    period_ends_on: date | None = None


class GiveConsent(ContactCommand):
    """The person agreed to be written to."""

    now: AwareDatetime
    at: AwareDatetime
    how: How
    objected_in_network_at: AwareDatetime | None = None


class WithdrawConsent(ContactCommand):
    """The person agrees no more."""

    now: AwareDatetime
    at: AwareDatetime
    how: How


class ObjectToMessages(ContactCommand):
    """The person wants no messages, from nobody in the network. ``hashes`` has those of the contact's addresses."""

    now: AwareDatetime
    at: AwareDatetime
    how: How
    hashes: Mapping[str, AddressHash]


class UseContact(ContactCommand):
    """Somebody is in touch with the contact, who is kept for longer."""

    now: AwareDatetime


class EraseContact(ContactCommand):
    """Know nothing of the person any more."""

    now: AwareDatetime


class CheckRetention(ContactCommand):
    """Erase what was kept for as long as it may be."""

    now: AwareDatetime


class RecordCopiesErased(ContactCommand):
    """The service's copies of what was erased are gone too."""

    now: AwareDatetime
