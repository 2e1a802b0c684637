"""What did not take place is not counted as done: a fault looks at what it did, and says so when that was nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import clocks, disks, kills, networks, rebalancing
from tests.faults.disks import Full
from tests.faults.hands import NotDone
from tests.faults.rebalancing import Found
from tests.faults.rig import NotReady, Rig


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    sleep = asyncio.sleep

    async def soon(seconds: float) -> None:
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", soon)


class Bystander:
    """A rig whose parts have no process for the first two kills."""

    services = ("companies", "seats")

    def __init__(self) -> None:
        self.ledger = self.layout = self
        self.outside = SimpleNamespace(parts=frozenset[str]())
        self.kills = [0, 0, 1]
        self.proxies = {pair: SimpleNamespace(counts=Counter[str]()) for pair in ("people-gateway", "seats-keycloak")}
        self.ended_at = 0.0

    async def kill(self, part: str) -> int:
        return self.kills.pop(0)

    def instances(self, service: str) -> tuple[str, str]:
        return service, f"{service}-2"

    def noted(self, what: str, **facts: object) -> None:
        """It is nobody's here."""

    async def ready(self, part: str) -> float:
        return 1.0

    def fault_ended(self) -> None:
        """It has."""


@pytest.fixture
def rig() -> Any:
    return Bystander()


async def test_a_kill_that_hit_no_process_is_no_kill(rig: Any):
    outcome = await kills.kafka(cast(Rig, rig), Random(1), 1)
    assert rig.kills == []  # the third has hit
    assert outcome.counts["kills"] == 1


async def test_who_never_has_a_process_is_not_killed(rig: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kills, "THERE_SECONDS", -1)
    with pytest.raises(NotReady):
        await kills.store(cast(Rig, rig), Random(1), 1)


async def test_a_network_that_did_not_go_wrong_is_told_and_the_others_are_tried(
    rig: Any, monkeypatch: pytest.MonkeyPatch
):
    tried = list[str]()

    @asynccontextmanager
    async def talk(*_: object) -> AsyncGenerator[None]:
        yield

    async def goes_wrong(kind: str, *_: object) -> int:
        tried.append(kind)
        if kind == "hole":
            raise NotDone("nothing was sent")
        return 1

    monkeypatch.setattr(networks, "_talk", talk)
    monkeypatch.setattr(networks, "_go_wrong", goes_wrong)
    outcome = await networks.between(cast(Rig, rig), Random(1), 4)
    assert sorted(tried) == sorted(networks.KINDS)
    assert (outcome.times, outcome.counts["holes"]) == (3, 0)
    assert len(outcome.wrong) == 1
    assert "nothing was sent" in outcome.wrong[0]


async def test_what_was_lost_is_counted_whoever_lost_it(rig: Any, monkeypatch: pytest.MonkeyPatch):
    @asynccontextmanager
    async def talk(*_: object) -> AsyncGenerator[None]:
        yield

    async def goes_wrong(kind: str, proxy: Any, *_: object) -> int:
        proxy.counts["answers of write cut"] += kind == "no answer"
        return 1

    monkeypatch.setattr(networks, "_talk", talk)
    monkeypatch.setattr(networks, "_go_wrong", goes_wrong)
    outcome = await networks.between(cast(Rig, rig), Random(1), 8)
    assert outcome.counts["answers of write cut"] == outcome.counts["no answers"] == 2
    assert not outcome.wrong


async def test_a_disk_that_was_full_for_nobody_proves_nothing(rig: Any, monkeypatch: pytest.MonkeyPatch):
    refusals = Counter(looks=5)

    class Asking:
        def __init__(self, *_: object) -> None:
            self.refused = refusals
            self.wrong = list[str]()

        async def __aenter__(self) -> "Asking":
            return self

        async def __aexit__(self, *_: object) -> None: ...

    async def fill(*_: object) -> Full:
        return Full(1, 12.0, 0)

    monkeypatch.setattr(disks, "_Asking", Asking)
    monkeypatch.setattr(disks, "_fill", fill)
    monkeypatch.setattr(disks, "_unexpected", lambda _: set[str]())  # pyright: ignore[reportUnknownLambdaType]
    with pytest.raises(NotDone, match="refused a write"):
        await disks.full(cast(Rig, rig), Random(1), 1)
    refusals["writes"] = 1
    assert (await disks.full(cast(Rig, rig), Random(1), 1)).times == 1


async def test_clocks_are_wrong_in_both_ways_as_their_processes_die(rig: Any, monkeypatch: pytest.MonkeyPatch):
    died = list[float]()

    @asynccontextmanager
    async def running(*_: object) -> AsyncGenerator[None]:
        yield

    async def turn(*_: object) -> None: ...

    async def dies(_: object, service: str, turned: object, ahead: float) -> float:
        died.append(ahead)
        return 1.0

    monkeypatch.setattr(clocks.direct, "running", running)
    monkeypatch.setattr(clocks, "turn", turn)
    monkeypatch.setattr(clocks, "_dies", dies)
    await clocks.jumps(cast(Rig, rig), Random(1), 4)
    assert sorted(died) == [-600, 600]


async def test_a_rebalance_without_a_batch_in_hand_is_tried_again_and_not_counted(
    rig: Any, monkeypatch: pytest.MonkeyPatch
):
    @asynccontextmanager
    async def two(_: object) -> AsyncGenerator[dict[str, list[str]]]:
        yield {"companies": ["companies", "companies-2"]}

    found = [None, Found(), Found(asked=3, committed=True), None]

    async def rebalance(*_: object, past: bool) -> Found | None:
        return found.pop(0)

    rig.groups = {"companies-policies": ("companies",)}
    monkeypatch.setattr(rebalancing, "two_of_each", two)
    monkeypatch.setattr(rebalancing, "_rebalance", rebalance)
    outcome = await rebalancing.rebalances(cast(Rig, rig), Random(1), 2)
    tries = {"tries without a batch in hand": 3, "of companies-policies": 1}
    assert found == []
    assert outcome.times == 1
    assert {name: outcome.counts[name] for name in tries} == tries
