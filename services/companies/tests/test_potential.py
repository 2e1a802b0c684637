"""The rules of places for students, and of the two forms of workplace-based learning."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from companies.charting import TURNS_MAX, Turn
from companies.potential import (
    AgreePotential,
    ChartPotential,
    ConfirmPotential,
    LapsePotential,
    PlacesAgreed,
    PotentialCommand,
    PotentialFound,
    PotentialTurned,
    WithdrawPotential,
    aggregate,
)
from companies.terms import RULES, Terms
from hypothesis import given as anything
from hypothesis import settings
from hypothesis import strategies as st
from tyrsky.aggregate import Happening, Rejected
from tyrsky.testing import given
from tyrsky_contracts.needs import (
    Form,
    PotentialAgreed,
    PotentialCharted,
    PotentialClosed,
    PotentialConfirmed,
    PotentialOutcome,
)

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ID, COMPANY, INSTRUCTOR = uuid4(), uuid4(), uuid4()
WHICH: dict[str, Any] = {"potential_id": ID, "company_id": COMPANY, "business_id": "0100130-4"}
FIELD: dict[str, Any] = {"form": "apprenticeship", "field_codes": "koulutusala-2016", "field_of_study": "1013"}
PERIOD: dict[str, Any] = {"starts_on": date(2026, 10, 1), "ends_on": date(2027, 5, 31)}
OVER = datetime(2027, 5, 31, 21, tzinfo=UTC)
"""Midnight in Finland, after the last day."""


def terms(**other: Any) -> Terms:
    return Terms.model_validate({"places": 3, **PERIOD, **other})


def chart(of: Terms | None = None, **other: Any) -> ChartPotential:
    return ChartPotential.model_validate(
        {**WHICH, **FIELD, "now": NOON, "charted_at": NOON, "terms": of or terms(), **other}
    )


def confirm(of: Terms | None = None, now: datetime = NOON) -> ConfirmPotential:
    return ConfirmPotential(potential_id=ID, now=now, terms=of)


def agree(places: int = 2, agreed_on: date = NOON.date()) -> AgreePotential:
    return AgreePotential(potential_id=ID, now=NOON, places=places, agreed_on=agreed_on, instructor_id=INSTRUCTOR)


def lapse(now: datetime = OVER) -> LapsePotential:
    return LapsePotential(potential_id=ID, now=now)


withdraw = WithdrawPotential(potential_id=ID, now=NOON, why="Tilauskanta pieneni.")


def turned(status: str, of: Terms | None = None, why: str = "", at: datetime = NOON) -> PotentialTurned:
    return PotentialTurned(turn=Turn(status=status, at=at, why=why), terms=of or terms())


def closed(outcome: PotentialOutcome) -> PotentialClosed:
    return PotentialClosed(**WHICH, outcome=outcome)


found = PotentialFound(**WHICH, **FIELD, charted_at=NOON, charted=terms(), visit_id=None, survey_id=None, words="")
charted = PotentialCharted(**WHICH, **FIELD, places=3, **PERIOD)
known = (found, charted)
confirmed = (turned("confirmed"), PotentialConfirmed(**WHICH, places=3, **PERIOD))
settled = PlacesAgreed(agreed_places=2, agreed_on=NOON.date(), instructor_id=INSTRUCTOR)
agreed = (turned("agreed"), settled, PotentialAgreed(**WHICH, **FIELD, places=2))


def test_places_are_charted_and_the_words_stay_at_home():
    outcome = (
        given(aggregate)
        .when(chart(words="Pirjo ohjaa."))
        .then(found.model_copy(update={"words": "Pirjo ohjaa."}), charted)
    )
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.terms) == ("charted", terms())
    assert "Pirjo" not in charted.model_dump_json()


def test_what_is_sent_again_is_the_same_also_when_the_period_is_over():
    given(aggregate, *known).when(chart(now=OVER + DAY)).then()
    given(aggregate, *known, *confirmed, *agreed).when(chart(now=OVER + DAY)).then()


@pytest.mark.parametrize("other", [chart(terms(places=4)), chart(form="training-agreement"), chart(words="Muuta.")])
def test_another_content_under_the_same_id_is_refused(other: ChartPotential):
    given(aggregate, *known).when(other).rejected("potential-already-charted")


WRONG: dict[str, tuple[Form, dict[str, Any], str, str]] = {
    "backwards": ("apprenticeship", {"ends_on": date(2026, 9, 30)}, "period-ends-before-it-starts", "ends_on"),
    "over": (
        "apprenticeship",
        {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 8, 31)},
        "period-over",
        "ends_on",
    ),
    "far ahead": (
        "training-agreement",
        {"starts_on": date(2031, 9, 2), "ends_on": date(2031, 9, 3)},
        "period-too-far-ahead",
        "starts_on",
    ),
    "too long": ("training-agreement", {"ends_on": date(2031, 10, 2)}, "period-too-long", "ends_on"),
    "24 hours": ("apprenticeship", {"weekly_hours": 24.5}, "apprenticeship-hours-too-few", "weekly_hours"),
    "14 years": ("apprenticeship", {"age_min": 14}, "apprentice-too-young", "age_min"),
    "more than the workplace's": (
        "training-agreement",
        {"weekly_hours": 38, "workplace_hours": 37.5},
        "training-agreement-hours-too-many",
        "weekly_hours",
    ),
}


@pytest.mark.parametrize("which", WRONG)
def test_what_the_law_or_the_calendar_does_not_allow_is_not_charted(which: str):
    form, wrong, code, field = WRONG[which]
    given(aggregate).when(chart(terms(**wrong), form=form)).rejected(code, field=field)


RIGHT: list[tuple[Form, dict[str, Any]]] = [
    ("apprenticeship", {"weekly_hours": 25, "age_min": 15}),
    ("apprenticeship", {"weekly_hours": 40, "workplace_hours": 37.5}),
    ("training-agreement", {"weekly_hours": 5, "workplace_hours": 37.5, "age_min": 14}),
    ("training-agreement", {"weekly_hours": 37.5, "workplace_hours": 37.5}),
    ("training-agreement", {"starts_on": date(2026, 10, 1), "ends_on": date(2031, 10, 1)}),
    ("training-agreement", {"starts_on": date(2028, 2, 29), "ends_on": date(2033, 2, 28)}),
    ("apprenticeship", {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 9, 1)}),
    ("apprenticeship", {"starts_on": date(2026, 9, 1), "ends_on": date(2026, 9, 1)}),
]


@pytest.mark.parametrize(("form", "right"), RIGHT)
def test_what_they_allow_is_charted(form: Form, right: dict[str, Any]):
    outcome = given(aggregate).when(chart(terms(**right), form=form))
    assert outcome.refusal is None


def test_an_apprenticeship_is_a_paid_employment_and_a_training_agreement_neither():
    assert {form: (rules.employment, rules.paid) for form, rules in RULES.items()} == {
        "apprenticeship": (True, True),
        "training-agreement": (False, False),
    }


def test_the_company_confirms_on_these_terms_or_on_others():
    given(aggregate, *known).when(confirm()).then(*confirmed)
    fewer = terms(places=1)
    given(aggregate, *known, *confirmed).when(confirm(fewer)).then(
        turned("confirmed", fewer), PotentialConfirmed(**WHICH, places=1, **PERIOD)
    )
    given(aggregate, *known, *confirmed).when(confirm()).then()


def test_what_the_law_does_not_allow_is_not_confirmed_either():
    given(aggregate, *known).when(confirm(terms(weekly_hours=10))).rejected(
        "apprenticeship-hours-too-few", field="weekly_hours"
    )


def test_places_are_agreed_upon_with_a_named_instructor():
    outcome = given(aggregate, *known, *confirmed).when(agree()).then(*agreed)
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.instructor_id) == ("agreed", INSTRUCTOR)
    assert str(INSTRUCTOR) not in agreed[-1].model_dump_json()
    given(aggregate, *known, *confirmed, *agreed).when(agree()).then()


def test_what_was_not_confirmed_is_not_agreed_upon():
    given(aggregate, *known).when(agree()).rejected("potential-not-confirmed")


def test_no_more_places_are_agreed_upon_than_were_confirmed_nor_tomorrow():
    given(aggregate, *known, *confirmed).when(agree(4)).rejected("places-too-many", field="places")
    tomorrow = agree(agreed_on=date(2026, 9, 2))
    given(aggregate, *known, *confirmed).when(tomorrow).rejected("agreed-in-the-future", field="agreed_on")


def test_what_nobody_agreed_upon_lapses_when_its_last_day_has_ended_in_finland():
    given(aggregate, *known).when(lapse(OVER - timedelta(seconds=1))).then()
    given(aggregate, *known).when(lapse()).then(turned("lapsed", at=OVER), closed("lapsed"))
    given(aggregate, *known, *confirmed).when(lapse()).then(turned("lapsed", at=OVER), closed("lapsed"))
    given(aggregate, *known, *confirmed, *agreed).when(lapse()).then()
    given(aggregate, *known, turned("lapsed"), closed("lapsed")).when(lapse()).then()


def test_the_company_takes_it_back_and_twice_is_once():
    gone = (turned("withdrawn", why="Tilauskanta pieneni."), closed("withdrawn"))
    given(aggregate, *known).when(withdraw).then(*gone)
    given(aggregate, *known, *gone).when(withdraw).then()
    given(aggregate, *known, *confirmed, *agreed).when(withdraw).rejected("potential-is-over")


@pytest.mark.parametrize("command", [confirm(), agree(3), withdraw])
def test_what_is_over_is_over(command: PotentialCommand):
    over = (turned("lapsed"), closed("lapsed"))
    given(aggregate, *known, *confirmed, *over).when(command).rejected("potential-is-over")


@pytest.mark.parametrize("command", [confirm(), agree(), withdraw, lapse()])
def test_nothing_is_done_with_places_that_are_not(command: PotentialCommand):
    given(aggregate).when(command).rejected("potential-unknown")


def test_a_history_has_an_end_and_can_be_ended():
    turns = [turned("confirmed", terms(places=1 + number % 2)) for number in range(TURNS_MAX - 1)]
    given(aggregate, found, *turns).when(confirm(terms(places=9))).rejected("history-full")
    outcome = given(aggregate, found, *turns).when(withdraw)
    assert outcome.refusal is None


COMMANDS = st.one_of(
    st.builds(chart, st.builds(terms, places=st.sampled_from([2, 3]))),
    st.builds(confirm, st.none() | st.builds(terms, places=st.integers(1, 4)), st.sampled_from([NOON, OVER])),
    st.builds(agree, st.integers(1, 4)),
    st.builds(lapse, st.sampled_from([NOON, OVER])),
    st.just(withdraw),
)


@settings(max_examples=200, deadline=None)
@anything(st.lists(COMMANDS, max_size=10))
def test_whatever_is_asked_it_ends_once_and_what_happened_tells_what_it_is(commands: list[PotentialCommand]):
    state, happened = None, list[Happening]()
    for command in commands:
        try:
            happenings = aggregate.decide(state, command)
        except Rejected:
            continue
        state = aggregate.fold(state, happenings)
        happened += happenings
        assert list(aggregate.decide(state, command)) == []
    assert aggregate.fold(None, happened) == state
    if state is None:
        return
    ends = [each for each in happened if isinstance(each, PotentialClosed | PotentialAgreed)]
    assert len(ends) <= 1
    assert (state.status in ("agreed", "lapsed", "withdrawn")) == bool(ends)
    assert not ends or happened[-1] == ends[0]
    assert (state.agreed_places or 0) <= state.terms.places
    assert (state.status == "agreed") == (state.instructor_id is not None)
    assert state.history[-1].status == state.status
