"""Somebody whom the tests of contacts know, and moments around them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from companies.contact import aggregate
from companies.contact_commands import (
    AddContact,
    ChangeContact,
    GiveConsent,
    ObjectToMessages,
    UseContact,
    WithdrawConsent,
)
from companies.contact_state import ConsentGiven, Contact, ContactDescribed, ObjectionNoted
from companies.register import search_keys
from tyrsky.aggregate import Happening
from tyrsky_contracts.addresses import AddressHashes
from tyrsky_contracts.companies import ContactAdded
from tyrsky_contracts.contacts import ContactErased, ContactObjected

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TWO_YEARS_ON = date(2028, 9, 1)
ID, COMPANY = uuid4(), uuid4()
EMAIL, PHONE = "aino@kahvila.example", "040 123 4567"

hashes = AddressHashes(["an-example-of-a-pepper-that-nobody-uses"])

PERSON: dict[str, Any] = {
    "company_id": COMPANY,
    "name": "Aino Esimerkki",
    "role": "workplace-instructor",
    "language": "fi",
    "email": EMAIL,
}

add = AddContact(contact_id=ID, now=NOON, **PERSON)


def described(**other: Any) -> ContactDescribed:
    """Aino, or Aino otherwise."""
    known: dict[str, Any] = {
        **PERSON,
        "phone": None,
        "name_keys": search_keys([other.get("name", PERSON["name"])]),
        "found_by": (f"email:{EMAIL}",),
        "basis": "public-task",
        "source": "other",
        "collected_on": None,
        "period_ends_on": None,
        "keep_until": TWO_YEARS_ON,
    }
    return ContactDescribed(**{**known, **other})


added = ContactAdded(contact_id=ID, company_id=COMPANY, role="workplace-instructor")
erased = ContactErased(contact_id=ID, company_id=COMPANY)


aino = (described(), added)
noted = ObjectionNoted(at=NOON, how="Soitti.")
consented = ConsentGiven(at=NOON, how="Lomake messuilla.", keep_until=TWO_YEARS_ON)
by_consent = (described(basis="consent"), consented, added)


def objected(address: str = EMAIL, at: datetime = NOON) -> ContactObjected:
    """What the network hears of an objection."""
    return ContactObjected(contact_id=ID, hash=hashes.of(address), at=at)


def objects(at: datetime = NOON, now: datetime = NOON, *addresses: str) -> ObjectToMessages:
    """Aino wants no messages."""
    known = {address: hashes.of(address) for address in addresses or (EMAIL,)}
    return ObjectToMessages(contact_id=ID, now=now, at=at, how="Soitti.", hashes=known)


def consents(at: datetime = NOON, now: datetime = NOON, **other: Any) -> GiveConsent:
    """Aino agrees to be written to."""
    return GiveConsent(contact_id=ID, now=now, at=at, how="Lomake messuilla.", **other)


def withdraws(at: datetime = NOON, now: datetime = NOON) -> WithdrawConsent:
    """Aino agrees no more."""
    return WithdrawConsent(contact_id=ID, now=now, at=at, how="Sähköposti.")


def use(now: datetime) -> UseContact:
    """Somebody is in touch with Aino."""
    return UseContact(contact_id=ID, now=now)


def change(now: datetime = NOON, **other: Any) -> ChangeContact:
    """Aino is otherwise."""
    return ChangeContact(contact_id=ID, now=now, **other)


def after(*happened: Happening) -> Contact:
    """Aino, after all that."""
    found = aggregate.fold(None, [described(), added, *happened])
    assert found is not None
    return found
