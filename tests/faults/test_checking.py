"""Read models are watched: a row that goes back or vanishes is told of, a row that is new or goes on is not."""

from tests.faults.checking import Rows


def test_rows_that_go_on_are_right_and_another_edition_is_another_matter():
    rows = Rows()
    assert rows.now("reach", {("b1", "v1"): 1}) == []
    assert rows.now("reach", {("b1", "v1"): 2, ("b2", "v2"): 1}) == []
    assert rows.now("reach_edition_2", {}) == []


def test_rows_that_went_back_or_vanished_are_wrong():
    rows = Rows()
    rows.now("reach", {("b1", "v1"): 2, ("b2", "v2"): 1})
    assert rows.now("reach", {("b1", "v1"): 1}) == ["reach b1 v1: 1 after 2", "reach b2 v2: vanished after 1"]
