"""Events on the topic ``companies``: companies in a college's care, their contacts, and the visits made to them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from tyrsky_contracts.event import BusinessId, Event

Situation = Literal["active", "bankrupt", "in-liquidation", "in-restructuring", "ceased"]
BusinessLineCodes = Literal["TOL2008", "TOL2025"]
Stage = Literal["unknown", "contacted", "visited", "cooperating", "partner"]
"""How far a college has come with a company, in the order in which it comes."""

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
    business_line_codes: BusinessLineCodes | None = None
    situation: Situation = "active"


class CompanyTagged(Event, type="tyrsky.company.tagged.v1"):
    """The college's own labels of a company were replaced."""

    company_id: UUID
    tags: Annotated[tuple[Tag, ...], Field(max_length=20)]


class CompanyAdded(Event, type="tyrsky.company.added.v1"):
    """A college took a company into its care that the register's open data does not have, such as a sole trader.

    Its name is not told: it may be a person's.
    """

    company_id: UUID
    business_id: BusinessId
    municipality: RegisterWords | None = None
    business_line: RegisterWords | None = None
    business_line_codes: BusinessLineCodes | None = None


class CompanyRenamed(Event, type="tyrsky.company.renamed.v1"):
    """The register has another name for a company now."""

    company_id: UUID
    business_id: BusinessId
    name: CompanyName


class CompanyMoved(Event, type="tyrsky.company.moved.v1"):
    """The register has a company in another municipality now; in none that it knows, when it is null."""

    company_id: UUID
    business_id: BusinessId
    municipality: RegisterWords | None


class CompanyLineChanged(Event, type="tyrsky.company.line-changed.v1"):
    """The register has another line of business for a company now, or the same in another classification."""

    company_id: UUID
    business_id: BusinessId
    business_line: RegisterWords | None
    business_line_codes: BusinessLineCodes | None


class CompanySituationChanged(Event, type="tyrsky.company.situation-changed.v1"):
    """A company that goes on is in another situation now; one that ended is told by :class:`CompanyCeased`."""

    company_id: UUID
    business_id: BusinessId
    situation: Situation


class CompanyCeased(Event, type="tyrsky.company.ceased.v1"):
    """A company has ended, says the register."""

    company_id: UUID
    business_id: BusinessId


class CompanyStageReached(Event, type="tyrsky.company.stage-reached.v1"):
    """A college came further with a company: to what stage, when, and by what kind of event."""

    company_id: UUID
    business_id: BusinessId
    stage: Stage
    reached_at: AwareDatetime
    because: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.-]{1,99}$")]


class CompanyMerged(Event, type="tyrsky.company.merged.v1"):
    """Two of a college's companies turned out to be one: ``absorbed`` goes on as this one."""

    company_id: UUID
    business_id: BusinessId
    absorbed: UUID


class CompanyUnmerged(Event, type="tyrsky.company.unmerged.v1"):
    """A merger was taken back: ``released`` goes on by itself."""

    company_id: UUID
    business_id: BusinessId
    released: UUID


class CompanyTouched(Event, type="tyrsky.company.touched.v1"):
    """Somebody of a college was in touch with a company, otherwise than by a visit."""

    company_id: UUID
    business_id: BusinessId
    touched_at: AwareDatetime
    channel: Literal["call", "e-mail", "meeting"]


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
