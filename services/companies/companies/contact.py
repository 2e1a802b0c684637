"""Somebody whom a college knows at a company. Who it is stays in the college: the network learns that there is one."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown
from tyrsky_contracts.companies import ContactAdded, ContactRole
from tyrsky_contracts.notifications import Language

PersonName = Annotated[str, Field(min_length=1, max_length=200)]
Email = Annotated[str, Field(max_length=254)]
Phone = Annotated[str, Field(max_length=40)]


class Contact(State):
    """A person at a company, and how to reach them."""

    company_id: UUID
    name: PersonName
    role: ContactRole
    language: Language
    email: Email | None = None
    phone: Phone | None = None


class ContactDescribed(PrivateEvent):
    """Who a contact is, from now on. Personal data: it never leaves the college."""

    company_id: UUID
    name: PersonName
    role: ContactRole
    language: Language
    email: Email | None
    phone: Phone | None


class ContactCommand(Command):
    """What can be asked of a contact."""

    contact_id: UUID


class AddContact(ContactCommand):
    """Somebody new at a company."""

    company_id: UUID
    name: PersonName
    role: ContactRole
    language: Language
    email: Email | None = None
    phone: Phone | None = None


class ChangeContact(ContactCommand):
    """Who the contact is, or how to reach them, is otherwise now. What is not set stays as it is."""

    name: PersonName = ""
    role: ContactRole = "other"
    language: Language = "fi"
    email: Email | None = None
    phone: Phone | None = None


def decide(contact: Contact | None, command: ContactCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match contact, command:
        case None, AddContact():
            added = ContactAdded(contact_id=command.contact_id, company_id=command.company_id, role=command.role)
            return [_described(command.model_dump()), added]
        case None, _:
            raise Unknown("contact", command.contact_id)
        case Contact(), AddContact():
            raise Rejected("contact-already-added")
        case Contact(), ChangeContact():
            described = _described(dict(contact) | command.model_dump(exclude_unset=True))
            return [] if evolve(contact, described) == contact else [described]
        case _:
            raise TypeError(f"a contact cannot {type(command).__name__}")


def _described(person: dict[str, Any]) -> ContactDescribed:
    described = ContactDescribed.model_validate(person)
    if described.email is None and described.phone is None:
        raise Rejected("contact-unreachable", field="email")
    return described


def evolve(contact: Contact | None, event: Happening) -> Contact:
    """The contact after what happened."""
    match contact, event:
        case None, ContactDescribed():
            return Contact.model_validate(event.model_dump())
        case Contact(), ContactDescribed():
            return contact.but(**dict(event))
        case Contact(), ContactAdded():
            return contact  # what the network hears; who it is was said before
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this contact")


aggregate = Aggregate("contact", Contact, ContactCommand, decide, evolve)
