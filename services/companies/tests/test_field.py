"""The rules of a college's own fields."""

import math
from typing import Any

import pytest
from companies.field import (
    NUMBER_MAX,
    ChangeField,
    Choice,
    DefineField,
    Field,
    FieldChanged,
    FieldDefined,
    FieldRetired,
    Kind,
    Labels,
    accepted,
    aggregate,
    field_id,
)
from tyrsky.aggregate import Rejected
from tyrsky.testing import given

ID = field_id("vaao", "sector")
SECTOR = Labels(fi="Ala", sv="Bransch")
IT, CARE, OLD = (Choice(value=value, labels=Labels(fi=value)) for value in ("it", "care", "old"))

define = DefineField(field_id=ID, key="sector", kind="choice", labels=SECTOR, choices=(IT, CARE))
defined = FieldDefined(key="sector", kind="choice", labels=SECTOR, choices=(IT, CARE), required=False)


def change(**otherwise: Any) -> ChangeField:
    return ChangeField(field_id=ID, **otherwise)


def test_a_field_is_defined_once():
    given(aggregate).when(define).then(defined)
    given(aggregate, defined).when(define).rejected("field-already-defined", field="key")
    assert field_id("sasky", "sector") != ID


def test_choices_are_for_what_is_chosen():
    for kind, choices in (("choice", ()), ("choices", ()), ("text", (IT,)), ("number", (IT,))):
        wrong = define.model_copy(update={"kind": kind, "choices": choices})
        given(aggregate).when(wrong).rejected("field-choices-wrong", field="choices")
    twice = define.model_copy(update={"choices": (IT, CARE, IT)})
    given(aggregate).when(twice).rejected("field-choice-twice", field="choices")


def test_a_choice_is_added_and_no_longer_offered_but_never_taken_away():
    no_longer = IT.but(offered=False)
    changed = FieldChanged(labels=SECTOR, choices=(no_longer, CARE, OLD), required=False)
    given(aggregate, defined).when(change(choices=(no_longer, CARE, OLD))).then(changed)
    refused = given(aggregate, defined).when(change(choices=(CARE,)))
    refused.rejected("field-choice-missing", field="choices")
    assert refused.refusal is not None
    assert refused.refusal.about == {"missing": ["it"]}


def test_what_is_not_set_stays_and_what_is_so_already_changes_nothing():
    given(aggregate, defined).when(change(required=True)).then(
        FieldChanged(labels=SECTOR, choices=(IT, CARE), required=True)
    )
    given(aggregate, defined).when(change(labels=SECTOR, choices=(IT, CARE), required=False, retired=False)).then()
    given(aggregate, defined).when(change(retired=True)).then(FieldRetired(retired=True))
    given(aggregate, defined, FieldRetired(retired=True)).when(change(retired=False)).then(FieldRetired(retired=False))


def test_a_field_that_is_not_there_is_not_changed():
    given(aggregate).when(change(required=True)).rejected("field-unknown")


def field(kind: Kind, **about: Any) -> dict[str, Field]:
    choices = (IT, CARE, OLD.but(offered=False)) if kind in ("choice", "choices") else ()
    return {"x": Field(key="x", kind=kind, labels=SECTOR, choices=choices, **about)}


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("text", " kaksi\nriviä ", "kaksi\nriviä"),
        ("number", 12, 12.0),
        ("number", -0.5, -0.5),
        ("number", NUMBER_MAX, NUMBER_MAX),
        ("date", "2028-02-29", "2028-02-29"),
        ("yes-no", False, False),
        ("choice", "it", "it"),
        ("choices", ["care", "it", "care"], ("care", "it")),
    ],
)
def test_a_value_is_kept_as_its_kind(kind: Kind, value: Any, kept: Any):
    found = accepted(field(kind), {"x": value})["x"]
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[("text", value) for value in ("", "  ", "x" * 1_001, 12, ["a"])],
        *[("number", value) for value in ("12", True, math.nan, math.inf, NUMBER_MAX * 2, 10**400)],
        *[("date", value) for value in ("2026-02-29", "20260228", "2026-W10-1", "1.2.2026", 20260228)],
        *[("yes-no", value) for value in ("yes", 0, 1)],
        *[("choice", value) for value in ("old", "other", ["it"], 1)],
        *[("choices", value) for value in ("it", [], ["old"], ["it", 1], {"it": True})],
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(kind: Kind, value: Any):
    with pytest.raises(Rejected) as refused:
        accepted(field(kind), {"x": value})
    assert (refused.value.code, refused.value.field) == ("field-value-wrong", "fields.x")


def test_only_fields_that_are_in_use_are_filled_in():
    for fields, given_ in ((field("text"), {"y": "a"}), (field("text", retired=True), {"x": "a"})):
        with pytest.raises(Rejected, match="field-unknown"):
            accepted(fields, given_)
    assert accepted(field("text", retired=True), {"x": None}) == {"x": None}


def test_what_is_required_is_not_taken_away():
    assert accepted(field("text"), {"x": None}) == {"x": None}
    with pytest.raises(Rejected, match="field-required"):
        accepted(field("text", required=True), {"x": None})
