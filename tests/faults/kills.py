"""Faults that kill: services, the store, Kafka."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

from tests.faults.fault import Outcome
from tests.faults.rig import Rig


async def services(rig: Rig, random: Random, amount: int) -> Outcome:
    """F1: kill -9 of a random instance every 2 to 5 seconds; each service has two, so that work goes on."""
    killed = dict.fromkeys(rig.services, 0)
    async with two_of_each(rig) as instances:
        while sum(killed.values()) < amount:
            await asyncio.sleep(random.uniform(2, 5))
            service = random.choice(rig.services)
            killed[service] += await rig.kill(random.choice(instances[service]))
    return Outcome({f"kills of {name}": times for name, times in killed.items()})


@asynccontextmanager
async def two_of_each(rig: Rig) -> AsyncGenerator[dict[str, list[str]]]:
    """A second instance of every service, for a while; at the end it is stopped in order."""
    instances = {service: list(rig.layout.instances(service)[:2]) for service in rig.services}
    seconds = [second for _, second in instances.values()]
    await asyncio.gather(*(rig.start(second) for second in seconds))
    try:
        yield instances
    finally:
        await asyncio.gather(*(rig.stop(second) for second in seconds))


async def store(rig: Rig, random: Random, amount: int) -> Outcome:
    """F3: kill -9 of the store in the middle of writes."""
    killed, longest = 0, 0.0
    while killed < amount:
        await asyncio.sleep(random.uniform(1, 4))
        if await rig.kill("mongo"):
            killed += 1
            longest = max(longest, await rig.ready("mongo"))
    return Outcome({"kills": killed, "longest return, s": round(longest, 1)})


async def kafka(rig: Rig, random: Random, amount: int) -> Outcome:
    """F4: Kafka restarted in order and killed, by turns; the first is a kill."""
    counts, longest = {"kills": 0, "restarts": 0}, 0.0
    for number in range(amount):
        await asyncio.sleep(random.uniform(2, 6))
        if number % 2 == 0:
            await rig.kill("kafka", signal.SIGKILL)
            counts["kills"] += 1
        else:
            await rig.stop("kafka")
            await asyncio.to_thread(rig.supervisor.start, "kafka")
            counts["restarts"] += 1
        longest = max(longest, await rig.ready("kafka"))
    return Outcome({**counts, "longest return, s": round(longest, 1)})
