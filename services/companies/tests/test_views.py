"""What the network's events come to, and what they bring about."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from companies.contact_commands import InviteContact
from companies.policies import policies
from companies.views import Reach, reach
from tyrsky.projecting import Kept
from tyrsky_contracts.companies import VisitPlanned, VisitRecorded
from tyrsky_contracts.event import Envelope, Event

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def about(event: Event, subject: UUID, sequence: int = 2) -> Envelope:
    return Envelope(
        id=uuid4(),
        type=event.type,
        source="/colleges/vaao/visits",
        subject=str(subject),
        time=NOON,
        college="vaao",
        sequence=sequence,
        correlationid="c",
        causationid="c",
    )


def recorded(visited_at: datetime) -> VisitRecorded:
    return VisitRecorded(visit_id=uuid4(), company_id=uuid4(), business_id="0100130-4", visited_at=visited_at)


def planned(contact_id: UUID | None) -> VisitPlanned:
    return VisitPlanned(
        visit_id=uuid4(),
        company_id=uuid4(),
        business_id="0100130-4",
        company_name="Kahvila Oy",
        contact_id=contact_id,
        starts_at=NOON + DAY,
        ends_at=NOON + DAY + timedelta(hours=1),
    )


def test_a_company_is_reached_as_often_as_visits_were_made_whoever_made_them():
    kept = Kept[Reach]()
    for visited_at in (NOON, NOON + DAY, NOON - DAY):
        event = recorded(visited_at)
        kept = reach.fold(kept, event, about(event, event.visit_id))
    assert kept.row == Reach(visits=3, last_reached_at=NOON + DAY)
    assert reach.key_of(recorded(NOON)) == "0100130-4"


def test_a_visit_told_twice_is_one_visit():
    event = recorded(NOON)
    once = reach.fold(Kept[Reach](), event, about(event, event.visit_id))
    assert reach.fold(once, event, about(event, event.visit_id)) is once


async def test_a_visit_with_a_contact_invites_the_contact():
    event, contact_id = planned(contact := uuid4()), contact
    commands = {name: command for name, _, command in await policies.commands(event, about(event, event.visit_id, 1))}
    assert commands["invite_the_contact"] == InviteContact(
        contact_id=contact_id,
        visit_id=event.visit_id,
        company_name="Kahvila Oy",
        starts_at=event.starts_at,
        ends_at=event.ends_at,
    )


async def test_a_visit_without_a_contact_invites_nobody():
    event = planned(None)
    assert await policies.commands(event, about(event, event.visit_id, 1)) == []
