"""The rules of recording: whoever was there is right, and the same recording sent again is the same."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from companies.visit import FARTHEST, LONGEST, aggregate
from companies.visit_commands import RecordVisit
from companies.visit_state import VisitAnswered, VisitNoted
from tyrsky.testing import given
from tyrsky_contracts.companies import VisitRecorded
from tyrsky_contracts.visits import VisitDeclined

from .known import (
    AINO,
    BERTTA,
    CONTACT,
    DAY,
    HOUR,
    NOON,
    TOMORROW,
    WHICH,
    arranged,
    cafe,
    cancelled,
    moved,
    noted,
    planned,
    record,
    recorded,
    went,
)

DOOR = "Ovi takapihalla."
OTHER = uuid4()


def made(notes: str = "", **other: Any) -> VisitNoted:
    return noted.model_copy(update={"notes": notes, **other})


def test_a_visit_that_was_made_is_recorded_and_its_notes_stay_at_home():
    outcome = given(aggregate, *planned).when(record("recruitment", notes=DOOR)).then(noted, recorded)
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.notes) == ("recorded", DOOR)
    assert outcome.state.needs == ("recruitment",)


def test_a_need_named_twice_is_one_need():
    given(aggregate, *planned).when(record("recruitment", "recruitment", notes=DOOR)).then(noted, recorded)


def test_a_visit_can_be_recorded_from_its_beginning_on():
    nothing = recorded.model_copy(update={"needs": ()})
    given(aggregate, *planned).when(record(now=TOMORROW)).then(made(), nothing)
    given(aggregate, *planned).when(record(now=TOMORROW - HOUR)).rejected("visit-not-begun")


def test_a_visit_that_was_moved_is_recorded_at_the_time_it_was_moved_to():
    later = TOMORROW + DAY
    given(aggregate, *planned, moved(later)).when(record("recruitment", notes=DOOR, now=later)).then(
        made(DOOR, starts_at=later, ends_at=later + HOUR), recorded.model_copy(update={"visited_at": later})
    )


def test_who_went_when_and_how_is_as_whoever_was_there_says():
    at = TOMORROW + timedelta(minutes=20)
    outcome = given(aggregate, *planned).when(
        record("recruitment", visited_at=at, ended_at=at + 2 * HOUR, manner="remote", staff=(BERTTA, BERTTA), now=at)
    )
    outcome.then(
        made(starts_at=at, ends_at=at + 2 * HOUR, manner="remote", staff=(BERTTA,)),
        recorded.model_copy(update={"visited_at": at, "manner": "remote"}),
    )


def test_who_went_earlier_than_planned_is_right_too():
    given(aggregate, *planned).when(record("recruitment", notes=DOOR, visited_at=NOON, now=NOON + HOUR)).then(
        made(DOOR, starts_at=NOON, ends_at=NOON + HOUR), recorded.model_copy(update={"visited_at": NOON})
    )


def test_a_recording_sent_twice_is_one_recording():
    given(aggregate, *planned, noted, recorded).when(record("recruitment", notes=DOOR)).then()


@pytest.mark.parametrize(
    "other",
    [
        record("training", notes=DOOR),
        record("recruitment", notes="Muuta."),
        record("recruitment", notes=DOOR, manner="phone"),
        record("recruitment", notes=DOOR, staff=(BERTTA,)),
        record("recruitment", notes=DOOR, visited_at=TOMORROW + timedelta(minutes=1)),
    ],
)
def test_a_recording_is_not_replaced_by_another(other: RecordVisit):
    given(aggregate, *planned, noted, recorded).when(other).rejected("visit-already-recorded")


@pytest.mark.parametrize(
    "meanwhile", [(cancelled,), (VisitAnswered(at=NOON, words=""), VisitDeclined.model_validate(WHICH))]
)
def test_what_was_cancelled_or_declined_and_took_place_all_the_same_is_recorded(meanwhile: Any):
    outcome = given(aggregate, *planned, *meanwhile).when(record("recruitment", notes=DOOR))
    outcome.then(noted, recorded)
    assert outcome.state is not None
    assert outcome.state.status == "recorded"


def test_what_was_moved_at_the_desk_meanwhile_is_recorded_when_it_was():
    moved_away = moved(TOMORROW + 7 * DAY)
    given(aggregate, *planned, moved_away).when(record("recruitment", notes=DOOR, visited_at=TOMORROW)).then(
        noted, recorded
    )
    given(aggregate, *planned, moved_away).when(record("recruitment", notes=DOOR)).rejected("visit-not-begun")


def test_a_visit_that_nobody_planned_is_recorded_under_the_id_that_the_phone_made():
    outcome = given(aggregate).when(went(TOMORROW, "recruitment", notes=DOOR, contact_id=CONTACT))
    outcome.then(arranged(staff=()), noted, recorded)
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.company_name) == ("recorded", "Kahvila Oy")
    assert outcome.state.staff == (AINO,)


def test_a_year_after_the_phone_may_send_it_again():
    before = given(aggregate).when(went(TOMORROW, "recruitment", notes=DOOR)).happenings
    again = went(TOMORROW, "recruitment", notes=DOOR, now=TOMORROW + 2 * FARTHEST)
    given(aggregate, *before).when(again).then()


@pytest.mark.parametrize(
    "other",
    [
        went(TOMORROW, "training", notes=DOOR),
        went(TOMORROW, "recruitment", notes=DOOR, contact_id=CONTACT),
        went(TOMORROW, "recruitment", notes=DOOR, ended_at=TOMORROW + 2 * HOUR),
    ],
)
def test_another_content_under_the_same_id_is_refused(other: Any):
    before = given(aggregate).when(went(TOMORROW, "recruitment", notes=DOOR)).happenings
    given(aggregate, *before).when(other).rejected("visit-already-recorded")


def test_an_id_belongs_to_one_company():
    elsewhere = went(TOMORROW, company=cafe.model_copy(update={"company_id": uuid4()}))
    given(aggregate, *planned).when(elsewhere).rejected("visit-of-another-company", field="visit_id")


def test_a_planned_visit_may_be_recorded_as_if_it_were_not_planned():
    given(aggregate, *planned).when(went(TOMORROW, "recruitment", notes=DOOR)).then(noted, recorded)


def test_whom_they_met_is_as_whoever_was_there_says():
    outcome = given(aggregate, *planned).when(went(TOMORROW, "recruitment", notes=DOOR, contact_id=OTHER))
    outcome.then(made(DOOR, contact_id=OTHER), recorded)


def test_what_has_not_been_is_not_recorded_however_far_ahead():
    given(aggregate).when(went(TOMORROW, now=NOON)).rejected("visit-not-begun")
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    given(aggregate).when(went(last, now=NOON)).rejected("visit-not-begun")
    given(aggregate, *planned).when(record(visited_at=last)).rejected("visit-not-begun")


def test_a_visit_is_recorded_for_a_year():
    given(aggregate).when(went(NOON - FARTHEST, now=NOON)).then(
        arranged(starts_at=NOON - FARTHEST, ends_at=NOON - FARTHEST + HOUR, contact_id=None, staff=()),
        made(starts_at=NOON - FARTHEST, ends_at=NOON - FARTHEST + HOUR, contact_id=None),
        VisitRecorded.model_validate({**WHICH, "visited_at": NOON - FARTHEST}),
    )
    given(aggregate).when(went(NOON - FARTHEST - HOUR, now=NOON)).rejected("visit-too-long-ago", field="visited_at")


def test_what_was_made_has_a_length_too():
    given(aggregate).when(went(TOMORROW, ended_at=TOMORROW)).rejected("visit-ends-before-it-starts", field="ended_at")
    too_long = went(TOMORROW, ended_at=TOMORROW + LONGEST + HOUR)
    given(aggregate).when(too_long).rejected("visit-too-long", field="ended_at")
