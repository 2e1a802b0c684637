"""F2: a relay that stands still in the middle of publishing, and goes on when another has long taken over."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from random import Random

from tests.faults import direct, hands, looking
from tests.faults.control import PLACES
from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.load import Client
from tests.faults.rig import Rig

TAKEN_OVER_SECONDS = 60
STANDS_SECONDS = 12
"""How long the process stands still at least: longer than the ten seconds of any lease."""

SETTLED_SECONDS = 3
MOVES_MAX = 5
KINDS = ("companies", "contacts", "visits")

InHand = dict[tuple[str, str], int]


async def relays(rig: Rig, random: Random, amount: int) -> Outcome:
    """Stop one of two instances where its relay is at work; the other publishes on; then the first goes on too."""
    counts, longest, wrong = (
        {"relays stopped": 0, "aggregates in hand": 0, "published on meanwhile": 0},
        0.0,
        list[str](),
    )
    first, second = rig.layout.instances("companies")[:2]
    places = random.sample(PLACES, len(PLACES))
    async with direct.running(rig, second):
        for number in range(amount):
            place = places[number % len(places)]
            took, in_hand, went_on = await _once(rig, random, place, first, second)
            counts["relays stopped"] += 1
            counts["aggregates in hand"] += len(in_hand)
            counts["published on meanwhile"] += len(went_on)
            longest = max(longest, took)
            wrong += [f"stopped before {place}: {each}" for each in await _went_back(rig, went_on)]
    return Outcome({**counts, "longest until taken over, s": round(longest, 1)}, tuple(wrong), counts["relays stopped"])


async def _once(rig: Rig, random: Random, place: str, first: str, second: str) -> tuple[float, InHand, list[str]]:
    """How long it took to be taken over, what the stopped one had in hand, and visits of which more was published."""
    async with direct.at(rig, first, "f2-first", random) as ours, direct.at(rig, second, "f2-second", random) as other:
        company = await _some_company(rig)
        planned = await other.ask(
            "plan-visit", "POST", f"/companies/{company}/visits", _times(random), about="/visits/{id}"
        )
        if not planned.acknowledged:
            raise NotDone(f"no visit could be planned: {planned.status} {planned.code}")
        number = hands.want(rig, first, freeze=place)
        path = f"/visits/{planned.body['id']}"
        moved = asyncio.create_task(
            ours.ask("move-visit", "PATCH", path, _times(random), about=path, match=f'"{planned.version}"')
        )
        pid = await hands.stopped(rig, first, number)
        stopped_at = time.monotonic()
        try:
            in_hand = await _in_hand(rig)
            if not in_hand:
                raise NotDone(f"{first} stood before {place} with nothing in hand")
            took = await _taken_over(rig, in_hand, stopped_at)
            went_on = [planned.body["id"]] if await _move_on(other, random, path) else []
            if not went_on:
                raise NotDone(f"nothing more could happen to {path} while {first} stood still")
            await _taken_over(rig, await _in_hand(rig), time.monotonic())
            await asyncio.sleep(max(0.0, STANDS_SECONDS - (time.monotonic() - stopped_at)))
            if not hands.is_stopped(pid):
                raise NotDone(f"{first} did not stand still for {STANDS_SECONDS} s")
        finally:
            hands.want(rig, first)
            os.kill(pid, signal.SIGCONT)
            rig.fault_ended()
        await moved
        await asyncio.sleep(SETTLED_SECONDS)
    return took, in_hand, went_on


async def _some_company(rig: Rig) -> str:
    found = await rig.database("companies")["companies"].find_one({"college": direct.COLLEGE}, {"_id": 1})
    if found is None:
        raise NotDone("nobody has registered a company yet")
    return found["_id"]


async def _in_hand(rig: Rig) -> InHand:
    """What waits to be published, and with which claim."""
    found: InHand = {}
    for kind in KINDS:
        waiting = rig.database("companies")[kind].find({"outbox_since": {"$exists": True}}, {"lease_token": 1})
        found |= {(kind, each["_id"]): each["lease_token"] async for each in waiting}
    return found


async def _taken_over(rig: Rig, in_hand: InHand, since: float) -> float:
    """Wait until all of it was published by somebody else; how long that took."""
    left = dict(in_hand)
    while left:
        now = await _in_hand(rig)
        left = {at: token for at, token in left.items() if now.get(at) == token}
        if time.monotonic() - since > TAKEN_OVER_SECONDS:
            raise NotDone(
                f"nobody took over {len(left)} aggregates in {TAKEN_OVER_SECONDS} s, such as {next(iter(left))}"
            )
        await asyncio.sleep(0.2)
    return time.monotonic() - since


async def _move_on(other: Client, random: Random, path: str) -> bool:
    """Have more happen to the visit that the stopped one may still hold: now it would go back."""
    for _ in range(MOVES_MAX):  # somebody's move may come between the look and ours: it is the same visit
        seen = await other.get(path)
        if seen is not None and seen.is_success:
            match = seen.headers["ETag"]
            if (await other.ask("move-visit", "PATCH", path, _times(random), about=path, match=match)).acknowledged:
                return True
        await asyncio.sleep(1)
    return False


async def _went_back(rig: Rig, visits: list[str]) -> list[str]:
    """Those of the visits whose events are not in order on their topic."""
    records = await looking.records(rig.layout.bootstrap, ["companies"]) if visits else []
    found = {id: [record.sequence for record in records if record.key == id] for id in visits}
    return [f"/visits/{id}: {numbers}" for id, numbers in found.items() if numbers != sorted(numbers)]


def _times(random: Random) -> dict[str, str]:
    starts = datetime.now(UTC) + timedelta(days=random.randint(2, 300), minutes=random.randint(0, 999))
    return {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
