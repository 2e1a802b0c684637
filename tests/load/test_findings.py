"""What was acknowledged is looked up, and no bound grows with the slowness that is seen: told with made-up services."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from seats.contracts import RoomOpened, SeatFreed, SeatReserved

from tests.bench.topics import Published
from tests.load import accounts, overload
from tests.load.client import Answer, Answers
from tests.load.findings import Check
from tests.load.running import Running

ROOMS = ["r1", "r2"]
RESERVED = {"a": "r1"}


class Service:
    """What a store has, whatever was answered."""

    def __init__(self, rooms: dict[str, Any]) -> None:
        self.rooms = rooms
        self.callers = ["somebody"]
        self.port = 9
        self.topic = "rooms"
        self.bench = SimpleNamespace(bootstrap="127.0.0.1:9")

    def door(self, name: str) -> tuple[int, int]:
        """None is asked."""
        return 9, 9

    async def stored(self, rooms: Sequence[str]) -> dict[str, Any]:
        """Those that are there."""
        return {id: self.rooms[id] for id in rooms if id in self.rooms}


def answers(*rooms: str, seconds: float = 0.01) -> Answers:
    return Answers([Answer(0.0, seconds, 201, body=b'{"id": "%s"}' % room.encode()) for room in rooms])


def not_held(checks: Sequence[Check]) -> list[str]:
    return [each.what for each in checks if not each.held]


async def overloaded(monkeypatch: pytest.MonkeyPatch, stored: Sequence[str], *, seconds: float) -> list[str]:
    """What is found wrong when two rooms were acknowledged, each after so many seconds."""

    async def before(*_: Any, **__: Any) -> Answers:
        return answers(*(f"earlier {number}" for number in range(100)))

    async def over(*_: Any, **__: Any) -> Answers:
        return answers(*ROOMS, seconds=seconds)

    async def recovered(*_: Any, **__: Any) -> float:
        return 1.0

    for name, instead in {"closed_loop": before, "open_loop": over, "looks": over, "_recovered": recovered}.items():
        monkeypatch.setattr(overload, name, instead)
    running = cast("Running", Service({id: {} for id in stored}))
    return not_held((await overload.overload(running, "service", seconds=2)).checks)


async def test_a_room_that_was_acknowledged_and_is_not_in_the_store_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = "what was answered with 201 is in the store, each a room of its own"
    assert looked_up in await overloaded(monkeypatch, ["r1"], seconds=0.01)
    assert looked_up not in await overloaded(monkeypatch, ROOMS, seconds=0.01)


@pytest.mark.parametrize(("seconds", "slow"), [(0.5, False), (60, True)])
async def test_however_slow_it_is_the_bound_is_the_same(
    monkeypatch: pytest.MonkeyPatch, seconds: float, slow: bool
) -> None:
    wrong = await overloaded(monkeypatch, ROOMS, seconds=seconds)
    assert any(each.startswith("p99 of what was taken is below") for each in wrong) == slow


def event(type: str, key: str, sequence: int) -> Published:
    return Published(key, sequence, type, b'{"reservation_id": "a"}')


RIGHT = [
    event(RoomOpened.type, "r1", 1),
    event(RoomOpened.type, "r2", 1),
    event(SeatReserved.type, "r1", 2),
    event(SeatFreed.type, "r1", 3),
]
KEPT = {"r1": {"state": {"reservations": {"a": {"status": "cancelled"}}}}, "r2": {}}


@pytest.mark.parametrize(
    ("kept", "events", "wrong"),
    [
        (KEPT, RIGHT, []),
        ({"r1": KEPT["r1"]}, RIGHT, ["every room that was acknowledged"]),
        ({**KEPT, "r1": {}}, RIGHT, ["every reservation that was acknowledged"]),
        (KEPT, RIGHT[:3], ["and each has one event"]),
        (KEPT, [*RIGHT, RIGHT[3]], ["and each has one event", "each room has one event"]),
        (KEPT, [*RIGHT[:2], RIGHT[3], RIGHT[2]], ["each room has one event"]),
        (KEPT, RIGHT[1:], ["each room has one event"]),
    ],
)
async def test_what_was_acknowledged_and_is_lost_twice_or_out_of_order_is_told(
    monkeypatch: pytest.MonkeyPatch, kept: dict[str, Any], events: list[Published], wrong: list[str]
) -> None:
    async def read_all(bootstrap: str, topic: str) -> list[Published]:
        return events

    monkeypatch.setattr(accounts, "read_all", read_all)
    found = not_held(await accounts.accounts(cast("Running", Service(kept)), ROOMS, RESERVED))
    assert [what for what, begins in zip(found, wrong, strict=True) if what.startswith(begins)] == found
