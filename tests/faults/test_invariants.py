"""The invariants themselves: papers with one flaw each, made up, must each be counted; papers without one must pass."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.faults import invariants
from tests.faults.invariants import Note, Shown
from tests.faults.ledger import Asked, Wish
from tests.faults.looking import Call, Kept, Record, Room

VISIT = "/visits/v1"


def wish(kind: str, about: str, *, version: int = 1, status: int = 200, name: str = "w", **body: Any) -> Wish:
    path = about
    if kind == "cancel-seat":
        path = f"{about}/reservations/{body['id']}/cancel"
    contact = {"contact_id": "c1"} if kind == "plan-visit" else None
    within = "room" if kind == "reserve-seat" else ""
    return Wish(
        Asked(name, "c", "u", kind, "POST", path, about, contact, within=within), 1, status, "", version, body=body
    )


def kept(id: str, version: int, sequence: int, place: str = "companies.visits") -> dict[str, Kept]:
    return {id: Kept(place, version, sequence, 0)}


def records(*numbers: int, key: str = "v1", topic: str = "companies", partition: int = 0) -> list[Record]:
    return [Record(topic, partition, offset, key, n, f"{key}-{n}") for offset, n in enumerate(numbers)]


# -- I1 ----------------------------------------------------------------------------------------------------------------

PLANNED, MOVED = wish("plan-visit", VISIT, id="v1", day=1), wish("move-visit", VISIT, version=2, id="v1", day=2)


def test_what_is_there_as_it_was_acknowledged_is_not_missing():
    shown = {VISIT: Shown(2, {"id": "v1", "day": 2})}
    assert invariants.acknowledged_is_there([PLANNED, MOVED], shown, kept("v1", 2, 2)).holds


def test_what_somebody_else_changed_since_is_not_missing():
    shown = {VISIT: Shown(3, {"id": "v1", "day": 9})}
    assert invariants.acknowledged_is_there([PLANNED, MOVED], shown, kept("v1", 3, 3)).holds


@pytest.mark.parametrize(
    ("shown", "store", "says"),
    [
        ({VISIT: None}, kept("v1", 2, 2), "the API does not know it"),
        ({}, {}, "not in the store"),
        ({}, kept("v1", 1, 1), "version 2 was acknowledged, the store has 1"),
        ({VISIT: Shown(1, {"id": "v1", "day": 1})}, kept("v1", 2, 2), "version 2 was acknowledged, the API shows 1"),
        ({VISIT: Shown(2, {"id": "v1", "day": 1})}, kept("v1", 2, 2), "other content than was acknowledged"),
    ],
)
def test_what_was_lost_is_counted(shown: Mapping[str, Shown | None], store: Mapping[str, Kept], says: str):
    verdict = invariants.acknowledged_is_there([PLANNED, MOVED], shown, store)
    assert len(verdict.wrong) == 1
    assert says in verdict.wrong[0]


def test_one_version_that_was_promised_to_two_is_counted():
    other = wish("move-visit", VISIT, version=2, id="v1", day=3)
    verdict = invariants.acknowledged_is_there([PLANNED, MOVED, other], {}, kept("v1", 2, 2))
    assert verdict.wrong == [f"{VISIT}: version 2 was answered in two ways"]


def test_what_was_refused_or_never_answered_is_no_promise():
    asked = [wish("plan-visit", VISIT, status=status, id="v1") for status in (0, 409)]
    assert invariants.acknowledged_is_there(asked, {}, {}).holds


def test_a_confirmation_that_never_came_is_counted():
    reserved = wish("reserve-seat", "/rooms/r1", id="s1", room={})
    assert invariants.calls_came([reserved], {"s1": 1}) == []
    assert invariants.calls_came([reserved], {}) == ["reservation s1: no webhook came"]


# -- I2 ----------------------------------------------------------------------------------------------------------------


def test_events_that_are_all_there_are_not_missing_whichever_topics_they_are_on():
    both = [*records(1, 3), *records(2, topic="notification-requests")]
    assert invariants.committed_is_published(kept("v1", 3, 3), both).holds


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (records(1, 3), "event 2 is on no topic"),
        (records(2, 3), "event 1 is on no topic"),
        (records(1, 2), "event 3 is on no topic"),
        (records(1, 2, 3, 4), "event 4 is on a topic, the store has none"),
        ([*records(1, 2, 3), *records(1, key="v2")], "v2: on a topic, in no store"),
    ],
)
def test_what_store_and_topic_do_not_share_is_counted(seen: list[Record], says: str):
    verdict = invariants.committed_is_published(kept("v1", 3, 3), seen)
    assert len(verdict.wrong) == 1
    assert says in verdict.wrong[0]


def test_an_event_that_waits_in_its_outbox_is_not_yet_missing():
    waiting = {"v1": Kept("companies.visits", 3, 3, waiting=1)}
    assert invariants.committed_is_published(waiting, records(1, 2)).holds
    assert len(invariants.committed_is_published(waiting, records(1)).wrong) == 1


def test_what_was_committed_and_published_while_the_topic_was_read_is_no_stranger():
    before, after = kept("v1", 1, 1), {**kept("v1", 2, 2), **kept("v2", 1, 1)}
    both = [*records(1, 2), *records(1, key="v2")]
    assert invariants.committed_is_published(before, both, after).holds
    assert len(invariants.committed_is_published(before, both).wrong) == 2


# -- I3 ----------------------------------------------------------------------------------------------------------------

NOTE = Note("n1", "v1", "sent", unsure=False)


def effects(notes: Sequence[Note], mails: Mapping[str, int], made: Sequence[str] = ("v1",)) -> invariants.Verdict:
    return invariants.effects_once([PLANNED], notes, Counter(mails), {"plan-visit": made})


def test_one_mail_and_one_visit_are_right():
    assert effects([NOTE], {"<n1@vaao.example>": 1}).holds


def test_a_mail_that_came_again_is_counted_unless_it_says_that_it_may():
    again = {"<n1@vaao.example>": 3}
    three = replace(NOTE, attempts=3)
    assert effects([three], again).wrong == ["mail <n1@vaao.example>: came 3 times, and nobody says that it may"]
    unsure = effects([replace(three, unsure=True)], again)
    assert unsure.holds
    assert unsure.also["mails that came again and say so"] == 2


def test_a_mail_of_nobodys_asking_and_a_second_notification_are_counted():
    assert effects([], {"<n1@vaao.example>": 1}).wrong == ["mail <n1@vaao.example>: of no notification"]
    assert effects([NOTE, replace(NOTE, id="n2")], {}).wrong == ["v1: 2 notifications"]


def test_a_visit_that_nobody_was_told_of_is_counted_unless_somebody_waits_for_an_answer():
    assert effects([NOTE], {}, made=["v1", "v2"]).wrong == ["plan-visit v2: nobody was told of it"]
    waiting = wish("plan-visit", "/visits/{id}", status=0)
    verdict = invariants.effects_once([PLANNED, waiting], [], Counter(), {"plan-visit": ["v1", "v2"]})
    assert verdict.holds


def test_a_mail_that_came_more_often_than_it_was_tried_is_counted_whatever_it_says():
    verdict = effects([replace(NOTE, unsure=True, attempts=2)], {"<n1@vaao.example>": 3})
    assert verdict.wrong == ["mail <n1@vaao.example>: came 3 times in 2 attempts"]


def test_a_room_that_was_opened_twice_is_counted():
    opened = wish("open-room", "/rooms/r1", id="r1")
    assert invariants.effects_once([opened], [], Counter(), {"open-room": ["r1"]}).holds
    twice = invariants.effects_once([opened], [], Counter(), {"open-room": ["r1", "r2"]})
    assert twice.wrong == ["open-room r2: nobody was told of it"]


DISPATCH = Note("s1", "", "sent", unsure=False)
ROOMS = {"r1": Room(2, 1, {"s1": "held"})}


def calls(note: Note, *came: Call) -> invariants.Verdict:
    return invariants.calls_once({"s1": note}, came, ROOMS)


def test_a_call_that_came_again_is_counted_unless_it_says_that_it_may():
    call, twice = Call("s1", "{}"), replace(DISPATCH, attempts=2)
    assert calls(DISPATCH, call).holds
    assert calls(twice, call, call).wrong == ["webhook s1: came 2 times, and nobody says that it may"]
    unsure = calls(replace(twice, unsure=True), call, call)
    assert unsure.holds
    assert unsure.also["webhooks that came again and say so"] == 1
    assert calls(replace(twice, unsure=True), call, call, call).wrong == ["webhook s1: came 3 times in 2 attempts"]


def test_a_call_that_is_not_what_it_was_before_or_not_signed_is_counted():
    twice = replace(DISPATCH, attempts=2, unsure=True)
    assert calls(twice, Call("s1", "{}"), Call("s1", "{ }")).wrong == ["webhook s1: came with 2 bodies"]
    assert calls(DISPATCH, Call("s1", "{}", genuine=False)).wrong == ["webhook s1: its signature is wrong"]


def test_a_call_of_nobodys_asking_is_counted():
    assert invariants.calls_once({}, [Call("s1", "{}")], ROOMS).wrong == ["webhook s1: of no dispatch"]
    other = replace(DISPATCH, id="s2")
    assert invariants.calls_once({"s2": other}, [], ROOMS).wrong == ["dispatch s2: of no reservation"]


# -- I4 ----------------------------------------------------------------------------------------------------------------


def test_numbers_that_only_grow_are_right_also_with_gaps():
    assert invariants.never_back([*records(1, 2, 5), *records(1, 2, key="v2", partition=1)]).holds


def test_an_event_that_readers_find_twice_is_counted():
    assert invariants.never_back(records(1, 2, 2, 3)).wrong == ["companies[0]@2 v1: 2 is there twice"]


def test_a_number_that_goes_back_is_counted_though_it_be_a_repeat():
    assert invariants.never_back(records(1, 2, 3, 2)).wrong == ["companies[0]@3 v1: 2 after 3"]


def test_one_number_for_two_events_is_counted():
    two = [*records(1), Record("companies", 0, 9, "v1", 1, "another id")]
    assert invariants.never_back(two).wrong == ["companies[0]@9 v1: 1 is two events"]


def test_a_read_model_that_went_back_is_counted():
    assert invariants.never_back([], ["reach b1 v1: 1 after 2"]).wrong == ["reach b1 v1: 1 after 2"]


# -- I5, I7 ------------------------------------------------------------------------------------------------------------


def test_what_needs_a_person_is_counted():
    assert invariants.nobody_needed({"companies": "RUNNING", "companies-2": "STOPPED"}, {"companies": ""}, []).holds
    verdict = invariants.nobody_needed({"kafka": "FATAL"}, {"mongo": "an answer"}, ["companies v1"])
    assert verdict.wrong == ["kafka: FATAL", "mongo waits for an answer", "parked: companies v1"]
    assert not invariants.nobody_needed({}, {}, [], ["seats ended"]).holds
