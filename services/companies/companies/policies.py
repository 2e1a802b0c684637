"""When this happened, then do that."""

from tyrsky.policies import Policies
from tyrsky_contracts.companies import VisitPlanned
from tyrsky_contracts.event import Envelope

from companies.contact import InviteContact

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
