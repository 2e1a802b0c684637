"""Faults that kill: services, the store, Kafka."""

import asyncio
import signal
from random import Random

from tests.faults.fault import Outcome
from tests.faults.rig import Rig


async def services(rig: Rig, random: Random, amount: int) -> Outcome:
    """F1: kill -9 of a random service every 2 to 5 seconds."""
    killed = dict.fromkeys(rig.services, 0)
    while sum(killed.values()) < amount:
        await asyncio.sleep(random.uniform(2, 5))
        victim = random.choice(rig.services)
        killed[victim] += await rig.kill(victim)
    return Outcome({f"kills of {name}": times for name, times in killed.items()})


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
