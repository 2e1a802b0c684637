"""What B4's topic is full of: visits that were recorded, five to a company."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from companies import testing
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.companies import VisitRecorded
from tyrsky_contracts.event import Envelope

VISITS_EACH = 5
NAMESPACE = UUID("0d9a0c6e-0000-4000-8000-000000000004")
BEGUN = datetime(2026, 1, 15, 12, tzinfo=UTC)

Said = tuple[bytes, list[tuple[str, bytes]], bytes]
"""Key, headers and body."""


def company_of(number: int, *, of: int) -> int:
    """The number of the company that one of so many visits was paid to."""
    return number % max(1, of // VISITS_EACH)


def said(seed: int, number: int, *, of: int, by: Codec) -> Said:
    """The event of one visit of so many."""
    visit, company = uuid5(NAMESPACE, f"{seed} {number}"), company_of(number, of=of)
    event = VisitRecorded(
        visit_id=visit,
        company_id=uuid5(NAMESPACE, f"company {company}"),
        business_id=testing.business_id(company),
        visited_at=BEGUN + timedelta(minutes=number),
    )
    envelope = Envelope(
        id=uuid5(visit, "recorded"),
        type=event.type,
        source="/colleges/vaao/visits",
        subject=str(visit),
        time=BEGUN,
        college="vaao",
        sequence=2,
        correlationid="a-request",
        causationid="a-command",
    )
    return str(visit).encode(), *by.encode(event, envelope)
