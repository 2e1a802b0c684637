"""Load and limits, each for some seconds: what a busy machine cannot break. ``python -m tests.load`` is the whole."""

import os

import pytest

from tests.bench.bench import Bench
from tests.load import overload, slow, soak, streams
from tests.load.findings import Findings
from tests.load.running import running

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


def held(*scenarios: Findings) -> None:
    assert [each for findings in scenarios for each in findings.broken(timed=False)] == []


def bench() -> Bench:
    return Bench(os.environ["MONGO_URI"], os.environ["KAFKA_BOOTSTRAP"])


async def test_under_too_much_load_every_answer_is_one():
    async with running(bench()) as place:
        await place.warm(1)
        held(await overload.overload(place, "gateway", seconds=3), await overload.greedy(place, "service", seconds=3))


async def test_slow_clients_keep_nothing_from_others():
    async with running(bench()) as place:
        await place.warm(1)
        held(
            await slow.slow_heads(place, "service", seconds=2, count=100, wait=False),
            await slow.slow_bodies(place, "gateway", seconds=2, count=100, wait=False),
            await slow.slow_readers(place, "service", seconds=2, count=100, wait=False),
            await slow.slow_readers(place, "gateway", seconds=2, count=100, wait=False),
            await slow.vanished(place, "service", seconds=2, count=100, wait=False),
            await slow.vanished(place, "gateway", seconds=2, count=100, wait=False),
            await slow.idle(place, "service", seconds=2, count=300),
        )


async def test_who_listens_keeps_nothing_from_others_and_hears():
    async with running(bench()) as place:
        await place.warm(1)
        held(
            await streams.idle_streams(place, "service", seconds=2, count=200, wait=False),
            await streams.idle_streams(place, "gateway", seconds=2, count=200, wait=False),
        )


async def test_who_says_nothing_is_swept():
    async with running(bench(), KEEP_ALIVE_SECONDS="1") as place:
        found = await slow.silent(place, "service", seconds=2, count=100, until=15)
        held(found)
        assert found.checks[-1].held, found.checks[-1]


async def test_a_short_soak_leaves_nothing_behind():
    async with running(bench()) as place:
        held(await soak.soak(place, seconds=15))


def test_what_is_not_held_is_told():
    findings = Findings(
        "x", "", [overload.Check("a", "1", held=False), overload.Check("b", "2", held=False, timed=True)], ["of 9"]
    )
    assert findings.broken(timed=False) == ["x: a: 1; of 9"]
    assert len(findings.broken()) == 2
    assert "**no**" in findings.section()
