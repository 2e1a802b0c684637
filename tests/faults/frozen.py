"""F2: a relay that stands still in the middle of publishing, and goes on when another has long taken over."""

import asyncio
import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from tests.faults import direct, hands, looking, outboxes
from tests.faults.checking import of_this_run
from tests.faults.control import LOOK_SECONDS, PLACES
from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.ledger import Wish
from tests.faults.load import Client
from tests.faults.looking import Record
from tests.faults.outboxes import Waiting
from tests.faults.rig import SETTLE_SECONDS, Rig

STANDS_SECONDS = 12
"""How long the process stands still at least: twice as long as until others take its relay for dead."""

STOPS_SECONDS = 10
SETTLED_SECONDS = 3
TRIES = 5
MOVES_MAX = 5
KINDS = ("companies", "contacts", "visits")


@dataclass(frozen=True)
class Stood:
    """A relay that stands still, since when, and what it has in hand: this visit, and perhaps others' work."""

    visit: str
    pid: int
    since: float
    in_hand: Waiting


async def relays(rig: Rig, random: Random, amount: int) -> Outcome:
    """Stop one of two instances where its relay has a certain visit in hand; the other publishes that, and what happens
    to it next; then the first goes on too."""
    counts, longest, wrong = {"relays stopped": 0, "aggregates in hand": 0, "tries in vain": 0}, 0.0, list[str]()
    first, second = rig.layout.instances("companies")[:2]
    places = random.sample(PLACES, len(PLACES))
    async with direct.running(rig, second):
        for number in range(amount):
            place = places[number % len(places)]
            async with (
                direct.at(rig, first, "f2-first", random) as ours,
                direct.at(rig, second, "f2-second", random) as other,
            ):
                try:
                    stood, moving, vain = await _stopped(rig, random, place, ours, other)
                    longest = max(longest, await _taken_over(rig, random, place, stood, other))
                finally:
                    await _go_on(rig, first)
                wrong += [f"stopped before {place}: {each}" for each in _unanswered(await moving)]
            await asyncio.sleep(SETTLED_SECONDS)
            counts["relays stopped"] += 1
            counts["aggregates in hand"] += len(stood.in_hand)
            counts["tries in vain"] += vain
            wrong += [f"stopped before {place}: {each}" for each in await _not_in_order(rig, stood.in_hand)]
    return Outcome({**counts, "longest until taken over, s": round(longest, 1)}, tuple(wrong), counts["relays stopped"])


async def _stopped(
    rig: Rig, random: Random, place: str, ours: Client, other: Client
) -> tuple[Stood, "asyncio.Task[Wish]", int]:
    """The first instance, stopped with a visit in hand, the move that is under way there, and how many tries were in
    vain: the visit was published by the other, or found later by whoever polled."""
    first, database = rig.layout.instances("companies")[0], rig.database("companies")
    for vain in range(TRIES):
        planned = await _plan(rig, random, other)
        path = f"/visits/{planned.body['id']}"
        number = await hands.obey(rig, first, freeze=place, key=planned.body["id"])
        match = f'"{planned.version}"'
        moving = asyncio.create_task(ours.ask("move-visit", "PATCH", path, _times(random), about=path, match=match))
        try:
            happened = await hands.stopped(rig, first, number, STOPS_SECONDS)
            in_hand = await outboxes.waiting(database, KINDS, happened.holder)
            if ("visits", planned.body["id"]) in in_hand:
                return Stood(planned.body["id"], happened.pid, rig.ended_at, in_hand), moving, vain
            rig.say(f"  {first} stood before {place} without {path} in hand")
        except NotDone as error:
            rig.say(f"  {error}")
        await _go_on(rig, first)
        await moving
    raise NotDone(f"in {TRIES} tries {first} did not stand before {place} with a visit in hand")


