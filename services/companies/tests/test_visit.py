"""The rules of visits."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from companies.visit import (
    FARTHEST,
    LONGEST,
    CancelVisit,
    MoveVisit,
    PlanVisit,
    RecordVisit,
    VisitCommand,
    VisitNoted,
    aggregate,
)
from hypothesis import given as anything
from hypothesis import settings
from hypothesis import strategies as st
from tyrsky.aggregate import Happening, Rejected
from tyrsky.testing import given
from tyrsky_contracts.companies import Need, VisitCancelled, VisitMoved, VisitPlanned, VisitRecorded

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TOMORROW = NOON + DAY
ID, COMPANY, CONTACT = uuid4(), uuid4(), uuid4()
WHICH = {"visit_id": ID, "company_id": COMPANY, "business_id": "0100130-4"}


def plan(starts_at: datetime = TOMORROW, lasts: timedelta = HOUR) -> PlanVisit:
    return PlanVisit(
        visit_id=ID,
        now=NOON,
        company_id=COMPANY,
        business_id="0100130-4",
        company_name="Kahvila Oy",
        contact_id=CONTACT,
        starts_at=starts_at,
        ends_at=starts_at + lasts,
    )


def move(starts_at: datetime, *, now: datetime = NOON) -> MoveVisit:
    return MoveVisit(visit_id=ID, now=now, starts_at=starts_at, ends_at=starts_at + HOUR)


def record(*needs: Need, notes: str = "", now: datetime = TOMORROW + HOUR) -> RecordVisit:
    return RecordVisit(visit_id=ID, now=now, needs=needs, notes=notes)


cancel = CancelVisit(visit_id=ID)
planned = VisitPlanned.model_validate(
    {**WHICH, "company_name": "Kahvila Oy", "contact_id": CONTACT, "starts_at": TOMORROW, "ends_at": TOMORROW + HOUR}
)
cancelled = VisitCancelled.model_validate(WHICH)
noted = VisitNoted(notes="Ovi takapihalla.")
recorded = VisitRecorded.model_validate({**WHICH, "visited_at": TOMORROW, "needs": ("recruitment",)})


def moved(starts_at: datetime) -> VisitMoved:
    return VisitMoved.model_validate({**WHICH, "starts_at": starts_at, "ends_at": starts_at + HOUR})


def test_a_visit_is_planned():
    given(aggregate).when(plan()).then(planned)


@pytest.mark.parametrize("starts_at", [NOON, NOON - HOUR, NOON - DAY])
def test_nobody_plans_a_visit_in_the_past(starts_at: datetime):
    given(aggregate).when(plan(starts_at)).rejected("visit-in-the-past", field="starts_at")


def test_a_visit_can_be_planned_a_year_ahead_and_no_more():
    at_most = NOON + FARTHEST
    given(aggregate).when(plan(at_most)).then(
        planned.model_copy(update={"starts_at": at_most, "ends_at": at_most + HOUR})
    )
    given(aggregate).when(plan(at_most + HOUR)).rejected("visit-too-far-ahead", field="starts_at")


@pytest.mark.parametrize("lasts", [timedelta(0), -HOUR])
def test_a_visit_ends_after_it_begins(lasts: timedelta):
    given(aggregate).when(plan(lasts=lasts)).rejected("visit-ends-before-it-starts", field="ends_at")


def test_a_visit_lasts_a_working_day_at_most():
    given(aggregate).when(plan(lasts=LONGEST)).then(planned.model_copy(update={"ends_at": TOMORROW + LONGEST}))
    given(aggregate).when(plan(lasts=LONGEST + HOUR)).rejected("visit-too-long", field="ends_at")


def test_a_visit_is_planned_once():
    given(aggregate, planned).when(plan()).rejected("visit-already-planned")


@pytest.mark.parametrize("command", [move(TOMORROW), cancel, record()])
def test_nothing_is_done_with_a_visit_that_is_not(command: VisitCommand):
    given(aggregate).when(command).rejected("visit-unknown")


def test_a_visit_is_moved():
    given(aggregate, planned).when(move(NOON + 2 * DAY)).then(moved(NOON + 2 * DAY))


def test_a_visit_moved_to_where_it_is_is_not_moved():
    given(aggregate, planned).when(move(TOMORROW)).then()
    given(aggregate, planned, moved(NOON + 2 * DAY)).when(move(NOON + 2 * DAY)).then()


def test_a_visit_is_not_moved_into_the_past():
    given(aggregate, planned).when(move(NOON - DAY)).rejected("visit-in-the-past", field="starts_at")


def test_a_visit_is_cancelled_and_twice_is_once():
    given(aggregate, planned).when(cancel).then(cancelled)
    given(aggregate, planned, cancelled).when(cancel).then()


def test_a_visit_that_was_made_is_recorded_and_its_notes_stay_at_home():
    outcome = given(aggregate, planned).when(record("recruitment", notes="Ovi takapihalla.")).then(noted, recorded)
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.notes) == ("recorded", "Ovi takapihalla.")
    assert outcome.state.needs == ("recruitment",)


def test_a_need_named_twice_is_one_need():
    given(aggregate, planned).when(record("recruitment", "recruitment", notes="Ovi takapihalla.")).then(noted, recorded)


def test_a_visit_can_be_recorded_from_its_beginning_on():
    given(aggregate, planned).when(record(now=TOMORROW)).then(
        VisitNoted(notes=""), recorded.model_copy(update={"needs": ()})
    )
    given(aggregate, planned).when(record(now=TOMORROW - HOUR)).rejected("visit-not-begun")


def test_a_visit_that_was_moved_is_recorded_at_the_time_it_was_moved_to():
    later = TOMORROW + DAY
    given(aggregate, planned, moved(later)).when(record("recruitment", notes="Ovi takapihalla.", now=later)).then(
        noted, recorded.model_copy(update={"visited_at": later})
    )


def test_a_recording_sent_twice_is_one_recording():
    given(aggregate, planned, noted, recorded).when(record("recruitment", notes="Ovi takapihalla.")).then()


@pytest.mark.parametrize("other", [record("training", notes="Ovi takapihalla."), record("recruitment", notes="Muuta.")])
def test_a_recording_is_not_replaced_by_another(other: RecordVisit):
    given(aggregate, planned, noted, recorded).when(other).rejected("visit-already-recorded")


@pytest.mark.parametrize("command", [move(NOON + 2 * DAY), record()])
def test_a_cancelled_visit_is_over(command: VisitCommand):
    given(aggregate, planned, cancelled).when(command).rejected("visit-is-over")


@pytest.mark.parametrize("command", [move(NOON + 2 * DAY), cancel])
def test_a_recorded_visit_is_over(command: VisitCommand):
    given(aggregate, planned, noted, recorded).when(command).rejected("visit-is-over")


COMMANDS = st.one_of(
    st.just(plan()),
    st.just(cancel),
    st.builds(record, st.sampled_from(("training", "recruitment")), now=st.sampled_from([NOON, TOMORROW + 9 * DAY])),
    st.builds(move, st.integers(-2, 5).map(lambda days: NOON + days * DAY)),
)


@settings(max_examples=200, deadline=None)
@anything(st.lists(COMMANDS, max_size=8))
def test_whatever_is_asked_in_whatever_order_a_visit_ends_once(commands: list[VisitCommand]):
    state, happened = None, list[Happening]()
    for command in commands:
        try:
            happenings = aggregate.decide(state, command)
        except Rejected:
            continue
        state = aggregate.fold(state, happenings)
        happened += happenings
    ends = [each for each in happened if isinstance(each, VisitCancelled | VisitRecorded)]
    assert len(ends) <= 1
    assert not ends or happened[-1] == ends[0]
    assert aggregate.fold(None, happened) == state
