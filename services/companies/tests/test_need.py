"""The rules of what companies need."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from companies.charting import TURNS_MAX, Turn
from companies.need import (
    AssessNeed,
    ChartNeed,
    CloseNeed,
    NeedCommand,
    NeedDescribed,
    NeedFound,
    NeedTurned,
    OfferForNeed,
    aggregate,
    need_on_visit,
)
from hypothesis import given as anything
from hypothesis import settings
from hypothesis import strategies as st
from tyrsky.aggregate import Happening, Rejected
from tyrsky.testing import given
from tyrsky_contracts.needs import NeedAssessed, NeedCharted, NeedClosed, NeedOffered, NeedOutcome

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ID, COMPANY, VISIT = uuid4(), uuid4(), uuid4()
WHICH: dict[str, Any] = {"need_id": ID, "company_id": COMPANY, "business_id": "0100130-4"}
GUIDANCE = "guidance-competence"


def chart(**other: Any) -> ChartNeed:
    return ChartNeed.model_validate(
        {**WHICH, "now": NOON, "charted_at": NOON, "kind": GUIDANCE, "visit_id": VISIT, **other}
    )


def found(level: int | None = 2, words: str = "Uusia ohjaajia.", **other: Any) -> NeedFound:
    facts = {"kind": GUIDANCE, "charted_at": NOON, "visit_id": VISIT, "survey_id": None}
    return NeedFound.model_validate({**WHICH, **facts, "charted_level": level, "words": words, **other})


def assess(level: int, why: str = "") -> AssessNeed:
    return AssessNeed(need_id=ID, now=NOON, level=level, why=why)


def offer(why: str = "Ohjaajakoulutus.") -> OfferForNeed:
    return OfferForNeed(need_id=ID, now=NOON, why=why)


def close(outcome: NeedOutcome = "met", why: str = "") -> CloseNeed:
    return CloseNeed(need_id=ID, now=NOON, outcome=outcome, why=why)


def turned(status: str, why: str = "", level: int | None = 2) -> NeedTurned:
    return NeedTurned(turn=Turn(status=status, at=NOON, why=why), level=level)


charted = NeedCharted(**WHICH, kind=GUIDANCE, charted_at=NOON, level=2, visit_id=VISIT)
named = found(level=None, words="")
offered = NeedOffered(**WHICH, kind=GUIDANCE)
told = turned("offered", "Ohjaajakoulutus.")


def closed(outcome: NeedOutcome) -> NeedClosed:
    return NeedClosed(**WHICH, kind=GUIDANCE, outcome=outcome)


def test_a_need_is_charted_and_its_words_stay_at_home():
    outcome = given(aggregate).when(chart(level=2, words="Uusia ohjaajia.")).then(found(), charted)
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.level) == ("charted", 2)
    assert outcome.state.history == (Turn(status="charted", at=NOON),)
    assert "ohjaajia" not in charted.model_dump_json()


def test_only_guidance_competence_has_a_level():
    given(aggregate).when(chart(kind="recruitment", level=2)).rejected("need-without-level", field="level")
    recruits = found(kind="recruitment", level=None)
    given(aggregate, recruits).when(assess(3)).rejected("need-without-level", field="level")


def test_a_need_was_charted_within_the_last_year():
    given(aggregate).when(chart(charted_at=NOON + DAY)).rejected("charted-in-the-future", field="charted_at")
    given(aggregate).when(chart(charted_at=NOON - 367 * DAY)).rejected("charted-too-long-ago", field="charted_at")


def test_a_need_sent_again_is_the_same_need_also_after_years():
    given(aggregate, found(), charted).when(chart(level=2, words="Uusia ohjaajia.", now=NOON + 900 * DAY)).then()


def test_it_is_the_same_need_also_when_its_level_has_changed_since():
    again = chart(level=2, words="Uusia ohjaajia.")
    given(aggregate, found(), charted, turned("charted", level=4)).when(again).then()


@pytest.mark.parametrize(
    "other",
    [
        chart(level=3, words="Uusia ohjaajia."),
        chart(level=2, words="Muuta."),
        chart(level=2, words="Uusia ohjaajia.", company_id=uuid4()),
        chart(kind="training"),
    ],
)
def test_another_content_under_the_same_id_is_refused(other: ChartNeed):
    given(aggregate, found(), charted).when(other).rejected("need-already-charted")


def test_what_a_visits_record_named_is_described_by_who_knows_more():
    described = NeedDescribed(charted_level=2, words="Uusia ohjaajia.")
    first = given(aggregate, named).when(chart(level=2, words="Uusia ohjaajia."))
    first.then(described, NeedAssessed(**WHICH, level=2))
    assert first.state is not None
    assert (first.state.level, first.state.words) == (2, "Uusia ohjaajia.")
    given(aggregate, named, described).when(chart(level=2, words="Uusia ohjaajia.")).then()


def test_who_knows_more_may_come_before_the_visits_record():
    given(aggregate, found(), charted).when(chart()).then()


def test_whether_the_record_or_the_words_come_first_it_is_the_same_need():
    bare, rich = chart(), chart(level=2, words="Uusia ohjaajia.")
    ways = [
        aggregate.fold(None, [*first, *aggregate.decide(aggregate.fold(None, first), then)])
        for first, then in ((aggregate.decide(None, one), other) for one, other in ((bare, rich), (rich, bare)))
    ]
    assert ways[0] == ways[1]


def test_a_need_is_offered_something_and_met():
    given(aggregate, found(), charted).when(offer()).then(told, offered)
    outcome = given(aggregate, found(), charted, told, offered).when(close("met", "Koulutus pidettiin."))
    outcome.then(turned("met", "Koulutus pidettiin."), closed("met"))
    assert outcome.state is not None
    assert [turn.status for turn in outcome.state.history] == ["charted", "offered", "met"]


def test_something_else_may_be_offered():
    given(aggregate, found(), charted, told, offered).when(offer()).then()
    given(aggregate, found(), charted, told, offered).when(offer("Opas.")).then(turned("offered", "Opas."), offered)


@pytest.mark.parametrize("outcome", ["met", "not-met"])
def test_nothing_that_was_not_offered_meets_a_need(outcome: NeedOutcome):
    given(aggregate, found(), charted).when(close(outcome)).rejected("need-not-offered")


def test_the_company_may_take_it_back_at_any_time():
    given(aggregate, found(), charted).when(close("withdrawn")).then(turned("withdrawn"), closed("withdrawn"))


def test_what_is_closed_stays_closed_and_twice_is_once():
    over = (found(), charted, told, offered, turned("met"), closed("met"))
    given(aggregate, *over).when(close("met")).then()
    commands: list[NeedCommand] = [close("not-met"), offer(), assess(5)]
    for command in commands:
        given(aggregate, *over).when(command).rejected("need-is-closed")


def test_how_well_they_guide_is_looked_at_again():
    given(aggregate, found(), charted).when(assess(4, "Koulutettiin.")).then(
        turned("charted", "Koulutettiin.", 4), NeedAssessed(**WHICH, level=4)
    )
    given(aggregate, found(), charted).when(assess(2)).then()


def test_a_history_has_an_end_and_can_be_ended():
    turns = [turned("offered", f"Tarjous {number}.") for number in range(TURNS_MAX - 1)]
    given(aggregate, found(), *turns).when(offer("Vielä yksi.")).rejected("history-full")
    given(aggregate, found(), *turns).when(close("met")).then(turned("met"), closed("met"))


@pytest.mark.parametrize("command", [offer(), close(), assess(1)])
def test_nothing_is_done_with_a_need_that_is_not(command: NeedCommand):
    given(aggregate).when(command).rejected("need-unknown")


def test_a_visit_has_one_need_of_each_kind():
    assert need_on_visit(VISIT, "recruitment") == need_on_visit(VISIT, "recruitment")
    assert len({need_on_visit(visit, kind) for visit in (VISIT, ID) for kind in ("recruitment", "training")}) == 4


COMMANDS = st.one_of(
    st.builds(chart, level=st.sampled_from([None, 2, 3]), words=st.sampled_from(["", "Uusia ohjaajia."])),
    st.builds(assess, st.integers(1, 5)),
    st.builds(offer, st.sampled_from(["Koulutus.", "Opas."])),
    st.builds(close, st.sampled_from(["met", "not-met", "withdrawn"])),
)


@settings(max_examples=200, deadline=None)
@anything(st.lists(COMMANDS, max_size=10))
def test_whatever_is_asked_a_need_is_closed_once_and_what_happened_tells_what_it_is(commands: list[NeedCommand]):
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
    ends = [each for each in happened if isinstance(each, NeedClosed)]
    assert len(ends) <= 1
    assert (state.status in ("met", "not-met", "withdrawn")) == bool(ends)
    assert not ends or happened[-1] == ends[0]
    assert state.history[-1].status == state.status
    assert len([each for each in happened if isinstance(each, NeedCharted)]) == 1
