"""A new instance has a part in the work, or it proves nothing that it was there."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest

from tests.faults import scaling
from tests.faults.rig import Rig
from tests.faults.scaling import Has

METRICS = """\
# HELP http_request_seconds How long requests took, by route template.
# TYPE http_request_seconds histogram
http_request_seconds_bucket{le="0.1",method="GET",route="/readyz",status="200"} 9.0
http_request_seconds_count{method="GET",route="/readyz",status="200"} 9.0
http_request_seconds_sum{method="GET",route="/readyz",status="200"} 0.1
"""
VISITS = """\
http_request_seconds_bucket{le="0.1",method="GET",route="/visits",status="200"} 2.0
http_request_seconds_count{method="GET",route="/visits",status="200"} 2.0
http_request_seconds_count{method="POST",route="/visits",status="201"} 1.0
"""


def test_looks_at_how_it_is_are_no_work():
    assert scaling.requests_in(METRICS) == 0
    assert scaling.requests_in(METRICS + VISITS) == 3


@pytest.mark.parametrize(
    ("has", "enough", "too_little"),
    [
        (Has(requests=True, messages=True), [(3, 5)], [(0, 5), (3, 0)]),
        (Has(requests=True, messages=False), [(3, 0)], [(0, 5)]),
        (Has(requests=False, messages=True), [(0, 5)], [(3, 0)]),
    ],
)
def test_who_is_new_has_to_have_its_part_of_all_that_there_is(
    has: Has, enough: Sequence[tuple[int, int]], too_little: Sequence[tuple[int, int]]
):
    assert all(scaling.worked(each, has) for each in enough)
    assert not any(scaling.worked(each, has) for each in too_little)


class Instances:
    """A rig, as far as instances go that take their time to start and to stop; what happened to them, and when."""

    def __init__(self, starts: float, stops: float) -> None:
        self._starts, self._stops, self._began = starts, stops, time.monotonic()
        self.ready_at: dict[str, float] = {}
        self.happened: list[tuple[int, str, str]] = []
        self.layout = SimpleNamespace(instances=lambda _: ["s", "s-2", "s-3", "s-4"])  # pyright: ignore[reportUnknownLambdaType]
        self.supervisor = self
        self.parts = {name: SimpleNamespace(ready=partial(self._waits, name)) for name in ("s-2", "s-3", "s-4")}

    def _note(self, what: str, name: str) -> None:
        self.happened.append((round((time.monotonic() - self._began) / scaling.STEP_SECONDS), what, name))

    def _waits(self, name: str) -> str:
        return "it starts" if time.monotonic() < self.ready_at[name] else ""

    def start(self, name: str) -> None:
        """It begins to start."""
        self._note("start", name)
        self.ready_at[name] = time.monotonic() + self._starts

    async def stop(self, name: str) -> None:
        """It is stopped, in the end."""
        self._note("stop", name)
        await asyncio.sleep(self._stops)


STEPS = [
    *((0, "start", name) for name in ("s-2", "s-3", "s-4")),
    *((1, "stop", name) for name in ("s-3", "s-4")),
    (2, "stop", "s-2"),
]


@pytest.mark.parametrize(("starts", "in_vain"), [(0.0, 0), (1.5, 4), (9.0, 6)])
async def test_by_the_clock_nobody_waits_until_who_starts_is_ready(
    starts: float, in_vain: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scaling, "STEP_SECONDS", 0.3)
    rig = Instances(starts * 0.3, stops=0.1)
    counts = await scaling.by_the_clock(cast("Rig", rig), "s")
    assert sorted(rig.happened) == sorted([*STEPS, *((step + 3, what, name) for step, what, name in STEPS)])
    assert counts["stopped while they started"] == in_vain
