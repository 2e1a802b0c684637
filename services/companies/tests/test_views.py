"""What the network's events come to, and what they bring about."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from companies.company import CountCooperation, ReachStage
from companies.contact_commands import UseContact
from companies.merging import MergeInto
from companies.need import ChartNeed, need_on_visit
from companies.policies import policies
from companies.views import Entry, Reach, audit, reach
from tyrsky.aggregate import Command
from tyrsky.projecting import Kept
from tyrsky_contracts.audit import Audited
from tyrsky_contracts.companies import (
    CompanyMerged,
    CompanyTouched,
    CompanyUnmerged,
    Need,
    VisitPlanned,
    VisitRecorded,
)
from tyrsky_contracts.event import Envelope, Event
from tyrsky_contracts.needs import NeedClosed, PotentialAgreed

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
    assert kept.row == Reach(visits=3, touches=3, first_reached_at=NOON - DAY, last_reached_at=NOON + DAY)
    assert reach.key_of(recorded(NOON)) == "0100130-4"


def test_a_visit_told_twice_is_one_visit():
    event = recorded(NOON)
    once = reach.fold(Kept[Reach](), event, about(event, event.visit_id))
    assert reach.fold(once, event, about(event, event.visit_id)) is once


async def wanted(event: Event) -> list[tuple[str, Command]]:
    return [(name, command) for name, _, command in await policies.commands(event, about(event, uuid4()))]


async def test_who_was_in_touch_or_there_has_come_that_far():
    touched = CompanyTouched(company_id=uuid4(), business_id="0100130-4", touched_at=NOON, channel="call")
    contacted = ReachStage(company_id=touched.company_id, stage="contacted", at=NOON, because="company.touched")
    assert await wanted(touched) == [("come_to_contacted", contacted)]
    visit = recorded(NOON)
    visited = ReachStage(company_id=visit.company_id, stage="visited", at=NOON, because="visit.recorded")
    assert await wanted(visit) == [("come_to_visited", visited)]


async def test_a_company_that_is_absorbed_or_released_is_told():
    which: dict[str, Any] = {"company_id": uuid4(), "business_id": "0100130-4"}
    merged = CompanyMerged(**which, absorbed=(other := uuid4()))
    into = MergeInto(company_id=other, into=which["company_id"])
    assert await wanted(merged) == [("tell_the_absorbed", into)]
    assert await wanted(CompanyUnmerged(**which, released=other)) == [
        ("tell_the_released", MergeInto(company_id=other, into=None))
    ]


def test_an_entry_of_the_audit_says_who_and_what_and_when():
    event = Audited(
        entry=uuid4(), kind="visit", thing=uuid4(), about=uuid4(), by="staff-1", happened=("visit-recorded",)
    )
    told = about(event, event.thing)
    kept = audit.fold(Kept[Entry](), event, told)
    assert kept.row == Entry(college="vaao", at=NOON, **event.model_dump(exclude={"entry"}))
    assert audit.fold(kept, event, told) is kept
    assert audit.key_of(event) == str(event.entry)


def test_a_call_is_a_touch_and_no_visit():
    event = CompanyTouched(company_id=uuid4(), business_id="0100130-4", touched_at=NOON, channel="call")
    kept = reach.fold(Kept[Reach](), event, about(event, uuid4()))
    assert kept.row == Reach(visits=0, touches=1, first_reached_at=NOON, last_reached_at=NOON)


async def test_what_a_visits_record_names_is_charted_under_ids_that_follow_from_the_visit():
    event = recorded(NOON - DAY, "recruitment", "training")
    charted = [
        [command for name, command in await wanted(event) if name.startswith("chart_the_needs")] for _ in range(2)
    ]
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


async def test_a_visit_keeps_its_contact_for_longer():
    planned = VisitPlanned(
        visit_id=uuid4(),
        company_id=uuid4(),
        business_id="0100130-4",
        company_name="Kahvila Oy",
        contact_id=(contact := uuid4()),
        starts_at=NOON,
        ends_at=NOON + DAY,
    )
    assert await wanted(planned) == [("keep_who_is_visited", UseContact(contact_id=contact, now=NOON))]
    assert await wanted(planned.model_copy(update={"contact_id": None})) == []


async def test_what_was_agreed_and_what_was_met_is_cooperation():
    which: dict[str, Any] = {"company_id": uuid4(), "business_id": "0100130-4"}
    agreed = PotentialAgreed(
        potential_id=uuid4(),
        form="apprenticeship",
        field_codes="koulutusala-2016",
        field_of_study="1013",
        places=2,
        **which,
    )
    counted: dict[str, Any] = {"company_id": which["company_id"], "at": NOON}
    assert await wanted(agreed) == [
        ("count_what_was_agreed", CountCooperation(cause=agreed.potential_id, because="potential.agreed", **counted))
    ]
    met = NeedClosed(need_id=uuid4(), kind="training", outcome="met", **which)
    assert await wanted(met) == [
        ("count_what_was_met", CountCooperation(cause=met.need_id, because="need.met", **counted))
    ]
    for outcome in ("not-met", "withdrawn"):
        assert await wanted(met.model_copy(update={"outcome": outcome})) == []