async def _plan(rig: Rig, random: Random, other: Client) -> Wish:
    """A visit that nobody else knows of, and of which nothing waits: whoever moves it claims what that publishes."""
    database = rig.database("companies")
    company = await database["companies"].find_one({"college": direct.COLLEGE}, {"_id": 1})
    if company is None:
        raise NotDone("nobody has registered a company yet")
    path = f"/companies/{company['_id']}/visits"
    planned = await other.ask("plan-visit", "POST", path, _times(random), about="/visits/{id}")
    if not planned.acknowledged:
        raise NotDone(f"no visit could be planned: {planned.status} {planned.code}")
    until, mine = time.monotonic() + SETTLE_SECONDS, ("visits", planned.body["id"])
    while mine in await outboxes.waiting(database, ["visits"]):
        if time.monotonic() > until:
            raise NotDone(f"nobody publishes /visits/{planned.body['id']}")
        await asyncio.sleep(outboxes.LOOK_SECONDS)
    return planned


async def _taken_over(rig: Rig, random: Random, place: str, stood: Stood, other: Client) -> float:
    """Wait until another has published what the one that stands has in hand, and more of that visit; how long the first
    took. I5 judges both."""
    database, path = rig.database("companies"), f"/visits/{stood.visit}"
    took = await outboxes.until_published(database, stood.in_hand, stood.since, SETTLE_SECONDS)
    rig.rested(f"F2, stopped before {place}", took)
    await _move_on(other, random, path)
    since = time.monotonic()
    more = {
        at: numbers for at, numbers in (await outboxes.waiting(database, ["visits"])).items() if at[1] == stood.visit
    }
    rig.rested(f"F2, moved on before {place}", await outboxes.until_published(database, more, since, SETTLE_SECONDS))
    await asyncio.sleep(max(0.0, STANDS_SECONDS - (time.monotonic() - stood.since)))
    if not hands.is_stopped(stood.pid):
        raise NotDone(f"the process that had {path} in hand did not stand still for {STANDS_SECONDS} s")
    return took


async def _go_on(rig: Rig, instance: str) -> None:
    """Nothing more is wanted, and what stands still goes on; also what stops before it has read that."""
    hands.want(rig, instance)
    for _ in range(2):
        await rig.kill(instance, signal.SIGCONT)
        await asyncio.sleep(2 * LOOK_SECONDS)


async def _move_on(other: Client, random: Random, path: str) -> None:
    """Have more happen to the visit that the stopped one may still hold: now it would go back. Raises NotDone."""
    for _ in range(MOVES_MAX):
        seen = await other.get(path)
        if seen is not None and seen.is_success:
            match = seen.headers["ETag"]
            if (await other.ask("move-visit", "PATCH", path, _times(random), about=path, match=match)).acknowledged:
                return
        await asyncio.sleep(1)
    raise NotDone(f"nothing more could happen to {path} while another stood still")


def _unanswered(moved: Wish) -> list[str]:
    """What is wrong with the answer of the one that stood still: what it had in hand was saved before that."""
    return [] if moved.acknowledged else [f"{moved.about}: its move was answered {moved.status} {moved.code}"]


async def _not_in_order(rig: Rig, in_hand: Waiting) -> list[str]:
    """Of what was in hand, that whose events are not all published, each once and in order."""
    records = await looking.records(rig.layout.bootstrap, rig.layout.topics)
    numbers = {id: waits for (_, id), waits in in_hand.items()}
    return not_in_order(numbers, of_this_run(records, rig.layout.outside.past))


def not_in_order(in_hand: Mapping[str, Iterable[int]], records: Iterable[Record]) -> list[str]:
    """Each aggregate of which a number that was in hand is on no topic, or whose numbers went back or came again on
    one. Its events may be on several: who is to get a mail is on a topic of its own."""
    published = {id: defaultdict[str, list[int]](list) for id in in_hand}
    for each in records:
        if each.key in published:
            published[each.key][each.topic].append(each.sequence)
    return [
        f"{id}: {list(numbers)} was in hand, published is {dict(published[id])}"
        for id, numbers in in_hand.items()
        if any(found != sorted(set(found)) for found in published[id].values())
        or not set(numbers) <= {number for found in published[id].values() for number in found}
    ]


def _times(random: Random) -> dict[str, str]:
    starts = datetime.now(UTC) + timedelta(days=random.randint(2, 300), minutes=random.randint(0, 999))
    return {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
