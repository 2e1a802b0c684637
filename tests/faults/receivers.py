"""F11: a receiver that hangs: the mail server, or who listens to webhooks. All others get theirs meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random

from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.rig import Rig

HANGS_SECONDS = 30
WATCH_SECONDS = 10
SLOWER = 3.0
DONE_SECONDS = 120

Count = Callable[[Rig], Awaitable[int]]


@dataclass(frozen=True)
class Line:
    """What goes out to a receiver: through which proxy, how often it arrived, and which service sends."""

    proxy: str
    service: str
    done: Count
    left: Count


async def hang(rig: Rig, random: Random, amount: int) -> Outcome:
    """By turns a receiver takes connections and says nothing, for 30 s; then the connections break."""
    lines = {name: line for name, line in LINES.items() if line.service in rig.services and line.proxy in rig.proxies}
    wrong, counts = list[str](), {"hangs": 0, "swallowed": 0, "done elsewhere meanwhile": 0, "commands meanwhile": 0}
    turns = random.sample(sorted(lines), len(lines))
    for number in range(amount):
        hanging = turns[number % len(turns)]
        others = {name: line for name, line in lines.items() if name != hanging}
        wrong += await _hang_once(rig, hanging, lines[hanging], others, counts)
        if number < amount - 1:  # after the last one nobody waits here: what is still to go is seen at the end
            await _catches_up(rig, lines[hanging], hanging)
    return Outcome(counts, tuple(wrong), times=counts["hangs"])


async def _hang_once(rig: Rig, name: str, line: Line, others: Mapping[str, Line], counts: dict[str, int]) -> list[str]:
    await asyncio.sleep(1)
    rate = await _commands_in(rig, WATCH_SECONDS) / WATCH_SECONDS
    proxy, wrong = rig.proxies[line.proxy], list[str]()
    swallowed = proxy.counts["swallowed"]
    before = {other: await each.done(rig) for other, each in others.items()}
    async with proxy.hole():
        commands = await _commands_in(rig, HANGS_SECONDS)
        held = proxy.counts["swallowed"] - swallowed
        arrived = {other: await each.done(rig) - before[other] for other, each in others.items()}
    rig.fault_ended()
    if not held:
        raise NotDone(f"nothing was sent to {name} while it hung")
    wrong += [
        f"{other}: nothing arrived in {HANGS_SECONDS} s while {name} hung" for other in others if not arrived[other]
    ]
    if commands * SLOWER < rate * HANGS_SECONDS:
        wrong.append(f"{commands / HANGS_SECONDS:.1f} commands/s while {name} hung, {rate:.1f} before")
    counts["hangs"] += 1
    counts["swallowed"] += held
    counts["done elsewhere meanwhile"] += sum(arrived.values())
    counts["commands meanwhile"] += commands
    return wrong


async def _commands_in(rig: Rig, seconds: float) -> int:
    before = rig.ledger.counts["acknowledged"]
    await asyncio.sleep(seconds)
    return rig.ledger.counts["acknowledged"] - before


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
