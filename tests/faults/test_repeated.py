"""I3's exception: each effect that may have been done twice has a cause, and one cause explains only so many."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults import repeated
from tests.faults.ledger import Ledger, Paper
from tests.faults.repeated import Attempt, Carried, Cause, Sender
from tests.faults.underway import UnderWay

SENDER = Sender("seats", ["seats", "seats-2"], at_once=2, seconds=5.0, way_out="seats-webhook")
NOTHING = "nothing explains it"


def unsure(id: str = "s1", since: float = 100.0, until: float = 110.0) -> dict[str, Any]:
    return {"id": id, "since": since, "until": until}


def wrong(
    *became: dict[str, Any],
    carried: Sequence[Carried] = (),
    hurt: Sequence[dict[str, Any]] = (),
    broke: Sequence[dict[str, Any]] = (),
    still: Sequence[dict[str, Any]] = (),
) -> Sequence[str]:
    causes = repeated.causes(SENDER, hurt, broke, still)
    return repeated.explained(SENDER, became, carried, causes, [each["id"] for each in became]).wrong


def out(since: float, until: float = 0.0, *, id: str = "s1", harmed: bool = False) -> Carried:
    return Carried(id, since, until or since, harmed)


def test_what_nothing_explains_is_counted_and_what_was_never_seen_too():
    assert wrong() == []
    assert wrong(unsure()) == ["seats s1: unsure since 100.0 to 110.0, and nothing explains it"]
    assert repeated.explained(SENDER, [], [], [], ["s2"]).wrong == ["seats s2: unsure, and never seen to become so"]


def test_a_death_of_a_sender_or_the_store_explains_what_was_under_way_and_nothing_else():
    for part in ("seats", "seats-2", "mongo"):
        assert wrong(unsure(), hurt=[{"part": part, "at": 105.0}]) == []
        assert len(wrong(unsure(), hurt=[{"part": part, "at": 95.0}])) == 1
        assert len(wrong(unsure(), hurt=[{"part": part, "at": 111.0}])) == 1
    for part in ("companies", "notifications", "kafka"):
        assert len(wrong(unsure(), hurt=[{"part": part, "at": 105.0}])) == 1


def test_the_way_to_the_store_explains_it_and_another_pairs_does_not():
    def break_of(pair: str, how: str, since: float, at: float) -> dict[str, Any]:
        return {"pair": pair, "how": how, "since": since, "at": at}

    assert wrong(unsure(), broke=[break_of("seats-mongo", "reset", 105, 105)]) == []
    assert wrong(unsure(), broke=[break_of("seats-mongo", "hole", 80, 101)]) == []
    assert len(wrong(unsure(), broke=[break_of("seats-mongo", "hole", 60, 90)])) == 1
    assert len(wrong(unsure(), broke=[break_of("notifications-mongo", "reset", 105, 105)])) == 1
    assert len(wrong(unsure(), broke=[break_of("seats-webhook", "reset", 105, 105)])) == 1  # whose, its effect tells


def test_harm_to_its_own_connection_explains_it_and_to_anothers_does_not():
    assert wrong(unsure(), carried=[out(104, 108, harmed=True)]) == []
    assert len(wrong(unsure(), carried=[out(104, 108)])) == 1
    assert len(wrong(unsure(), carried=[out(104, 108, id="s2", harmed=True)])) == 1
    assert len(wrong(unsure(), carried=[out(80, 90, harmed=True)])) == 1


def test_a_connection_that_was_harmed_before_it_had_an_effect_explains_one():
    harmed = out(101, 103, id="", harmed=True)
    assert wrong(unsure(), carried=[harmed]) == []
    assert len(wrong(unsure(), unsure("s2"), carried=[harmed])) == 1


def test_a_death_explains_as_many_as_a_sender_has_in_hand():
    three = [unsure(f"s{number}") for number in range(3)]
    assert wrong(*three[:2], hurt=[{"part": "seats", "at": 105.0}]) == []
    assert len(wrong(*three, hurt=[{"part": "seats", "at": 105.0}])) == 1
    hundreds = [unsure(f"s{number}") for number in range(300)]
    assert len(wrong(*hundreds, hurt=[{"part": "mongo", "at": 105.0}])) == 300 - 4


def test_what_went_out_again_is_counted_unless_something_explains_that_very_attempt():
    again = [out(100, 100.1), out(140, 140.1)]
    assert wrong(carried=again) == [f"seats s1: went out at 100.0, and again, and {NOTHING}"]
    assert wrong(carried=[out(100, 100.1, harmed=True), again[1]]) == []
    assert wrong(carried=again, hurt=[{"part": "seats", "at": 100.5}]) == []
    assert len(wrong(carried=again, hurt=[{"part": "seats", "at": 120.0}])) == 1
    assert len(wrong(carried=[*again, out(180)], hurt=[{"part": "seats", "at": 100.5}])) == 1
    assert len(wrong(carried=[again[0], out(140, harmed=True)])) == 1  # the last one is not what was repeated


def test_the_rig_that_stood_still_held_everything_up():
    assert wrong(unsure(), still=[{"since": 104.0, "at": 109.0}]) == []
    assert len(wrong(unsure(), still=[{"since": 90.0, "at": 95.0}])) == 1
    five = [unsure(f"s{number}") for number in range(5)]
    assert len(wrong(*five, still=[{"since": 104.0, "at": 109.0}])) == 1  # two in hand, of two instances


def test_of_causes_that_explain_several_each_is_used_where_it_is_needed():
    early, late = Attempt("early", 0, 5), Attempt("late", 0, 20)
    causes = [Cause("first", 4, 4, 1), Cause("second", 15, 15, 1)]
    for order in ([early, late], [late, early]):
        assert repeated.without_cause(order, causes) == []
        assert repeated.without_cause(order, list(reversed(causes))) == []
        assert len(repeated.without_cause(order, causes[:1])) == 1
        assert len(repeated.without_cause([*order, late], causes)) == 1


# -- seen from outside -------------------------------------------------------------------------------------------------


def watched(folder: Path) -> UnderWay:
    under_way = UnderWay(SENDER, Ledger(folder / "ledger.jsonl"))
    under_way.seen(10, 11, [])
    under_way.all_seen(10, 11, [])
    return under_way


def became(folder: Path) -> list[tuple[str, float, float]]:
    return [(each["id"], each["since"], each["until"]) for each in Paper(folder / "ledger.jsonl").noted("unsure")]


def test_an_attempt_that_was_lost_hurt_when_it_may_have_been_made(tmp_path: Path):
    under_way = watched(tmp_path)
    for began in range(12, 60, 2):
        under_way.seen(began, began + 1, [("s1", "sending", 1, False)])
    under_way.seen(60, 61, [("s1", "sending", 2, True)])
    under_way.seen(62, 63, [("s1", "sent", 2, True)])
    assert became(tmp_path) == [("s1", 10, 13 + 5 + repeated.LATE_SECONDS)]


def test_an_attempt_that_ended_between_two_looks_hurt_between_them(tmp_path: Path):
    under_way = watched(tmp_path)
    under_way.seen(12, 13, [])
    under_way.all_seen(14, 15, [("s1", 1)])
    under_way.all_seen(24, 25, [("s1", 1), ("s2", 1)])
    assert became(tmp_path) == [("s1", 10, 15), ("s2", 14, 25)]


def test_of_attempts_one_after_the_other_the_last_one_counts(tmp_path: Path):
    under_way = watched(tmp_path)
    under_way.seen(12, 13, [("s1", "sending", 1, False)])
    under_way.seen(14, 15, [("s1", "sending", 2, False)])
    under_way.seen(16, 17, [("s1", "accepted", 2, True)])
    assert became(tmp_path) == [("s1", 12, 17)]
