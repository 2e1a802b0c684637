"""Answers that nobody may give: each must be counted, and those by the rules must not."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults import answers
from tests.faults.ledger import Asked, Paper, Wish


def wish(kind: str, status: int, code: str = "", *, client: str = "c", fault: str = "", **body: Any) -> Wish:
    asked = Asked("w1", client, "u", kind, "POST", "/there", "/things/{id}", body)
    return Wish(asked, 1, status, code, version=1, body={"id": "t1"}, fault=fault)


def wrong(*wishes: Wish, over: bool = False) -> Sequence[str]:
    return answers.by_the_rules(wishes, over=over).wrong


EVERY_KIND = [wish(kind, 200) for kind in answers.KINDS]


def test_what_the_rules_refuse_is_right():
    assert wrong(*(wish(*rule) for rule in answers.RULES)) == []


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("open-room", 500, "unexpected"),
        ("plan-visit", 404, "company-unknown"),
        ("reserve-seat", 404, "room-unknown"),
        ("reserve-seat", 412, "version-stale"),
        ("register-company", 403, "role-missing"),
        ("record-visit", 409, "visit-not-begun"),
        ("cancel-visit", 409, "visit-is-over"),
        ("add-contact", 422, "key-reused"),
    ],
)
def test_what_no_rule_refuses_is_counted(kind: str, status: int, code: str):
    assert wrong(wish(kind, status, code)) == [f"w1 {kind} /there: answered {status} {code}, which no rule gives"]


def test_a_clock_that_is_behind_refuses_what_it_takes_for_the_future_and_only_then():
    refused = ("record-visit", 409, "visit-not-begun")
    assert wrong(wish(*refused, fault="F9")) == []
    assert len(wrong(wish(*refused, fault="F1"))) == 1


def test_a_visit_with_a_guest_is_for_a_day_to_come():
    assert len(wrong(wish("plan-visit", 422, "visit-in-the-past", contact_id="c1"))) == 1


def test_the_state_machine_judges_its_refusals_itself():
    assert wrong(wish("open-room", 422, "request-invalid", client=answers.MODELLED)) == []


def test_who_gave_up_is_counted_and_who_still_waits_only_when_all_is_over():
    alone = wish("open-room", 0)
    assert wrong(*EVERY_KIND, alone) == []
    assert wrong(*EVERY_KIND, alone, over=True) == ["w1 open-room /there: it has no answer, and nobody gave up"]
    assert wrong(replace(alone, gave_up=True)) == ["w1 open-room /there: nobody answered, in 1 tries"]


def test_an_acknowledgement_without_a_version_or_an_id_is_counted():
    nameless, unversioned = replace(wish("open-room", 201), body={}), replace(wish("open-room", 201), version=0)
    assert wrong(nameless) == ["w1 open-room /there: acknowledged without an id"]
    assert wrong(unversioned) == ["w1 open-room /there: acknowledged without a version"]


def test_a_kind_that_was_never_acknowledged_proves_nothing():
    assert wrong(*EVERY_KIND, over=True) == []
    assert wrong(*EVERY_KIND[1:], over=True) == [f"{answers.KINDS[0]}: none was ever acknowledged"]


def test_a_wish_knows_which_fault_was_on(tmp_path: Path):
    asked = {"client": "c", "user": "u", "kind": "open-room", "method": "POST", "path": "/rooms"}
    lines = [
        {"happening": "asked", "wish": "w1", "at": 1.0, **asked},
        {"happening": "noted", "wish": "fault", "at": 2.0, "code": "F9", "amount": 2},
        {"happening": "asked", "wish": "w2", "at": 3.0, **asked},
    ]
    file = tmp_path / "ledger.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert [each.fault for each in Paper(file).wishes()] == ["", "F9"]
