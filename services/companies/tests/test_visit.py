"""The rules of visits that are planned, told of, moved and cancelled."""

from datetime import datetime, timedelta

import pytest
from companies.visit import FARTHEST, LONGEST, aggregate
from companies.visit_commands import SendVisitors, VisitCommand
from companies.visit_state import AnswerAwaited, MannerChanged, VisitorsSent
from tyrsky.links import digest
from tyrsky.testing import given
from tyrsky_contracts.notifications import NotificationRequested

from .known import (
    AINO,
    BERTTA,
    DAY,
    HOUR,
    ID,
    KEY,
    KUNTA,
    NOON,
    OTHER_KEY,
    TOMORROW,
    addressee,
    answer,
    arranged,
    asked,
    cafe,
    cancel,
    cancelled,
    move,
    moved,
    noted,
    plan,
    planned,
    planned_at,
    record,
    recorded,
    told,
)

LATER = NOON + 2 * DAY


def test_a_visit_is_planned_and_the_network_learns_neither_who_goes_nor_who_comes_along():
    outcome = given(aggregate).when(plan(partners=(KUNTA, KUNTA), partners_see_contact=True))
    outcome.then(arranged(partners=(KUNTA,), partners_see_contact=True), planned_at())
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.staff, outcome.state.municipality) == ("planned", (AINO,), "908")


def test_a_name_that_may_be_a_persons_is_told_to_nobody():
    company = cafe.model_copy(update={"name": "Parturi Pirjo Esimerkki", "name_is_public": False})
    outcome = given(aggregate).when(plan(company=company))
    outcome.then(
        arranged(company_name="Parturi Pirjo Esimerkki"),
        planned_at().model_copy(update={"company_name": "0100130-4"}),
    )
    assert outcome.state is not None
    assert outcome.state.company_name == "Parturi Pirjo Esimerkki"


def test_a_contact_with_an_address_is_invited_and_asked_in_the_same_write_and_the_address_forgotten():
    outcome = given(aggregate).when(plan(invite=addressee()))
    outcome.then(*planned, AnswerAwaited(answer_digest=digest(KEY)), told())
    assert outcome.state is not None
    kept = outcome.state.model_dump_json()
    assert outcome.state.answer_digest == digest(KEY)
    assert not [secret for secret in (KEY, "matti", "Matti") if secret in kept]


@pytest.mark.parametrize("starts_at", [NOON, NOON - HOUR, NOON - DAY])
def test_nobody_plans_a_visit_in_the_past(starts_at: datetime):
    given(aggregate).when(plan(starts_at)).rejected("visit-in-the-past", field="starts_at")


def test_a_visit_can_be_planned_a_year_ahead_and_no_more():
    at_most = NOON + FARTHEST
    given(aggregate).when(plan(at_most)).then(arranged(starts_at=at_most, ends_at=at_most + HOUR), planned_at(at_most))
    given(aggregate).when(plan(at_most + HOUR)).rejected("visit-too-far-ahead", field="starts_at")


@pytest.mark.parametrize("lasts", [timedelta(0), -HOUR])
def test_a_visit_ends_after_it_begins(lasts: timedelta):
    given(aggregate).when(plan(lasts=lasts)).rejected("visit-ends-before-it-starts", field="ends_at")


def test_a_visit_lasts_a_working_day_at_most():
    ends_at = TOMORROW + LONGEST
    given(aggregate).when(plan(lasts=LONGEST)).then(arranged(ends_at=ends_at), planned_at(ends_at=ends_at))
    given(aggregate).when(plan(lasts=LONGEST + HOUR)).rejected("visit-too-long", field="ends_at")


def test_a_visit_is_planned_once():
    given(aggregate, *planned).when(plan()).rejected("visit-already-planned")


@pytest.mark.parametrize("command", [move(TOMORROW), cancel(), record(), answer(key=None)])
def test_nothing_is_done_with_a_visit_that_is_not(command: VisitCommand):
    given(aggregate).when(command).rejected("visit-unknown")


def test_a_visit_is_moved():
    given(aggregate, *planned).when(move(LATER)).then(moved(LATER))


