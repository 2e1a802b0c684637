"""When this happened, then do that."""

from tyrsky.policies import Policies
from tyrsky_contracts.companies import CompanyMerged, CompanyTouched, CompanyUnmerged, VisitPlanned, VisitRecorded
from tyrsky_contracts.event import Envelope

from companies.company import ReachStage
from companies.contact_commands import InviteContact, UseContact
from companies.merging import MergeInto

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


@policies.when(CompanyTouched)
def come_to_contacted(event: CompanyTouched, about: Envelope) -> ReachStage:
    """Who was in touch has come that far."""
    return ReachStage(company_id=event.company_id, stage="contacted", at=event.touched_at, because="company.touched")


@policies.when(VisitRecorded)
def come_to_visited(event: VisitRecorded, about: Envelope) -> ReachStage:
    """Who was there has come that far."""
    return ReachStage(company_id=event.company_id, stage="visited", at=event.visited_at, because="visit.recorded")


@policies.when(CompanyMerged)
def tell_the_absorbed(event: CompanyMerged, about: Envelope) -> MergeInto:
    """A company that goes on as another one knows as which."""
    return MergeInto(company_id=event.absorbed, into=event.company_id)


@policies.when(CompanyUnmerged)
def tell_the_released(event: CompanyUnmerged, about: Envelope) -> MergeInto:
    """A company that is another one after all goes on as itself."""
    return MergeInto(company_id=event.released, into=None)
