"""More events on the topic ``companies``: what a company answered to a planned visit."""

from uuid import UUID

from tyrsky_contracts.event import BusinessId, Event


class VisitConfirmed(Event, type="tyrsky.visit.confirmed.v1"):
    """The company will receive the visit, at the time that was last told."""

    visit_id: UUID
    company_id: UUID
    business_id: BusinessId


class VisitDeclined(Event, type="tyrsky.visit.declined.v1"):
    """The company cannot receive the visit at that time."""

    visit_id: UUID
    company_id: UUID
    business_id: BusinessId
