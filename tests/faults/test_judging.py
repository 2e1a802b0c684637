"""From what was found to the verdicts: one for each invariant, and nothing of what was found is passed over."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.faults.invariants import Note, Verdict
from tests.faults.judging import NOTES, Found, Outside, Stored, judged
from tests.faults.looking import Call, Record, Room
from tests.faults.repeated import Sender
from tests.faults.resting import Rest
from tests.faults.test_invariants import PLANNED, kept, wish

SEATS = Sender("seats", ["seats", "seats-2"], at_once=2, seconds=5.0, way_out="seats-webhook")
MAILS = Sender("notifications", ["notifications"], at_once=4, seconds=10.0, way_out="notifications-smtp")
NO_NOTES = {kind: list[dict[str, Any]]() for kind in NOTES}


def found(
    *, told: Mapping[str, Sequence[Note]] | None = None, notes: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Verdict]:
    outside = Outside(
        [MAILS, SEATS], Counter(), (), {"notifications": (), "seats": (), **(told or {})}, {**NO_NOTES, **(notes or {})}
    )
    all_kept = kept("v1", 1, 1)
    stored = Stored(all_kept, all_kept, [Record("companies", 0, 0, "v1", 1, "v1-1")], {}, 1, ())
    empty = Found([PLANNED], stored, outside, {}, (), (), (), over=False)
    return {verdict.code: verdict for verdict in judged(replace(empty, **more))}


def test_each_invariant_has_one_verdict_and_what_is_right_passes():
    assert list(found()) == ["I1", "I2", "I3", "I4", "I5", "I6", "I8"]
    assert all(verdict.holds for verdict in found().values())


def test_mails_and_calls_are_missed_when_all_is_over_and_not_before():
    seat = wish("reserve-seat", "/rooms/r1", id="s1", room={}, name="w2")
    wishes = [PLANNED, seat]
    assert not [each for each in found(wishes=wishes)["I1"].wrong if "webhook" in each or "notification" in each]
    missing = found(wishes=wishes, over=True)["I1"].wrong
    assert {"/visits/v1: no notification", "reservation s1: no webhook came"} <= set(missing)


def test_an_effect_that_may_have_been_done_twice_needs_a_cause_of_its_own_service():
    became = [{"service": "seats", "id": "s1", "since": 100.0, "until": 110.0}]
    told = {"seats": [Note("s1", "", "sent", unsure=True)]}
    rooms = {"r1": Room(2, 1, {"s1": "held"}, 1)}

    def wrong(**causes: Any) -> Sequence[str]:
        return found(told=told, notes={"unsure": became, **causes}, rooms=rooms)["I3"].wrong

    assert wrong() == ["seats s1: unsure since 100.0 to 110.0, and nothing explains it"]
    assert wrong(hurt=[{"part": "seats-2", "at": 105.0}]) == []
    assert wrong(hurt=[{"part": "notifications", "at": 105.0}]) != []


def test_what_came_from_outside_what_went_back_and_what_was_late_is_wrong():
    nobody = Outside([], Counter({"<n9@x>": 1}), [Call("s9", "{}")], {"notifications": (), "seats": ()}, NO_NOTES)
    assert found(outside=nobody)["I3"].wrong == ["mail <n9@x>: of no notification", "webhook s9: of no dispatch"]
    assert found(rests=[Rest("F1", 31.0, 30.0)], not_sent=["2 mails"])["I5"].wrong == [
        "after F1: 31.0 s, 30 s are allowed",
        "2 mails",
    ]
    assert found(rooms={"r1": Room(0, 1, {}, -1)})["I6"].wrong != []


def test_how_often_and_how_long_the_rig_stood_still_is_counted():
    still = [{"since": 100.0, "at": 103.04}, {"since": 200.0, "at": 202.5}]
    also = found(notes={"stood still": still})["I3"].also
    assert (also["the rig stood still"], also["its longest, s"]) == (2, 3.0)
    assert found()["I3"].also["the rig stood still"] == 0
