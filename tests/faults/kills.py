"""Faults that kill: services, the store, Kafka."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

from tests.faults import direct
from tests.faults.fault import Outcome
from tests.faults.rig import NotReady, Rig

THERE_SECONDS = 60


async def services(rig: Rig, random: Random, amount: int) -> Outcome:
    """F1: kill -9 of a random instance every 2 to 5 seconds; each service has two, so that work goes on."""
    killed = dict.fromkeys(rig.services, 0)
    async with two_of_each(rig) as instances:
        for _ in range(amount):
            await asyncio.sleep(random.uniform(2, 5))
            service = random.choice(rig.services)
            await for_sure(rig, random.choice(instances[service]))
            killed[service] += 1
    return Outcome({f"kills of {name}": times for name, times in killed.items()}, times=sum(killed.values()))


async def for_sure(rig: Rig, part: str) -> None:
    """Kill a part; if it is just being started again, as soon as it is there. The dice are thrown once, whatever the
    machine does meanwhile, so that a seed is the same victims. Raises NotReady."""
    until = time.monotonic() + THERE_SECONDS
    while not await rig.kill(part):
        if time.monotonic() > until:
            raise NotReady(f"{part} had no process to be killed for {THERE_SECONDS} s")
        await asyncio.sleep(0.1)


@asynccontextmanager
async def two_of_each(rig: Rig) -> AsyncGenerator[dict[str, list[str]]]:
    """A second instance of every service, for a while; at the end those that were not there before are stopped."""
    instances = {service: list(rig.layout.instances(service)[:2]) for service in rig.services}
    async with direct.running(rig, *(second for _, second in instances.values())):
        yield instances


async def store(rig: Rig, random: Random, amount: int) -> Outcome:
    """F3: kill -9 of the store in the middle of writes."""
    longest = 0.0
    for _ in range(amount):
        await asyncio.sleep(random.uniform(1, 4))
        await for_sure(rig, "mongo")
        longest = max(longest, await rig.ready("mongo"))
        rig.fault_ended()
    return Outcome({"kills": amount, "longest return, s": round(longest, 1)}, times=amount)


async def kafka(rig: Rig, random: Random, amount: int) -> Outcome:
    """F4: Kafka restarted in order and killed, by turns; the first is a kill."""
    counts, longest = {"kills": 0, "restarts": 0}, 0.0
    for number in range(amount):
        await asyncio.sleep(random.uniform(2, 6))
        if number % 2 == 0:
            await for_sure(rig, "kafka")
            counts["kills"] += 1
        else:
            await rig.stop("kafka")
            await asyncio.to_thread(rig.supervisor.start, "kafka")
            counts["restarts"] += 1
        longest = max(longest, await rig.ready("kafka"))
        rig.fault_ended()
    return Outcome({**counts, "longest return, s": round(longest, 1)}, times=sum(counts.values()))
