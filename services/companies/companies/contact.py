"""Somebody whom a college knows at a company. Who it is stays in the college: the network learns that there is one."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown
from tyrsky_contracts.companies import CompanyName, ContactAdded, ContactRole
from tyrsky_contracts.notifications import Language, NotificationRequested, VisitInvitation

PersonName = Annotated[str, Field(min_length=1, max_length=200)]
Email = Annotated[str, Field(max_length=254)]
Phone = Annotated[str, Field(max_length=40)]

INVITED_KEPT = 100
"""So many of the last visits that a contact was invited to are remembered."""


class Contact(State):
    """A person at a company, and how to reach them."""

    company_id: UUID
    name: PersonName
    role: ContactRole
    language: Language
    email: Email | None = None
    phone: Phone | None = None
    invited_to: tuple[UUID, ...] = ()


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


class InviteContact(ContactCommand):
    """Ask the contact to receive a visit."""

    visit_id: UUID
    company_name: CompanyName
    starts_at: AwareDatetime
    ends_at: AwareDatetime


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
        case Contact(), InviteContact():
            return _invite(contact, command)
        case _:
            raise TypeError(f"a contact cannot {type(command).__name__}")


def _described(person: dict[str, Any]) -> ContactDescribed:
    described = ContactDescribed.model_validate(person)
    if described.email is None and described.phone is None:
        raise Rejected("contact-unreachable", field="email")
    return described


def _invite(contact: Contact, command: InviteContact) -> Sequence[Happening]:
    if contact.email is None or command.visit_id in contact.invited_to:
        return []  # staff will call; or it has been asked for already
    return [
        NotificationRequested(
            kind="visit-invitation",
            to_email=contact.email,
            to_name=contact.name,
            language=contact.language,
            about=command.visit_id,
            data=VisitInvitation(
                company_name=command.company_name, starts_at=command.starts_at, ends_at=command.ends_at
            ),
        )
    ]


def evolve(contact: Contact | None, event: Happening) -> Contact:
    """The contact after what happened."""
    match contact, event:
        case None, ContactDescribed():
            return Contact.model_validate(event.model_dump())
        case Contact(), ContactDescribed():
            return contact.but(**dict(event))
        case Contact(), ContactAdded():
            return contact  # what the network hears; who it is was said before
        case Contact(), NotificationRequested():
            return contact.but(invited_to=(*contact.invited_to, event.about)[-INVITED_KEPT:])
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this contact")


aggregate = Aggregate("contact", Contact, ContactCommand, decide, evolve, about=lambda id, contact: contact.company_id)
