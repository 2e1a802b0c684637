"""F13: what it froze goes on whatever happens, and a rebalance that met nothing in hand is no proof."""

import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import scaling
from tests.faults.hands import NotDone
from tests.faults.rig import Rig


class Frozen:
    """A rig, as far as it stops and continues processes."""

    def __init__(self) -> None:
        self.services = ["seats"]
        self.proxies: dict[str, Any] = {}
        self.layout = SimpleNamespace(groups={"seats-policies": ["seats"]}, bootstrap="127.0.0.1:9")
        self.signals: list[int] = []

    async def kill(self, part: str, how: int) -> None:
        """Note it."""
        self.signals.append(how)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Frozen:
    @asynccontextmanager
    async def alone(rig: Rig) -> AsyncGenerator[dict[str, list[str]]]:
        yield {}

    monkeypatch.setattr(scaling, "two_of_each", alone)
    return Frozen()


async def rebalances(rig: Frozen) -> Any:
    return await scaling.rebalances(cast("Rig", rig), Random(1), 1)


async def test_what_was_frozen_goes_on_though_looking_at_it_failed(rig: Frozen, monkeypatch: pytest.MonkeyPatch):
    async def breaks(rig: Any, group: str) -> bool:
        raise ConnectionResetError

    monkeypatch.setattr(scaling, "_backlog", breaks)
    with pytest.raises(ConnectionResetError):
        await rebalances(rig)
    assert rig.signals == [signal.SIGSTOP, signal.SIGCONT]


async def test_a_group_without_a_backlog_is_let_go_and_proves_nothing(rig: Frozen, monkeypatch: pytest.MonkeyPatch):
    async def idle(rig: Any, group: str) -> bool:
        return False

    monkeypatch.setattr(scaling, "_backlog", idle)
    with pytest.raises(NotDone, match="no rebalance came"):
        await rebalances(rig)
    assert rig.signals == [signal.SIGSTOP, signal.SIGCONT]


@pytest.mark.parametrize("unfinished", [0, 3])
async def test_a_rebalance_counts_when_messages_were_in_hand(
    rig: Frozen, monkeypatch: pytest.MonkeyPatch, unfinished: int
):
    async def busy(rig: Any, group: str) -> bool:
        return True

    async def came_again(rig: Any, group: str, topics: list[str], seconds: float) -> int:
        return unfinished

    monkeypatch.setattr(scaling, "_backlog", busy)
    monkeypatch.setattr(scaling, "_join_and_leave", came_again)
    if unfinished:
        assert (await rebalances(rig)).counts["messages in hand meanwhile"] == unfinished
    else:
        with pytest.raises(NotDone):
            await rebalances(rig)