def test_who_was_invited_is_told_that_it_moved_and_asked_by_a_new_link():
    outcome = given(aggregate, *asked).when(move(LATER, invite=addressee(OTHER_KEY)))
    awaited = AnswerAwaited(answer_digest=digest(OTHER_KEY))
    outcome.then(moved(LATER), awaited, told(LATER, url=addressee(OTHER_KEY).answer_url, revision=1, change="moved"))
    assert outcome.state is not None
    given(aggregate, *asked, *outcome.happenings).when(answer(key=KEY)).rejected("visit-answer-link-wrong")


def test_a_link_of_before_dies_also_when_nobody_can_be_told_of_the_new_time():
    given(aggregate, *asked).when(move(LATER)).then(moved(LATER), AnswerAwaited(answer_digest=None))


def test_an_answer_was_about_the_time_of_before():
    confirmed = given(aggregate, *asked).when(answer(words="Tervetuloa")).happenings
    outcome = given(aggregate, *asked, *confirmed).when(move(LATER))
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.answered_at, outcome.state.answer_words) == ("planned", None, "")


def test_calendars_are_told_which_news_is_the_newest():
    first = given(aggregate, *asked).when(move(LATER, invite=addressee(OTHER_KEY))).happenings
    again = given(aggregate, *asked, *first).when(cancel(invite=addressee()))
    again.then(cancelled, told(LATER, url=None, revision=2, change="cancelled"))


def test_a_visit_moved_to_where_it_is_is_not_moved_and_nobody_is_told():
    given(aggregate, *asked).when(move(TOMORROW, invite=addressee(OTHER_KEY))).then()
    given(aggregate, *planned, moved(LATER)).when(move(LATER)).then()


def test_a_visit_is_not_moved_into_the_past():
    given(aggregate, *planned).when(move(NOON - DAY)).rejected("visit-in-the-past", field="starts_at")


def test_a_visit_is_cancelled_and_twice_is_once():
    given(aggregate, *planned).when(cancel()).then(cancelled)
    given(aggregate, *planned, cancelled).when(cancel(invite=addressee())).then()


def test_who_was_invited_is_told_that_it_is_cancelled_unless_it_is_past():
    given(aggregate, *asked).when(cancel(invite=addressee())).then(
        cancelled, told(url=None, revision=1, change="cancelled")
    )
    given(aggregate, *asked).when(cancel(TOMORROW + HOUR, invite=addressee())).then(cancelled)


def test_somebody_else_goes():
    send = SendVisitors(visit_id=ID, staff=(BERTTA, BERTTA))
    given(aggregate, *planned).when(send).then(sent := VisitorsSent(staff=(BERTTA,)))
    given(aggregate, *planned, sent).when(send).then()


def test_who_was_invited_is_told_and_asked_anew_when_it_becomes_a_call():
    call = move(TOMORROW, manner="phone", invite=addressee(OTHER_KEY))
    confirmed = given(aggregate, *asked).when(answer()).happenings
    outcome = given(aggregate, *asked, *confirmed).when(call)
    url = addressee(OTHER_KEY).answer_url
    awaited = AnswerAwaited(answer_digest=digest(OTHER_KEY))
    outcome.then(MannerChanged(manner="phone"), awaited, told(url=url, revision=1, change="moved", manner="phone"))
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.manner) == ("planned", "phone")
    given(aggregate, *asked, MannerChanged(manner="phone")).when(move(TOMORROW, manner="phone")).then()


def test_a_visit_gets_another_time_and_another_way_in_one_message():
    outcome = given(aggregate, *asked).when(move(LATER, manner="remote", invite=addressee(OTHER_KEY)))
    requests = [each for each in outcome.happenings if isinstance(each, NotificationRequested)]
    assert [each.data.revision for each in requests] == [2]
    assert (requests[0].data.starts_at, requests[0].data.manner) == (LATER, "remote")


@pytest.mark.parametrize("command", [move(LATER), SendVisitors(visit_id=ID, staff=(AINO,))])
def test_a_cancelled_visit_is_over(command: VisitCommand):
    given(aggregate, *planned, cancelled).when(command).rejected("visit-is-over")


@pytest.mark.parametrize("command", [move(LATER), cancel(), answer(key=None)])
def test_a_recorded_visit_is_over(command: VisitCommand):
    given(aggregate, *planned, noted, recorded).when(command).rejected("visit-is-over")
