"""When this happened, then do that."""

from collections.abc import Sequence

from tyrsky.policies import Policies
from tyrsky_contracts.companies import VisitRecorded
from tyrsky_contracts.event import Envelope

from companies.need import ChartNeed, need_on_visit

policies = Policies()


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
