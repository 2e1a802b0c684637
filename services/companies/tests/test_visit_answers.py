"""The rules of what others say to a visit: the company by its link, and municipal partners who come along."""

import pytest
from companies.visit import aggregate
from companies.visit_commands import RemarkOnVisit, ShareVisit, VisitCommand
from companies.visit_state import Remark, VisitAnswered, VisitRemarked, VisitShared
from tyrsky.testing import given
from tyrsky_contracts.visits import VisitConfirmed, VisitDeclined

from .known import (
    AINO,
    HOUR,
    ID,
    KUNTA,
    NOON,
    OTHER_KEY,
    TOMORROW,
    WHICH,
    answer,
    asked,
    cancelled,
    move,
    noted,
    planned,
    record,
    recorded,
)

confirmed = VisitConfirmed.model_validate(WHICH)
declined = VisitDeclined.model_validate(WHICH)
shared = VisitShared(partners=(KUNTA,), partners_see_contact=False)


def answered(words: str = "") -> VisitAnswered:
    return VisitAnswered(at=NOON, words=words)


def share(*partners: str, contact: bool = False) -> ShareVisit:
    return ShareVisit(visit_id=ID, partners=partners, partners_see_contact=contact)


def remark(words: str = "Hyvä käynti.", by: str = KUNTA) -> RemarkOnVisit:
    return RemarkOnVisit(visit_id=ID, now=NOON, by=by, words=words)


def test_the_company_confirms_by_its_link_and_its_words_stay_at_home():
    outcome = (
        given(aggregate, *asked)
        .when(answer(words="Kahvi on keitetty."))
        .then(answered("Kahvi on keitetty."), confirmed)
    )
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.answered_at) == ("confirmed", NOON)


def test_a_confirmation_clicked_twice_is_one_confirmation():
    given(aggregate, *asked, answered(), confirmed).when(answer(now=NOON + HOUR)).then()


def test_the_company_may_change_its_answer_until_the_visit_begins():
    given(aggregate, *asked, answered(), confirmed).when(answer("declined")).then(answered(), declined)
    given(aggregate, *asked, answered(), declined).when(answer("confirmed")).then(answered(), confirmed)
    given(aggregate, *asked).when(answer(now=TOMORROW)).rejected("visit-has-begun")


def test_the_same_answer_in_other_words_is_no_news_to_the_network():
    given(aggregate, *asked, answered(), confirmed).when(answer(words="Ovi takana.")).then(answered("Ovi takana."))


@pytest.mark.parametrize("key", [OTHER_KEY, "", "\ud800", "x" * 100])
def test_another_key_answers_nothing(key: str):
    given(aggregate, *asked).when(answer(key=key)).rejected("visit-answer-link-wrong")


def test_where_nobody_was_asked_no_key_answers():
    given(aggregate, *planned).when(answer(key="")).rejected("visit-answer-link-wrong")


def test_another_key_does_not_even_learn_that_the_visit_is_over():
    given(aggregate, *asked, cancelled).when(answer(key=OTHER_KEY)).rejected("visit-answer-link-wrong")
    given(aggregate, *asked, cancelled).when(answer()).rejected("visit-is-over")


def test_staff_note_what_they_were_told_by_phone():
    given(aggregate, *planned).when(answer("declined", key=None)).then(answered(), declined)


def test_a_declined_visit_can_be_moved_and_is_then_asked_anew():
    outcome = given(aggregate, *asked, answered(), declined).when(move(TOMORROW + HOUR))
    assert outcome.state is not None
    assert outcome.state.status == "planned"


def test_partners_are_named_in_place_of_those_before():
    given(aggregate, *planned).when(share(KUNTA, KUNTA)).then(shared)
    given(aggregate, *planned, shared).when(share(KUNTA)).then()
    given(aggregate, *planned, shared).when(share()).then(VisitShared(partners=(), partners_see_contact=False))


def test_who_came_along_may_be_named_afterwards_but_not_on_a_visit_that_was_not_made():
    given(aggregate, *planned, noted, recorded).when(share(KUNTA)).then(shared)
    given(aggregate, *planned, cancelled).when(share(KUNTA)).rejected("visit-is-over")


def test_a_partner_notes_something_in_place_of_what_they_noted_before():
    first = VisitRemarked(remark=Remark(by=KUNTA, words="Hyvä käynti.", at=NOON))
    given(aggregate, *planned, shared).when(remark()).then(first)
    given(aggregate, *planned, shared, first).when(remark()).then()
    outcome = given(aggregate, *planned, shared, first).when(remark("Tarkennus."))
    assert outcome.state is not None
    assert [each.words for each in outcome.state.remarks] == ["Tarkennus."]


@pytest.mark.parametrize("by", [AINO, "somebody"])
def test_who_was_not_invited_does_not_learn_that_there_is_a_visit(by: str):
    given(aggregate, *planned, shared).when(remark(by=by)).rejected("visit-unknown")


def test_who_is_invited_no_more_notes_nothing_more():
    nobody = VisitShared(partners=(), partners_see_contact=False)
    given(aggregate, *planned, shared, nobody).when(remark()).rejected("visit-unknown")


@pytest.mark.parametrize("command", [remark()])
def test_on_a_cancelled_visit_nothing_is_noted(command: VisitCommand):
    given(aggregate, *planned, shared, cancelled).when(command).rejected("visit-is-over")


def test_the_network_learns_that_a_visit_was_joint_and_not_with_whom():
    outcome = given(aggregate, *planned, shared).when(record("recruitment", notes="Ovi takapihalla."))
    outcome.then(noted, recorded.model_copy(update={"joint": True}))
    assert KUNTA not in outcome.happenings[-1].model_dump_json()
