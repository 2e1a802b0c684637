"""Rest that comes too late is counted, by what each may take."""

import pytest

from tests.faults.resting import Rest, settles


@pytest.mark.parametrize(("took", "count"), [(30.0, 0), (30.1, 1), (float("inf"), 1)])
def test_a_rest_that_came_too_late_is_counted(took: float, count: int):
    assert len(settles([Rest("F6", 40.0, 50), Rest("F1", took, 30)]).wrong) == count
