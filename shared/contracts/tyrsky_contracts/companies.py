"""Events on the topic ``companies``: companies in a college's care, their contacts, and the visits made to them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from tyrsky_contracts.event import BusinessId, Event

Situation = Literal["active", "bankrupt", "in-liquidation", "in-restructuring", "ceased"]
ContactRole = Literal["workplace-instructor", "decision-maker", "other"]
Need = Literal["guidance-competence", "recruitment", "training", "cooperation", "training-agreement", "apprenticeship"]
Manner = Literal["on-site", "remote", "phone"]
"""How a company is visited."""

CompanyName = Annotated[str, Field(min_length=1, max_length=300)]
RegisterWords = Annotated[str, Field(min_length=1, max_length=300)]
"""Words as the business register writes them."""

Tag = Annotated[str, StringConstraints(pattern=r"^[^@]{1,40}$")]
"""A college's own label of a company. It is seen by the whole network: never about a person."""


class CompanyRegistered(Event, type="tyrsky.company.registered.v1"):
    """A college took a company into its care."""

    company_id: UUID
    business_id: BusinessId
    name: CompanyName
    municipality: RegisterWords | None = None
    business_line: RegisterWords | None = None
    business_line_codes: Literal["TOL2008", "TOL2025"] | None = None
    situation: Situation = "active"


class CompanyTagged(Event, type="tyrsky.company.tagged.v1"):
    """The college's own labels of a company were replaced."""

    company_id: UUID
    tags: Annotated[tuple[Tag, ...], Field(max_length=20)]


class ContactAdded(Event, type="tyrsky.contact.added.v1"):
    """A company has a contact; who it is stays in the college."""

    contact_id: UUID
    company_id: UUID
    role: ContactRole


class VisitPlanned(Event, type="tyrsky.visit.planned.v1"):
    """Staff of a college will visit a company."""

    visit_id: UUID
    company_id: UUID
    business_id: BusinessId
    company_name: CompanyName
    contact_id: UUID | None = None
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class VisitMoved(Event, type="tyrsky.visit.moved.v1"):
    """A planned visit got another time."""

    visit_id: UUID
    company_id: UUID
    business_id: BusinessId
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class VisitCancelled(Event, type="tyrsky.visit.cancelled.v1"):
    """A planned visit will not be made."""

    visit_id: UUID
    company_id: UUID
    business_id: BusinessId


class VisitRecorded(Event, type="tyrsky.visit.recorded.v1"):
    """A visit was made, and what the company needs was charted. ``joint``: municipal business services came along."""

    visit_id: UUID
    company_id: UUID
    business_id: BusinessId
    visited_at: AwareDatetime
    needs: Annotated[tuple[Need, ...], Field(max_length=20)] = ()
    manner: Manner = "on-site"
    joint: bool = False
