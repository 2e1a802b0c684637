"""F8's dead letters: each group keeps what it cannot take, the replay repairs what can be repaired, once."""

import asyncio
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tests.faults.rig import SETTLE_SECONDS, Rig
from tests.faults.standing import command

KEPT_SECONDS_MAX = 90
PUT_OFF_SECONDS = 90
BY_ITSELF = timedelta(minutes=10)
"""What is due later than that is not tried by itself as long as the fault lasts."""

BUG = "Bug"
POLICIES, REACH = "companies-policies", "companies-reach"

Parked = set[tuple[str, str]]
"""Dead letters, by their group and key."""


async def all_kept(rig: Rig, expected: Parked, visits: set[str]) -> list[str]:
    """What is wrong with the dead letters, when there was time to keep them; that time is judged from the write."""
    written_at, wrong = rig.ended_at, [""]
    while wrong and time.monotonic() - written_at < KEPT_SECONDS_MAX:
        await asyncio.sleep(0.5)
        wrong = letters_wrong(await _causes(rig), expected, visits)
    rig.rested("F8, unreadable messages and a bug", math.inf if wrong else time.monotonic() - written_at)
    return wrong


def letters_wrong(causes: Mapping[tuple[str, str], str], expected: Parked, visits: set[str]) -> list[str]:
    """Each group has a letter with its cause of what it cannot take, and no other group has one of that."""
    missing = [f"{group} {key}: no dead letter with a cause" for group, key in expected if not causes.get((group, key))]
    bugs = {(group, key): cause for (group, key), cause in causes.items() if key in visits and cause}
    missing += [f"{group} {key}: its cause is {cause}" for (group, key), cause in bugs.items() if BUG not in cause]
    keys = {key for _, key in expected}
    strange = [each for each in causes if each[1] in keys and each not in expected]
    return sorted(missing) + [f"{group} {key}: a dead letter of what it could take" for group, key in sorted(strange)]


async def _causes(rig: Rig) -> dict[tuple[str, str], str]:
    """Why each dead letter is one."""
    found: dict[tuple[str, str], str] = {}
    async for box in rig.database("companies")["dead_letters"].find({}, {"group": 1, "key": 1, "letters.cause": 1}):
        found[box["group"], box["key"]] = box["letters"][0].get("cause", "") if box["letters"] else ""
    return found


async def tried_again(rig: Rig, visits: list[str]) -> tuple[int, list[str]]:
    """How often the keys of visits were tried again by themselves, and those that never were: such cost the others
    nothing after their first moment. What cannot be read at all parks no key, and is tried by nobody."""
    boxes = rig.database("companies")["dead_letters"]
    tries = dict.fromkeys(visits, 0)
    async for box in boxes.find({"group": POLICIES, "key": {"$in": visits}}, {"key": 1, "attempts": 1}):
        tries[box["key"]] = box["attempts"]
    never = [
        f"{POLICIES} {visit}: it was not tried again while it was measured" for visit in visits if not tries[visit]
    ]
    return sum(tries.values()), never


async def put_off(rig: Rig, visits: list[str]) -> list[str]:
    """Wait until all letters of visits were tried once more, by a service that has patience, and are not due for long:
    from now on nothing repairs itself."""
    boxes, until = rig.database("companies")["dead_letters"], time.monotonic() + PUT_OFF_SECONDS
    while time.monotonic() < until:
        later = {"group": POLICIES, "key": {"$in": visits}, "due_at": {"$gt": datetime.now(UTC) + BY_ITSELF}}
        if await boxes.count_documents(later) == len(visits):
            return []
        await asyncio.sleep(0.5)
    return [f"not all letters of {len(visits)} visits were put off in {PUT_OFF_SECONDS} s"]


async def replayed(rig: Rig, visits: list[str]) -> tuple[int, list[str]]:
    """The bug is mended: all letters still lie there, and `tyrsky dlq replay` has the need of each visit charted once.
    How many it repaired, and what is wrong."""
    boxes, needs = rig.database("companies")["dead_letters"], rig.database("companies")["needs"]
    later = {"$gt": datetime.now(UTC) + BY_ITSELF}
    still = {"group": POLICIES, "key": {"$in": visits}, "due_at": later, "count": 1}
    if (parked := await boxes.count_documents(still)) != len(visits):
        return 0, [f"before the replay {parked} of {len(visits)} letters lie there, and are not tried by themselves"]
    if early := await needs.count_documents({"state.visit_id": {"$in": visits}}):
        return 0, [f"{early} needs before the replay"]
    asked_at = time.monotonic()
    words = ["dlq", "replay", "--service", rig.layout.database("companies"), "--cause", BUG]
    said = await command(rig, "companies", *words, fails=True)
    rig.say("  " + " ".join(said.stdout.split())[:200])
    wrong = [f"the replay ended with {said.returncode}: {said.stdout[-300:]}"] if said.returncode else []
    counts, until = dict.fromkeys(visits, 0), time.monotonic() + SETTLE_SECONDS
    while not all(counts.values()) and time.monotonic() < until:
        await asyncio.sleep(0.5)
        counts = {visit: await needs.count_documents({"state.visit_id": visit}) for visit in visits}
    rig.rested("F8, the replay", time.monotonic() - asked_at if all(counts.values()) else math.inf)
    left = await boxes.count_documents({"key": {"$in": visits}})
    wrong += [f"{left} of the letters still lie there after the replay"] if left else []
    wrong += [f"/visits/{visit}: {times} needs after the replay" for visit, times in counts.items() if times != 1]
    return sum(times == 1 for times in counts.values()), wrong


async def dropped(rig: Rig, unreadable: Parked) -> int:
    """What nobody can ever read is given up, as an operator would; how many letters that were."""
    keys = {key for _, key in unreadable}
    boxes = rig.database("companies")["dead_letters"].find({"key": {"$in": sorted(keys)}}, {"_id": 1})
    ids = [box["_id"] async for box in boxes]
    if ids:
        await command(rig, "companies", "dlq", "drop", "--service", rig.layout.database("companies"), "--yes", *ids)
    return len(ids)
