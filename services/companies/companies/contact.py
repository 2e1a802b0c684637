"""Somebody whom a college knows at a company: by which right, until when, and whether they may be written to.

Who it is stays in the college: the network learns that there is a contact, that somebody objects (by a hash of the
address), and that one was erased. All moments and hashes come in with the commands.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tyrsky.aggregate import Aggregate, Busy, Happening, Rejected, Unknown
from tyrsky_contracts.addresses import AddressHash, one_spelling
from tyrsky_contracts.companies import ContactAdded
from tyrsky_contracts.contacts import ContactErased, ContactObjected

from companies import retention
from companies.contact_commands import (
    AddContact,
    ChangeContact,
    CheckRetention,
    ContactCommand,
    EraseContact,
    GiveConsent,
    ObjectToMessages,
    RecordCopiesErased,
    UseContact,
    WithdrawConsent,
)
from companies.contact_state import (
    AddressesErased,
    Consent,
    ConsentGiven,
    ConsentWithdrawn,
    Contact,
    ContactDescribed,
    ContactForgotten,
    ContactKept,
    CopiesErased,
    ObjectionNoted,
    evolve,
)
from companies.register import search_keys

PERSON = (
    "company_id",
    "name",
    "role",
    "language",
    "email",
    "phone",
    "basis",
    "source",
    "collected_on",
    "period_ends_on",
)


def decide(contact: Contact | None, command: ContactCommand) -> Sequence[Happening]:  # noqa: C901 - a table in words
    """What a command comes to."""
    match contact, command:
        case None, AddContact():
            return _add(command)
        case None, _:
            raise Unknown("contact", command.contact_id)
        case Contact(erased_at=datetime()), _:
            return _of_erased(contact, command)
        case Contact(), AddContact():
            raise Rejected("contact-already-added")
        case Contact(), ChangeContact():
            return _change(contact, command)
        case Contact(), GiveConsent():
            return _consent(contact, command)
        case Contact(), WithdrawConsent():
            return _withdraw(contact, command)
        case Contact(), ObjectToMessages():
            return _object(contact, command)
        case Contact(), UseContact():
            until = _keep_until(contact, command.now)
            return [] if until == contact.keep_until else [ContactKept(keep_until=until)]
        case Contact(), EraseContact():
            return _erase(contact, command)
        case Contact(), CheckRetention():
            return _check_retention(contact, command)
        case Contact(), RecordCopiesErased():
            return _copies_erased(contact, command)
        case _:
            raise TypeError(f"a contact cannot {type(command).__name__}")


def _of_erased(contact: Contact, command: ContactCommand) -> Sequence[Happening]:
    match command:
        case RecordCopiesErased():
            return _copies_erased(contact, command)
        case EraseContact() | CheckRetention() | UseContact():
            return []  # asked for twice, or too late
        case _:
            raise Rejected("contact-erased", erased_at=contact.erased_at)


def _add(command: AddContact) -> Sequence[Happening]:
    described = _described(command.model_dump(include={*PERSON}), None, command.now)
    if command.basis == "consent" and command.consent is None:
        raise Rejected("consent-missing", field="consent")
    happened: list[Happening] = [described]
    if consent := command.consent:
        _not_in_the_future(consent.at, command.now, "consent")
        happened.append(ConsentGiven(at=consent.at, how=consent.how, keep_until=described.keep_until))
    added = ContactAdded(contact_id=command.contact_id, company_id=command.company_id, role=command.role)
    return [*happened, added]


def _change(contact: Contact, command: ChangeContact) -> Sequence[Happening]:
    given = command.model_dump(exclude_unset=True, include={*PERSON})
    before = contact.model_dump(include={*PERSON})
    if before | given == before:
        return []
    described = _described(before | given, contact, command.now)
    if described.basis == "consent" and contact.basis != "consent" and contact.consented_at is None:
        raise Rejected("consent-missing", field="basis")
    new = [each for each in (described.email, described.phone) if each and each not in (contact.email, contact.phone)]
    if contact.objection is None or not new:
        return [described]
    return [described, *_told(command.contact_id, new, command.hashes, contact.objection.at)]


def _described(person: dict[str, Any], before: Contact | None, now: datetime) -> ContactDescribed:
    addresses = [address for address in (person["email"], person["phone"]) if address]
    if not addresses and (before is None or before.email or before.phone):
        raise Rejected("contact-unreachable", field="email")
    if (collected := person["collected_on"]) and collected > now.date():
        raise Rejected("moment-in-the-future", field="collected_on")
    if ends_on := person["period_ends_on"]:
        if person["role"] != "workplace-instructor":
            raise Rejected("period-of-an-instructor", field="period_ends_on")
        if ends_on > retention.months_after(now.date(), 12 * retention.PERIOD_YEARS_MAX):
            raise Rejected("period-ends-too-far-ahead", field="period_ends_on", years=retention.PERIOD_YEARS_MAX)
        if addresses and retention.addresses_until(ends_on) <= now.date():
            raise Rejected("period-long-over", field="period_ends_on", months=retention.PERIOD_MONTHS)
    kept = _keep_until(before.but(basis=person["basis"]) if before else None, now)
    found_by = tuple(one_spelling(address) for address in addresses)
    name_keys = search_keys([person["name"]])
    return ContactDescribed(**person, name_keys=name_keys, found_by=found_by, keep_until=kept)


def _keep_until(contact: Contact | None, now: datetime) -> date:
    """Two years from now, and never for a shorter time than before; whose consent was the basis is kept no longer."""
    longer = retention.kept_until(now.date())
    if contact is None or contact.keep_until is None:
        return longer
    return contact.keep_until if _has_withdrawn(contact) else max(contact.keep_until, longer)


def _has_withdrawn(contact: Contact) -> bool:
    return contact.basis == "consent" and contact.consented_at is None


def _consent(contact: Contact, command: GiveConsent) -> Sequence[Happening]:
    _not_in_the_future(command.at, command.now, "at")
    before = contact.consent
    if before and contact.consented_at and (before.at, before.how) == (command.at, command.how):
        return []
    objected = contact.objected_at(command.objected_in_network_at)
    if objected and command.at <= objected:
        raise Rejected("consent-not-later", field="at", than=objected)
    if before and before.withdrawn_at and command.at <= before.withdrawn_at:
        raise Rejected("consent-not-later", field="at", than=before.withdrawn_at)
    given = contact.but(consent=Consent(at=command.at, how=command.how))
    return [ConsentGiven(at=command.at, how=command.how, keep_until=_keep_until(given, command.now))]


def _withdraw(contact: Contact, command: WithdrawConsent) -> Sequence[Happening]:
    _not_in_the_future(command.at, command.now, "at")
    if contact.consent is None:
        raise Rejected("consent-not-given")
    if contact.consented_at is None:
        return []  # said twice
    if command.at < contact.consent.at:
        raise Rejected("withdrawn-before-given", field="at", given_at=contact.consent.at)
    kept = contact.keep_until or retention.kept_until(command.now.date())
    if contact.basis == "consent":
        kept = min(kept, retention.withdrawn_until(command.now.date()))
    return [ConsentWithdrawn(at=command.at, how=command.how, keep_until=kept)]


def _object(contact: Contact, command: ObjectToMessages) -> Sequence[Happening]:
    _not_in_the_future(command.at, command.now, "at")
    if contact.objection and command.at <= contact.objection.at:
        return []  # said twice, or told late
    addresses = [address for address in (contact.email, contact.phone) if address]
    told = _told(command.contact_id, addresses, command.hashes, command.at)
    return [ObjectionNoted(at=command.at, how=command.how), *told]


def _told(
    contact_id: UUID, addresses: Sequence[str], hashes: Mapping[str, AddressHash], at: datetime
) -> Sequence[ContactObjected]:
    """What the network hears of an objection."""
    if not hashes.keys() >= {*addresses}:
        raise Busy  # the addresses were changed since they were looked up: to be asked for again
    return [ContactObjected(contact_id=contact_id, hash=hashes[address], at=at) for address in addresses]


def _erase(contact: Contact, command: EraseContact | CheckRetention) -> Sequence[Happening]:
    erased = ContactErased(contact_id=command.contact_id, company_id=contact.company_id)
    return [ContactForgotten(at=command.now), erased]


def _check_retention(contact: Contact, command: CheckRetention) -> Sequence[Happening]:
    today = command.now.date()
    if contact.keep_until is None:  # from before contacts had an end, and could be found by name
        return [_described(contact.model_dump(include={*PERSON}), contact, command.now)]
    if contact.keep_until <= today:
        return _erase(contact, command)
    if contact.addresses_until and contact.addresses_until <= today:
        return [AddressesErased(at=command.now)]
    return []


def _copies_erased(contact: Contact, command: RecordCopiesErased) -> Sequence[Happening]:
    if contact.copies_due is None or command.now < contact.copies_due:
        return []  # somebody else has looked
    return [CopiesErased(again_at=None if contact.copies_looked_for else command.now + retention.SETTLED)]


def _not_in_the_future(at: datetime, now: datetime, field: str) -> None:
    if at > now:
        raise Rejected("moment-in-the-future", field=field)


aggregate = Aggregate("contact", Contact, ContactCommand, decide, evolve, about=lambda id, contact: contact.company_id)
