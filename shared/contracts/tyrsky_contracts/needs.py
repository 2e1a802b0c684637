"""More events on the topic ``companies``: what companies need, and what places they could give to students."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from tyrsky_contracts.companies import Need
from tyrsky_contracts.event import BusinessId, Event

Level = Annotated[int, Field(ge=1, le=5)]
"""How well workplace instructors can guide: 1 not yet, 2 beginning, 3 managing, 4 good, 5 exemplary."""

NeedOutcome = Literal["met", "not-met", "withdrawn"]

Form = Literal["training-agreement", "apprenticeship"]
"""The two forms of workplace-based learning: koulutussopimus, oppisopimus."""

FieldCodes = Literal["koulutusala-2016", "qualification"]
FieldOfStudy = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,6}$")]
"""A field of education (koulutusala 2016, two to four digits) or a qualification (five or six)."""

Places = Annotated[int, Field(ge=1, le=500)]
PotentialOutcome = Literal["lapsed", "withdrawn"]


class NeedCharted(Event, type="tyrsky.need.charted.v1"):
    """A company needs something that vocational education may give."""

    need_id: UUID
    company_id: UUID
    business_id: BusinessId
    kind: Need
    charted_at: AwareDatetime
    level: Level | None = None
    visit_id: UUID | None = None
    survey_id: UUID | None = None


class NeedAssessed(Event, type="tyrsky.need.assessed.v1"):
    """How well the company's workplace instructors can guide was looked at, again perhaps."""

    need_id: UUID
    company_id: UUID
    business_id: BusinessId
    level: Level


class NeedOffered(Event, type="tyrsky.need.offered.v1"):
    """The company was offered something for its need."""

    need_id: UUID
    company_id: UUID
    business_id: BusinessId
    kind: Need


class NeedClosed(Event, type="tyrsky.need.closed.v1"):
    """What became of a need."""

    need_id: UUID
    company_id: UUID
    business_id: BusinessId
    kind: Need
    outcome: NeedOutcome


class PotentialCharted(Event, type="tyrsky.potential.charted.v1"):
    """A company could give places to students of a field."""

    potential_id: UUID
    company_id: UUID
    business_id: BusinessId
    form: Form
    field_codes: FieldCodes
    field_of_study: FieldOfStudy
    places: Places
    starts_on: date
    ends_on: date
    visit_id: UUID | None = None
    survey_id: UUID | None = None


class PotentialConfirmed(Event, type="tyrsky.potential.confirmed.v1"):
    """The company said so itself, and how many, and when."""

    potential_id: UUID
    company_id: UUID
    business_id: BusinessId
    places: Places
    starts_on: date
    ends_on: date


class PotentialAgreed(Event, type="tyrsky.potential.agreed.v1"):
    """Of the places so many were agreed upon, in writing."""

    potential_id: UUID
    company_id: UUID
    business_id: BusinessId
    form: Form
    field_codes: FieldCodes
    field_of_study: FieldOfStudy
    places: Places


class PotentialClosed(Event, type="tyrsky.potential.closed.v1"):
    """Nothing came of it: its time went by, or the company took it back."""

    potential_id: UUID
    company_id: UUID
    business_id: BusinessId
    outcome: PotentialOutcome
