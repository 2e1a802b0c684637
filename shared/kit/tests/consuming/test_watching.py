"""When a consumer is taken for hung, and when not; no server."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest
from tyrsky import watching
from tyrsky.watching import Offsets, Place, Watchdog


@dataclass
class Sits:
    """A consumer that does nothing but be watched."""

    idle: bool = True
    assigned: set[tuple[str, int]] = field(default_factory=lambda: {("t", 0)})
    group: str = "g"
    topics: tuple[str, ...] = ("t",)
    rebuilt: int = 0
    passed: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])

    async def refresh(self) -> None: ...

    async def pass_over(self, ends: Mapping[tuple[str, int], int]) -> None:
        self.passed |= ends

    async def rebuild(self) -> None:
        self.rebuilt += 1


class Known(Offsets):
    def __init__(self, *places: Place, without_messages: bool = False) -> None:
        super().__init__("nowhere:1")
        self.without_messages = without_messages
        self.places = {("t", number): place for number, place in enumerate(places)}

    async def of(self, group: str, topics: Iterable[str]) -> dict[tuple[str, int], Place]:
        return dict(self.places)

    async def hollow(self, places: Mapping[tuple[str, int], Place]) -> set[tuple[str, int]]:
        return set(places) if self.without_messages else set()


class Clock:
    now = 0.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watching.asyncio, "get_running_loop", lambda: clock)
    return clock


def place(committed: int, end: int) -> Place:
    return Place(committed, "", end, 0)


async def looks(consumer: Sits, offsets: Offsets, clock: Clock, *moments: float) -> int:
    watchdog = Watchdog([consumer], offsets, every=1, patience=10)
    for clock.now in moments:
        await watchdog.look(consumer)
    return consumer.rebuilt


async def test_lag_without_progress_for_so_long_and_again_after_as_long(clock: Clock):
    assert await looks(Sits(), Known(place(3, 5)), clock, 0, 9) == 0
    assert await looks(Sits(), Known(place(3, 5)), clock, 0, 9, 10) == 1
    assert await looks(Sits(), Known(place(3, 5)), clock, 0, 10, 19, 20) == 2


async def test_who_has_nothing_to_do_or_is_at_work_or_pauses_does_not_hang(clock: Clock):
    assert await looks(Sits(), Known(place(5, 5)), clock, 0, 100) == 0
    assert await looks(Sits(idle=False), Known(place(3, 5)), clock, 0, 100) == 0


async def test_another_instances_partitions_are_its_own(clock: Clock):
    assert await looks(Sits(), Known(place(5, 5), place(0, 9)), clock, 0, 100) == 0


async def test_who_has_no_partition_waits_longer_since_others_may_have_them(clock: Clock):
    assert await looks(Sits(assigned=set()), Known(place(3, 5)), clock, 0, 19) == 0
    assert await looks(Sits(assigned=set()), Known(place(3, 5)), clock, 0, 20) == 1


async def test_a_lag_of_marks_alone_is_passed_over_and_nothing_hangs(clock: Clock):
    consumer = Sits()
    assert await looks(consumer, Known(place(3, 5), place(1, 9), without_messages=True), clock, 0, 10, 100) == 0
    assert consumer.passed == {("t", 0): 5}


async def test_progress_begins_the_wait_anew(clock: Clock):
    consumer, offsets = Sits(), Known(place(3, 5))
    watchdog = Watchdog([consumer], offsets, every=1, patience=10)
    for clock.now, committed in ((0, 3), (9, 4), (18, 4), (19, 4)):
        offsets.places["t", 0] = place(committed, 5)
        await watchdog.look(consumer)
    assert consumer.rebuilt == 1


def test_what_was_deleted_before_a_group_came_is_no_lag():
    assert Place(committed=-1, metadata="", end=100, first=90).lag == 10
    assert Place(committed=100, metadata="", end=100, first=90).lag == 0
