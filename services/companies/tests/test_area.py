"""The rules of a college's areas."""

from contextlib import suppress
from uuid import UUID

import pytest
from companies.area import (
    Area,
    AreaCommand,
    AreaDrawn,
    AreaRedrawn,
    AreaRemoved,
    AreaRenamed,
    ChangeArea,
    DrawArea,
    RemoveArea,
    aggregate,
)
from hypothesis import given as whatever
from hypothesis import strategies as st
from pydantic import ValidationError
from tyrsky.aggregate import Rejected
from tyrsky.testing import given

ID = UUID("0d4b9f1e-5a52-5b6e-9d55-6a1f0a7c2f11")
KNOWN = frozenset({"020", "908", "887"})


def draw(*codes: str, name: str = "Eteläinen Pirkanmaa") -> DrawArea:
    return DrawArea(area_id=ID, name=name, municipalities=codes, known=KNOWN & {*codes})


def redraw(*codes: str, known: frozenset[str] = KNOWN) -> ChangeArea:
    return ChangeArea(area_id=ID, municipalities=codes, known=known & {*codes})


def rename(name: str) -> ChangeArea:
    return ChangeArea(area_id=ID, name=name)


remove = RemoveArea(area_id=ID)
drawn = AreaDrawn(name="Eteläinen Pirkanmaa", municipalities=("020", "908"))


def test_an_area_is_municipalities_under_a_name():
    outcome = given(aggregate).when(draw("908", "020")).then(drawn)
    assert outcome.state == Area(name="Eteläinen Pirkanmaa", municipalities=("020", "908"))


def test_a_municipality_that_is_named_twice_is_in_it_once():
    given(aggregate).when(draw("908", "020", "908")).then(drawn)


def test_an_area_has_a_municipality():
    given(aggregate).when(draw()).rejected("area-empty", field="municipalities")
    given(aggregate, drawn).when(redraw()).rejected("area-empty", field="municipalities")


def test_no_area_has_what_is_no_municipality():
    outcome = given(aggregate).when(draw("908", "999", "001"))
    outcome.rejected("municipality-unknown", field="municipalities")
    assert outcome.refusal is not None
    assert outcome.refusal.about == {"unknown": ["001", "999"]}
    given(aggregate, drawn).when(redraw("999")).rejected("municipality-unknown", field="municipalities")


def test_there_are_no_more_municipalities_than_the_country_has():
    codes = tuple(f"{number:03}" for number in range(321))
    with pytest.raises(ValidationError):
        DrawArea(area_id=ID, name="x", municipalities=codes, known=frozenset())


def test_nobody_draws_an_area_twice():
    given(aggregate, drawn).when(draw("908")).rejected("area-already-drawn")


def test_an_area_is_renamed():
    outcome = given(aggregate, drawn).when(rename("Etelä")).then(AreaRenamed(name="Etelä"))
    assert outcome.state == Area(name="Etelä", municipalities=("020", "908"))


def test_an_area_is_drawn_anew():
    outcome = given(aggregate, drawn).when(redraw("887", "908")).then(AreaRedrawn(municipalities=("887", "908")))
    assert outcome.state == Area(name="Eteläinen Pirkanmaa", municipalities=("887", "908"))


def test_both_at_once():
    change = ChangeArea(area_id=ID, name="Etelä", municipalities=("908",), known=frozenset({"908"}))
    given(aggregate, drawn).when(change).then(AreaRenamed(name="Etelä"), AreaRedrawn(municipalities=("908",)))


def test_what_is_so_already_changes_nothing():
    given(aggregate, drawn).when(rename("Eteläinen Pirkanmaa")).then()
    given(aggregate, drawn).when(redraw("908", "020", "908")).then()
    given(aggregate, drawn).when(ChangeArea(area_id=ID)).then()


def test_a_municipality_that_has_gone_since_may_stay():
    given(aggregate, drawn).when(redraw("020", known=frozenset())).then(AreaRedrawn(municipalities=("020",)))


def test_an_area_is_removed_once():
    outcome = given(aggregate, drawn).when(remove).then(AreaRemoved())
    assert outcome.state is not None
    assert outcome.state.removed
    given(aggregate, drawn, AreaRemoved()).when(remove).then()


@pytest.mark.parametrize("command", [rename("Etelä"), redraw("908"), draw("908")])
def test_a_removed_area_is_none(command: AreaCommand):
    given(aggregate, drawn, AreaRemoved()).when(command).rejected("area-unknown")


@pytest.mark.parametrize("command", [rename("Etelä"), redraw("908"), remove])
def test_what_is_not_there_is_not_changed(command: AreaCommand):
    given(aggregate).when(command).rejected("area-unknown")


CODES = st.lists(st.sampled_from(["020", "908", "887", "999"]), max_size=5).map(tuple)
NAMES = st.sampled_from(["Etelä", "Pohjoinen"])
COMMANDS = st.lists(
    st.one_of(
        CODES.map(lambda codes: draw(*codes)),
        CODES.map(lambda codes: redraw(*codes)),
        NAMES.map(rename),
        st.just(remove),
    ),
    max_size=12,
)


@whatever(COMMANDS)
def test_whatever_is_asked_an_area_has_known_municipalities_in_order_and_replays_to_the_same(
    commands: list[AreaCommand],
):
    state: Area | None = None
    happened = list[object]()
    for command in commands:
        with suppress(Rejected):
            happenings = aggregate.decide(state, command)
            state = aggregate.fold(state, happenings)
            happened += happenings
            assert aggregate.decide(state, command) == [] or isinstance(command, DrawArea)
    if state is not None:
        assert state.municipalities
        assert {*state.municipalities} <= KNOWN
        assert list(state.municipalities) == sorted({*state.municipalities})
    replayed: Area | None = None
    for event in happened:
        replayed = aggregate.evolve(replayed, event)
    assert replayed == state
