"""F9: clocks that jump ten minutes each way, in all instances of a service or in one of two."""

import asyncio
import math
from random import Random

from tests.faults import direct, hands, outboxes
from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.rig import Rig

MINUTES = 10
AHEAD_SECONDS = (8, 14)
OFF_SECONDS = 30
TAKEN_OVER_SECONDS = 60


async def jumps(rig: Rig, random: Random, amount: int) -> Outcome:
    """A clock jumps and jumps back; two times of four its process dies meanwhile, with claims and leases in hand: once
    as its clock is ahead, once as it is behind."""
    counts, longest = {"jumps": 0, "deaths while ahead": 0, "deaths while behind": 0, "of one of two": 0}, 0.0
    seconds = [rig.layout.instances(service)[1] for service in rig.services]
    async with direct.running(rig, *seconds):
        for number in range(amount):
            service = rig.services[(number + random.randrange(2)) % len(rig.services)]
            pair = list(rig.layout.instances(service)[:2])
            turned = pair if random.random() < 0.3 else [random.choice(pair)]
            ahead = (60 if number % 2 == 0 else -60) * MINUTES
            await asyncio.gather(*(turn(rig, instance, ahead) for instance in turned))
            counts["jumps"] += 2 * len(turned)
            counts["of one of two"] += len(turned) == 1
            await asyncio.sleep(random.uniform(*AHEAD_SECONDS))
            if number % 4 < 2:
                longest = max(longest, await _dies(rig, service, turned, ahead))
                counts["deaths while ahead" if ahead > 0 else "deaths while behind"] += len(turned)
            await asyncio.gather(*(turn(rig, instance, 0) for instance in turned))
            await asyncio.sleep(random.uniform(1, 3))
    return Outcome({**counts, "longest until others took over, s": round(longest, 1)}, times=amount)


async def turn(rig: Rig, instance: str, ahead: float) -> None:
    """Turn an instance's clock, and see by its answers that it did. Raises NotDone."""
    await hands.obey(rig, instance, clock=ahead)
    rig.fault_ended()
    await rig.ready(instance)
    await asyncio.sleep(1.2)  # the server writes the Date anew each second
    shown = await hands.clock_of(rig, instance)
    if abs(shown - ahead) > OFF_SECONDS:
        raise NotDone(f"{instance} was to be {ahead} s ahead, and its answers say {shown:.0f}")


async def _dies(rig: Rig, service: str, turned: list[str], ahead: float) -> float:
    """Have instances die in the middle of publishing, and their clocks be right when they come back; how long what
    they had in hand waits. Their claims were written by a clock that was wrong."""
    numbers = {instance: hands.want(rig, instance, clock=ahead, crash="commit_transaction") for instance in turned}
    for instance, number in numbers.items():
        await hands.died(rig, instance, number)
        hands.want(rig, instance)
    database, died_at = rig.database(service), rig.ended_at
    in_hand = await outboxes.waiting(database, await outboxes.collections(database))
    took = await outboxes.until_published(database, in_hand, died_at, TAKEN_OVER_SECONDS)
    if not math.isfinite(took):
        raise NotDone(f"{len(in_hand)} outboxes of {service} wait for {TAKEN_OVER_SECONDS} s and longer")
    rig.rested(f"F9, {service} died with its clock {ahead} s ahead", took)
    for instance in turned:
        await rig.ready(instance)
    return took
