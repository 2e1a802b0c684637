"""Read models are watched: a row that goes back or vanishes is told of, a row that is new or goes on is not."""

from tests.faults.checking import Rows, of_this_run
from tests.faults.looking import Record


def test_what_a_run_before_wrote_on_somebody_elses_cluster_is_passed_over_by_place_and_not_by_id():
    before, ours, elsewhere = (Record("companies", at, offset, "c1", 1, "e") for at, offset in ((0, 6), (0, 7), (1, 0)))
    assert of_this_run([before, ours, elsewhere], {("companies", 0): 7}) == [ours, elsewhere]


def test_rows_that_go_on_are_right_and_another_edition_is_another_matter():
    rows = Rows()
    assert rows.now("reach", {("b1", "v1"): 1}) == []
    assert rows.now("reach", {("b1", "v1"): 2, ("b2", "v2"): 1}) == []
    assert rows.now("reach_edition_2", {}) == []


def test_rows_that_went_back_or_vanished_are_wrong():
    rows = Rows()
    rows.now("reach", {("b1", "v1"): 2, ("b2", "v2"): 1})
    assert rows.now("reach", {("b1", "v1"): 1}) == ["reach b1 v1: 1 after 2", "reach b2 v2: vanished after 1"]
