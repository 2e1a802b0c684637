"""What the network hears of objections, and how long somebody who is visited is kept."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from companies.contact_commands import UseContact
from companies.policies import policies
from companies.views import Objected, objections
from tyrsky.projecting import Kept
from tyrsky_contracts.companies import VisitPlanned
from tyrsky_contracts.contacts import ContactObjected
from tyrsky_contracts.event import Envelope, Event

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HASH = "ab" * 32


def about(event: Event, subject: UUID, sequence: int = 2) -> Envelope:
    return Envelope(
        id=uuid4(),
        type=event.type,
        source="/colleges/sasky/contacts",
        subject=str(subject),
        time=NOON,
        college="sasky",
        sequence=sequence,
        correlationid="c",
        causationid="c",
    )


def objected(at: datetime) -> ContactObjected:
    return ContactObjected(contact_id=uuid4(), hash=HASH, at=at)


@pytest.mark.parametrize("order", list(itertools.permutations([NOON, NOON + DAY, NOON - DAY])))
def test_the_last_objection_counts_whichever_college_is_heard_of_first(order: tuple[datetime, ...]):
    kept = Kept[Objected]()
    for event in map(objected, order):
        kept = objections.fold(kept, event, about(event, event.contact_id))
    assert kept.row == Objected(at=NOON + DAY)


def test_an_address_is_known_by_its_hash():
    assert objections.key_of(objected(NOON)) == HASH


@pytest.mark.parametrize("contact_id", [None, uuid4()])
async def test_whom_somebody_visits_is_in_use(contact_id: UUID | None):
    event = VisitPlanned(
        visit_id=uuid4(),
        company_id=uuid4(),
        business_id="0100130-4",
        company_name="Kahvila Oy",
        contact_id=contact_id,
        starts_at=NOON + DAY,
        ends_at=NOON + DAY + timedelta(hours=1),
    )
    commands = [command for _, _, command in await policies.commands(event, about(event, event.visit_id, 1))]
    used = [each for each in commands if isinstance(each, UseContact)]
    assert used == ([UseContact(contact_id=contact_id, now=NOON)] if contact_id else [])
