"""Places whose period went by without an agreement lapse by themselves: it is looked for them once an hour."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID, uuid5

from tyrsky.aggregate import Rejected
from tyrsky.deciding import Decider
from tyrsky.drafting import Ask

from companies.potential import LapsePotential, Potential, PotentialCommand
from companies.terms import finnish_day

PAUSE_SECONDS = 3_600
AT_ONCE = 500
"""So many are let lapse of each college before the next pause; the others wait for an hour more."""


async def run(decider: Decider[Potential, PotentialCommand], colleges: Collection[str]) -> None:
    """Let lapse what is over, again and again."""
    while True:
        for college in sorted(colleges):
            await lapse(decider, college, datetime.now(UTC))
        await asyncio.sleep(PAUSE_SECONDS)


async def lapse(decider: Decider[Potential, PotentialCommand], college: str, now: datetime) -> int:
    """Let a college's potential lapse whose period is over; how many there were. Several processes that look at once
    ask for the same command, which is carried out once."""
    over = {
        "college": college,
        "state.status": {"$in": ["charted", "confirmed"]},
        "state.terms.ends_on": {"$lt": finnish_day(now).isoformat()},
    }
    found = decider.store.collection.find(over, {"_id": 1}).sort([("state.terms.ends_on", 1), ("_id", 1)])
    ids = [UUID(each["_id"]) for each in await found.limit(AT_ONCE).to_list(AT_ONCE)]
    for id in ids:
        command = LapsePotential(potential_id=id, now=now)
        try:
            await decider.carry_out(Ask(command, uuid5(id, f"lapse {finnish_day(now)}"), college, at=now))
        except Rejected:
            continue  # busy: it waits for the next time
    return len(ids)
