"""The report: nothing that broke is missing from it, and it says what was not run."""

from dataclasses import replace

from tests.faults import faults, report
from tests.faults.fault import Outcome
from tests.faults.invariants import Verdict
from tests.faults.parts import Outside
from tests.faults.planning import Planned
from tests.faults.running import Result, Segment, Wanted

EVERYTHING = [Segment(Planned(fault, fault.full), Outcome(times=fault.full), 1.0) for fault in faults.ALL]
COUNTS = {"asked": 3, "tries": 4, "acknowledged": 2, "refused": 1, "gave up": 0}
F1, _, F3, *_ = faults.ALL


def result(
    *verdicts: Verdict,
    broken: tuple[str, ...] = (),
    wrong: tuple[str, ...] = (),
    wanted: Wanted | None = None,
    times: int = 3,
) -> Result:
    segments = [
        Segment(Planned(F1, 3), Outcome({"kills": 3}, wrong, times), 4.2, 30, [Verdict("I1")]),
        Segment(Planned(F3, 0, "outside: mongo")),
    ]
    return Result(wanted or Wanted([F1, F3], 7, 3), segments, verdicts, COUNTS, 180, broken)


def test_a_run_in_which_all_held_says_so():
    page = report.page(result(Verdict("I1", (), {"aggregates": 9})))
    assert "**every invariant held, of what was run**" in page
    assert "| I1 | acknowledged, but missing | 0 | 0 | aggregates: 9 |" in page
    assert "kills: 3" in page
    assert "seed 7" in page


def test_a_run_of_everything_in_full_says_so_and_one_of_less_does_not():
    whole = Result(Wanted(faults.ALL, 7, 3, full=True), EVERYTHING, [Verdict("I1")], COUNTS, 180, [])
    assert "**every invariant held**" in report.page(whole)
    once_less = Segment(Planned(F1, F1.full - 1), Outcome(times=F1.full - 1))
    less = replace(whole, segments=[once_less, *EVERYTHING[1:]])
    assert "**every invariant held, of what was run**" in report.page(less)


def test_what_was_not_run_says_why():
    page = report.page(result())
    assert "not run: outside: mongo" in page
    for fault in faults.ALL:
        assert f"| {fault.code} | {fault.name} |" in page
    assert "| F2 | a relay stopped in the middle of publishing, then continued | not run: not asked for |" in page


def test_a_fault_that_was_named_and_not_run_is_no_success():
    named = result(wanted=Wanted([F1, F3], 7, 3, named=True))
    assert not named.holds
    assert "F3: was to be run, and was not: outside: mongo" in report.page(named)
    assert not result(wanted=Wanted([F1, F3], 7, 3, full=True)).holds
    outside = Outside(mongo_uri="mongodb://db.example")
    assert result(wanted=Wanted([F1, F3], 7, 3, full=True, outside=outside)).holds


def test_what_took_place_is_told_and_less_than_was_planned_is_no_success():
    two_of_three = result(times=2)
    assert not two_of_three.holds
    assert f"| F1 | {F1.name} | 2 | {F1.full} |" in report.page(two_of_three)
    assert "- F1: took place 2 times of 3 that were planned" in report.page(two_of_three)


def test_every_kind_of_fault_is_no_success():
    assert result().holds
    assert not result(Verdict("I1", ["v1: gone"])).holds
    assert not result(broken=("desk-1: KeyError",)).holds
    assert not result(wrong=("room r1",)).holds


def test_offending_ids_are_named_and_the_rest_counted():
    page = report.page(result(Verdict("I2", [f"event {number}" for number in range(25)])))
    assert "NOT EVERYTHING HELD" in page
    assert "I2 at the end: event 19" in page
    assert "event 20" not in page
    assert "and 5 more" in page
