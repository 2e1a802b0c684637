"""The simulated loop: a seed is a run, time is free, and a process that died does not take one more step."""

import asyncio

import pytest

from tests.simulation.loop import Loop, Process, Stuck, switch


async def three_at_once() -> list[str]:
    order: list[str] = []

    async def work(name: str) -> None:
        for number in range(3):
            await switch()
            order.append(f"{name}{number}")

    async with asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(work(name))
    return order


def test_a_seed_decides_the_order() -> None:
    assert Loop(1).run(three_at_once()) == Loop(1).run(three_at_once())
    orders = {tuple(Loop(seed).run(three_at_once())) for seed in range(50)}
    assert len(orders) > 25
    assert all(order.index("a0") < order.index("a1") < order.index("a2") for order in orders)


def test_time_passes_when_nothing_else_happens() -> None:
    async def sleeps() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3_600):
                await asyncio.sleep(1e9)
        return asyncio.get_running_loop().time()

    assert Loop(1).run(sleeps()) == 3_600


def test_who_dies_takes_not_one_more_step() -> None:
    loop, process, steps = Loop(1), Process("p"), list[str]()

    async def lives() -> None:
        try:
            await asyncio.sleep(10)
            steps.append("on")
        finally:
            steps.append("finally")

    async def main() -> list[str]:
        task = loop.spawn(process, lives())
        await asyncio.sleep(1)
        process.dead = True
        task.cancel()
        await asyncio.sleep(100)
        return list(steps)

    assert loop.run(main()) == []


def test_who_is_frozen_goes_on_and_does_not_know() -> None:
    loop, process, moments = Loop(1), Process("p"), list[float]()

    async def lives() -> None:
        await asyncio.sleep(1)
        moments.append(loop.time())

    async def main() -> None:
        task = loop.spawn(process, lives())
        await asyncio.sleep(0.5)
        process.frozen = True
        await asyncio.sleep(50)
        loop.thaw(process)
        await task

    loop.run(main())
    assert moments == [50.5]


def test_what_can_never_happen_is_noticed() -> None:
    async def waits() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck, match="nothing can happen any more"):
        Loop(1).run(waits())

    async def spins() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Stuck, match="steps"):
        Loop(1, steps_max=1_000).run(spins())
