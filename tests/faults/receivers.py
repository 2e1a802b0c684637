"""F11: a receiver that hangs: the mail server, or who listens to webhooks. All others get theirs meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.ledger import Paper
from tests.faults.poison import compared
from tests.faults.rig import Rig

HANGS_SECONDS = 30
DONE_SECONDS = 120
COMMANDS_LEAST = 0.8
ARRIVALS_LEAST = 0.5
"""How much of what went on before goes on while a receiver hangs: of the commands, and of what goes out elsewhere."""

SAMPLES_JUDGED = 1_000
"""Of some 400 commands, as many as there are in one hang, four decide what the p99 is."""

Count = Callable[[Rig], Awaitable[int]]


@dataclass(frozen=True)
class Line:
    """What goes out to a receiver: through which proxy, how often it arrived, and which service sends."""

    proxy: str
    service: str
    done: Count
    left: Count


@dataclass(frozen=True)
class Window:
    """What went on in 30 s: how long each command took that was acknowledged, and of each line how much came to be
    sent, and how much arrived."""

    took: Sequence[float]
    wanted: Mapping[str, int]
    arrived: Mapping[str, int]


async def hang(rig: Rig, random: Random, amount: int) -> Outcome:
    """By turns a receiver takes connections and says nothing, for 30 s; then the connections break."""
    lines = {name: line for name, line in LINES.items() if line.service in rig.services and line.proxy in rig.proxies}
    wrong, counts = list[str](), Counter({"hangs": 0, "swallowed": 0})
    before, during = list[float](), list[float]()
    turns = random.sample(sorted(lines), len(lines))
    for number in range(amount):
        name = turns[number % len(turns)]
        others = {other: line for other, line in lines.items() if other != name}
        first, second, held = await _hang_once(rig, name, lines[name], others)
        before += first.took
        during += second.took
        wrong += slower(name, first, second)
        counts.update({"hangs": 1, "swallowed": held, "commands meanwhile": len(second.took)})
        counts["done elsewhere meanwhile"] += sum(second.arrived.values())
        if number < amount - 1:  # after the last one nobody waits here: what is still to go is seen at the end
            await _catches_up(rig, lines[name], name)
    shown, p99 = compared(before, during, "one that hangs", SAMPLES_JUDGED)
    return Outcome({**counts, **shown}, (*wrong, *p99), times=counts["hangs"])


async def _hang_once(rig: Rig, name: str, line: Line, others: Mapping[str, Line]) -> tuple[Window, Window, int]:
    """A window before it, one of the same length while it hangs, and how much it swallowed."""
    await asyncio.sleep(1)
    before, proxy = await _window(rig, others), rig.proxies[line.proxy]
    if idle := [other for other, wanted in before.wanted.items() if not wanted]:
        raise NotDone(f"nothing was to go to {' and '.join(idle)} before {name} hung")
    swallowed = proxy.counts["swallowed"]
    async with proxy.hole():
        during = await _window(rig, others)
        held = proxy.counts["swallowed"] - swallowed
    rig.fault_ended()
    if not held:
        raise NotDone(f"nothing was sent to {name} while it hung")
    return before, during, held


def slower(name: str, before: Window, during: Window) -> list[str]:
    """What went on too little while a receiver hung. Elsewhere as much has to arrive as half of what came to be sent
    there before: what arrived then may have been put off by an earlier hang."""
    wrong = [
        f"{other}: {during.arrived[other]} arrived while {name} hung, {wanted} were to in as long a time before"
        for other, wanted in before.wanted.items()
        if during.arrived[other] < ARRIVALS_LEAST * wanted
    ]
    if len(during.took) < COMMANDS_LEAST * len(before.took):
        wrong.append(f"{len(during.took)} commands while {name} hung, {len(before.took)} in as long a time before")
    return wrong


async def _window(rig: Rig, lines: Mapping[str, Line]) -> Window:
    place = rig.ledger.paper.end
    done = {name: await line.done(rig) for name, line in lines.items()}
    left = {name: await line.left(rig) for name, line in lines.items()}
    await asyncio.sleep(HANGS_SECONDS)
    arrived = {name: await line.done(rig) - done[name] for name, line in lines.items()}
    wanted = {name: arrived[name] + await line.left(rig) - left[name] for name, line in lines.items()}
    return Window(await asyncio.to_thread(took, rig.ledger.paper, place), wanted, arrived)


def took(paper: Paper, place: int) -> list[float]:
    """How long each command took that was asked since this place in the ledger, and acknowledged."""
    asked_at, found = dict[str, float](), list[float]()
    for line in paper.since(place):
        if line["happening"] == "asked":
            asked_at[line["wish"]] = line["at"]
        elif line["happening"] == "answered" and line["wish"] in asked_at and 200 <= line["status"] < 300:
            found.append(line["at"] - asked_at[line["wish"]])
    return found


async def _catches_up(rig: Rig, line: Line, name: str) -> None:
    """Wait until something arrives again: what was put off has its own time, and others' new ones go at once."""
    before = await line.done(rig)
    async with asyncio.timeout(DONE_SECONDS):
        while await line.done(rig) == before:
            await asyncio.sleep(0.5)
    rig.say(f"  {name} takes again; {await line.left(rig)} are still to go")


async def _mails(rig: Rig) -> int:
    return await rig.database("notifications")["notifications"].count_documents({"state.status": "sent"})


async def _mails_left(rig: Rig) -> int:
    return await rig.database("notifications")["notifications"].count_documents({"state.due_at": {"$ne": None}})


async def _calls(rig: Rig) -> int:
    return len(await asyncio.to_thread(rig.ledger.paper.noted, "webhook"))


async def _calls_left(rig: Rig) -> int:
    return await rig.database("seats")["dispatches"].count_documents({"state.due_at": {"$ne": None}})


LINES = {
    "the mail server": Line("notifications-smtp", "notifications", _mails, _mails_left),
    "the webhook": Line("seats-webhook", "seats", _calls, _calls_left),
}
