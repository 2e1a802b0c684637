"""What counts as flat, told with made-up processes."""

import math

import pytest

from tests.load.running import Usage
from tests.load.soak import _flat  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("an_hour", "varies", "flat"),
    [
        (0.0, 0.0, True),
        (7.0, 0.1, True),  # less than a tenth
        (20.0, 0.1, False),
        (9.0, 3.0, True),  # no more than it goes up and down
        (60.0, 3.0, False),
    ],
)
def test_memory_is_flat_when_it_grows_little_or_no_more_than_it_varies(an_hour: float, varies: float, flat: bool):
    seconds = 600.0
    series = [
        (at, Usage(80 + an_hour * at / 3_600 + varies * math.sin(at), 50, 10))
        for at in [number * seconds / 200 for number in range(201)]
    ]
    memory, files = _flat("gateway", series, seconds)
    assert (memory.held, files.held) == (flat, True)
