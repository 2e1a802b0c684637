"""When this happened, then do that."""

from collections.abc import Sequence

from tyrsky.policies import Policies
from tyrsky_contracts.companies import CompanyMerged, CompanyTouched, CompanyUnmerged, VisitPlanned, VisitRecorded
from tyrsky_contracts.event import Envelope
from tyrsky_contracts.needs import NeedClosed, PotentialAgreed

from companies.company import CountCooperation, ReachStage
from companies.contact_commands import UseContact
from companies.merging import MergeInto
from companies.need import ChartNeed, need_on_visit

policies = Policies()


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


@policies.when(PotentialAgreed)
def count_what_was_agreed(event: PotentialAgreed, about: Envelope) -> CountCooperation:
    """Places that are agreed upon are cooperation."""
    return CountCooperation(
        company_id=event.company_id, cause=event.potential_id, at=about.time, because="potential.agreed"
    )


@policies.when(NeedClosed)
def count_what_was_met(event: NeedClosed, about: Envelope) -> CountCooperation | None:
    """A need that was met is cooperation; one that was not, or went away, is none."""
    if event.outcome != "met":
        return None
    return CountCooperation(company_id=event.company_id, cause=event.need_id, at=about.time, because="need.met")


@policies.when(CompanyMerged)
def tell_the_absorbed(event: CompanyMerged, about: Envelope) -> MergeInto:
    """A company that goes on as another one knows as which."""
    return MergeInto(company_id=event.absorbed, into=event.company_id)


@policies.when(CompanyUnmerged)
def tell_the_released(event: CompanyUnmerged, about: Envelope) -> MergeInto:
    """A company that is another one after all goes on as itself."""
    return MergeInto(company_id=event.released, into=None)


@policies.when(VisitRecorded)
def chart_the_needs(event: VisitRecorded, about: Envelope) -> Sequence[ChartNeed]:
    """What a visit's record says that the company needs is charted; each need's id follows from the visit, so that a
    repeat charts nothing twice."""
    return [
        ChartNeed(
            need_id=need_on_visit(event.visit_id, kind),
            now=about.time,
            charted_at=event.visited_at,
            company_id=event.company_id,
            business_id=event.business_id,
            kind=kind,
            visit_id=event.visit_id,
        )
        for kind in event.needs
    ]
