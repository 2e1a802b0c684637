"""What a college remembers of somebody at a company, and what may happen to that."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from tyrsky.aggregate import Erasure, Happening, PrivateEvent, State
from tyrsky_contracts.companies import ContactAdded, ContactRole
from tyrsky_contracts.contacts import ContactErased, ContactObjected
from tyrsky_contracts.notifications import Language

from companies import retention

PersonName = Annotated[str, Field(min_length=1, max_length=200)]
Email = Annotated[str, Field(max_length=254)]
Phone = Annotated[str, Field(max_length=40)]
How = Annotated[str, Field(min_length=1, max_length=300)]
Basis = Literal["public-task", "legitimate-interest", "consent", "contract", "legal-obligation"]
"""The lawful basis, of those in GDPR art. 6(1)."""

Source = Literal["person-itself", "company-itself", "register", "website", "event", "survey", "colleague", "other"]


class Consent(BaseModel):
    """What the person agreed to: being written to. When, how, and until when."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    how: How
    withdrawn_at: AwareDatetime | None = None
    withdrawn_how: How | None = None


class Objection(BaseModel):
    """That the person wants no messages: since when, and how they said so."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    how: How


class Contact(State):
    """A person at a company. Of one that was erased nothing is left but the company, and when that was."""

    company_id: UUID
    name: str = ""
    role: ContactRole = "other"
    language: Language = "fi"
    email: Email | None = None
    phone: Phone | None = None
    name_keys: tuple[str, ...] = ()
    found_by: tuple[str, ...] = ()
    basis: Basis = "public-task"
    source: Source = "other"
    collected_on: date | None = None
    period_ends_on: date | None = None
    keep_until: date | None = None
    consent: Consent | None = None
    objection: Objection | None = None
    erased_at: AwareDatetime | None = None
    copies_due: AwareDatetime | None = None
    copies_looked_for: bool = False
    due_at: AwareDatetime | None = None

    @property
    def consented_at(self) -> datetime | None:
        """Since when there is a consent that holds."""
        return self.consent.at if self.consent and not self.consent.withdrawn_at else None

    @property
    def addresses_until(self) -> date | None:
        """When e-mail address and telephone number are erased, for an instructor of a period."""
        if self.period_ends_on is None or not (self.email or self.phone):
            return None
        return retention.addresses_until(self.period_ends_on)

    def may_be_written_to(self, objected_in_network_at: datetime | None = None) -> bool:
        """Whether a message may go out. An objection, here or in another college, ends with a later consent alone."""
        if self.erased_at or (self.basis == "consent" and not self.consented_at):
            return False
        objected = self.objected_at(objected_in_network_at)
        return objected is None or (self.consented_at is not None and self.consented_at > objected)

    def objected_at(self, in_network_at: datetime | None = None) -> datetime | None:
        """When the person last said, here or in another college, that they want no messages."""
        return max((at for at in (self.objection and self.objection.at, in_network_at) if at), default=None)


class ContactDescribed(PrivateEvent):
    """Who a contact is, from now on. Personal data: it never leaves the college."""

    company_id: UUID
    name: PersonName
    role: ContactRole
    language: Language
    email: Email | None
    phone: Phone | None
    name_keys: tuple[str, ...]
    found_by: tuple[str, ...]
    basis: Basis
    source: Source
    collected_on: date | None
    period_ends_on: date | None
    keep_until: date


class ConsentGiven(PrivateEvent):
    """The person agreed to be written to."""

    at: AwareDatetime
    how: How
    keep_until: date


class ConsentWithdrawn(PrivateEvent):
    """The person agrees no more."""

    at: AwareDatetime
    how: How
    keep_until: date


class ObjectionNoted(PrivateEvent):
    """The person wants no messages; how they said so stays in the college."""

    at: AwareDatetime
    how: How


class ContactKept(PrivateEvent):
    """The contact was in use, and is kept for longer."""

    keep_until: date


class AddressesErased(Erasure):
    """E-mail address and telephone number are gone; who it was is known for a while yet."""

    at: AwareDatetime


class ContactForgotten(Erasure):
    """Nothing personal is left."""

    at: AwareDatetime


class CopiesErased(PrivateEvent):
    """Nor in any copy that this service has; to be looked for once more ``again_at``, for what was being written."""

    again_at: AwareDatetime | None


def evolve(contact: Contact | None, event: Happening) -> Contact:
    """The contact after what happened."""
    after = _after(contact, event)
    return after.but(due_at=_due_at(after))


def _due_at(contact: Contact) -> datetime | None:
    """When somebody has to look after it next."""
    if contact.copies_due:
        return contact.copies_due
    days = [day for day in (contact.keep_until, contact.addresses_until) if day]
    return retention.midnight(min(days)) if days else None


def _after(contact: Contact | None, event: Happening) -> Contact:  # noqa: C901 - a table in words
    match contact, event:
        case None, ContactDescribed():
            return Contact.model_validate(event.model_dump())
        case None, _:
            raise TypeError(f"{type(event).__name__} does not happen to nobody")
        case Contact(), ContactDescribed():
            return contact.but(**dict(event))
        case Contact(), ContactAdded() | ContactObjected() | ContactErased():
            return contact  # what the network hears; what it means here was said before
        case Contact(), ConsentGiven():
            return contact.but(consent=Consent(at=event.at, how=event.how), keep_until=event.keep_until)
        case Contact(consent=Consent() as consent), ConsentWithdrawn():
            withdrawn = consent.model_copy(update={"withdrawn_at": event.at, "withdrawn_how": event.how})
            return contact.but(consent=withdrawn, keep_until=event.keep_until)
        case Contact(), ObjectionNoted():
            return contact.but(objection=Objection(at=event.at, how=event.how))
        case Contact(), ContactKept():
            return contact.but(keep_until=event.keep_until)
        case Contact(), AddressesErased():
            gone = contact.but(email=None, phone=None, found_by=(), period_ends_on=None)
            return gone.but(copies_due=event.at, copies_looked_for=False)
        case Contact(), ContactForgotten():
            return Contact(company_id=contact.company_id, erased_at=event.at, copies_due=event.at)
        case Contact(), CopiesErased():
            return contact.but(copies_due=event.again_at, copies_looked_for=event.again_at is not None)
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this contact")
