"""What the business register says of a company in a college's care, and what changes when it says otherwise."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tyrsky.aggregate import Happening, State
from tyrsky_contracts.companies import (
    BusinessLineCodes,
    CompanyCeased,
    CompanyLineChanged,
    CompanyMoved,
    CompanyName,
    CompanyRenamed,
    CompanySituationChanged,
    RegisterWords,
    Situation,
)
from tyrsky_contracts.event import BusinessId


class Facts(State):
    """The register's words; of a company that was added by hand, the words of whoever did so."""

    name: CompanyName
    municipality: RegisterWords | None = None
    business_line: RegisterWords | None = None
    business_line_codes: BusinessLineCodes | None = None
    situation: Situation = "active"


def changes(company_id: UUID, business_id: BusinessId, known: Facts, now: Facts) -> Sequence[Happening]:
    """What happened to a company, when the register said ``known`` and says ``now``: each thing an event of its own."""
    which: dict[str, Any] = {"company_id": company_id, "business_id": business_id}
    happenings: list[Happening] = []
    if now.name != known.name:
        happenings.append(CompanyRenamed(**which, name=now.name))
    if now.municipality != known.municipality:
        happenings.append(CompanyMoved(**which, municipality=now.municipality))
    if (now.business_line, now.business_line_codes) != (known.business_line, known.business_line_codes):
        happenings.append(
            CompanyLineChanged(**which, business_line=now.business_line, business_line_codes=now.business_line_codes)
        )
    if now.situation != known.situation:
        ceased = now.situation == "ceased"
        happenings.append(
            CompanyCeased(**which) if ceased else CompanySituationChanged(**which, situation=now.situation)
        )
    return happenings
