"""F16: a read model may stay behind as long as Kafka waits for a reader that was killed, and not for ever."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import machine_rooms
from tests.faults.machine_rooms import Rooms
from tests.faults.model import Disagrees

DEAD_READER_SECONDS = 10
"""Kafka's own ``session.timeout.ms``, as aiokafka sets it."""


class Clock:
    """Only sleep makes it go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """What it shows."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Time that passes."""
        self.now += seconds


def look(clock: Clock, right_after: float) -> None:
    """One look at a read model that becomes right after so many seconds."""

    def ask(request: Any) -> Any:
        return SimpleNamespace(body={"seats": 3, "left": 2 if clock.now >= right_after else 3})

    def pick(kind: str, which: int) -> Any:
        return SimpleNamespace(user="somebody", path="/rooms/1", body={"seats": 3, "left": 2})

    machine = SimpleNamespace(steps=Counter[str](), api=SimpleNamespace(ask=ask), pick=pick)
    Rooms.the_read_model_comes_to_the_same(cast("Any", machine), 0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(machine_rooms, "time", clock)
    return clock


def test_kafkas_patience_with_a_dead_reader_is_no_loss(clock: Clock):
    look(clock, right_after=DEAD_READER_SECONDS * 1.5)


def test_a_read_model_that_never_comes_to_the_same_is_told_of(clock: Clock):
    with pytest.raises(Disagrees, match="stays at"):
        look(clock, right_after=3_600)
