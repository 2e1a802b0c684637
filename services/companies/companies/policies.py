"""When this happened, then do that."""

from tyrsky.policies import Policies
from tyrsky_contracts.companies import VisitPlanned
from tyrsky_contracts.event import Envelope

from companies.contact_commands import InviteContact, UseContact

policies = Policies()


@policies.when(VisitPlanned)
def invite_the_contact(event: VisitPlanned, about: Envelope) -> InviteContact | None:
    """A visit with a contact is told to that contact, who alone knows the address."""
    if event.contact_id is None:
        return None
    return InviteContact(
        contact_id=event.contact_id,
        visit_id=event.visit_id,
        company_name=event.company_name,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
    )


@policies.when(VisitPlanned)
def keep_who_is_visited(event: VisitPlanned, about: Envelope) -> UseContact | None:
    """A contact whom somebody visits is in use, and kept for longer."""
    return None if event.contact_id is None else UseContact(contact_id=event.contact_id, now=about.time)
