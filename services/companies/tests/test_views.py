"""What the network's events come to, and what they bring about."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from companies.need import ChartNeed, need_on_visit
from companies.policies import policies
from companies.views import Reach, reach
from tyrsky.projecting import Kept
from tyrsky_contracts.companies import Need, VisitRecorded
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


def recorded(visited_at: datetime, *needs: Need) -> VisitRecorded:
    return VisitRecorded(
        visit_id=uuid4(), company_id=uuid4(), business_id="0100130-4", visited_at=visited_at, needs=needs
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


async def test_what_a_visits_record_names_is_charted_under_ids_that_follow_from_the_visit():
    event = recorded(NOON - DAY, "recruitment", "training")
    wanted = [await policies.commands(event, about(event, event.visit_id)) for _ in range(2)]
    charted = [[command for _, _, command in each] for each in wanted]
    assert charted[0] == charted[1]
    assert charted[0] == [
        ChartNeed(
            need_id=need_on_visit(event.visit_id, kind),
            now=NOON,
            charted_at=NOON - DAY,
            company_id=event.company_id,
            business_id="0100130-4",
            kind=kind,
            visit_id=event.visit_id,
        )
        for kind in ("recruitment", "training")
    ]


async def test_a_visit_on_which_nothing_was_needed_charts_nothing():
    event = recorded(NOON)
    assert await policies.commands(event, about(event, event.visit_id)) == []
