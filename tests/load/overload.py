"""More than it can take: five times what it can do, and one caller who wants it all.

What is promised of time is a fixed figure: it does not grow with the slowness that is seen.
"""

import asyncio
import time
from collections.abc import Callable
from itertools import cycle

from tyrsky.settings import Settings

from tests.load.client import Answers, closed_loop, json_of, looks, open_loop
from tests.load.findings import Check, Findings
from tests.load.running import Running, told

TIMES, TIMES_LEAST = 5, 4.5
RECOVERY_SECONDS = 10
WINDOW_SECONDS = 1.0
GOODPUT = 1 / 2
"""So much of the capacity is done under overload: refusing costs something too, and the load runs on the same cores."""
WAIT_SECONDS: float = Settings.model_fields["request_wait_seconds"].default
TAKEN_SECONDS = 3.0
"""Whatever the capacity is: a second is what a request waits for a place at most (decision 50), the rest is for the
work of those who have one, and for the body's way here."""


async def overload(running: Running, door: str, *, seconds: float) -> Findings:
    """An open loop at five times the capacity that was measured just before."""
    port, _ = running.door(door)
    turns = cycle(running.callers)

    def command() -> bytes:
        return running.open_room(next(turns))

    before = await closed_loop(port, command, clients=32, seconds=seconds / 2)
    capacity = len(before.taken.all) / (seconds / 2)
    over, live, ready, recovered = await asyncio.gather(
        open_loop(port, command, rate=TIMES * capacity, seconds=seconds),
        looks(running.port, "/livez", seconds=seconds),
        looks(running.port, "/readyz", seconds=seconds),
        _recovered(port, command, capacity / 2, after=seconds),
    )
    offered = sum(each.sent <= seconds for each in over.all) / seconds
    done = len([each for each in over.taken.all if each.at + each.seconds <= seconds]) / seconds
    p99 = over.taken.milliseconds(0.99) / 1000
    acknowledged = [json_of(each)["id"] for each in over.taken.all]
    stored = await running.stored(acknowledged)
    refused = Answers([each for each in over.all if each.well_refused])
    return Findings(
        f"Overload at the {door}",
        f"Capacity was {capacity:.0f} commands a second (closed loop, 32 clients); then {TIMES * capacity:.0f} a "
        f"second of {len(running.callers)} callers for {seconds:.0f} s, whatever became of those before: "
        f"{offered:.0f} a second were sent.",
        [
            Check(
                f"at least {TIMES_LEAST} times the capacity is sent, and some of it refused",
                f"{offered / max(capacity, 1):.1f} times, {len(refused.all)} refused",
                offered >= TIMES_LEAST * capacity and bool(refused.all),
                timed=True,
            ),
            Check("every answer is 2xx, or 429 or 503 as a problem with Retry-After", told(over), not over.wrong),
            Check(
                "what was answered with 201 is in the store, each a room of its own",
                f"{len(stored)} of {len(acknowledged)}",
                len(stored) == len(acknowledged) == len(set(acknowledged)),
            ),
            Check(
                f"p99 of what was taken is below {TAKEN_SECONDS:.0f} s, of which {WAIT_SECONDS:.0f} s for a place",
                f"p50 {over.taken.milliseconds(0.5):.0f} ms, p99 {p99 * 1000:.0f} ms",
                bool(over.taken.all) and p99 < TAKEN_SECONDS,
                timed=True,
            ),
            Check(
                f"at least {GOODPUT:.0%} of the capacity is done",
                f"{done:.0f} commands a second, {done / max(capacity, 1):.0%}",
                done >= GOODPUT * capacity > 0,
                timed=True,
            ),
            Check(
                "`/livez` and `/readyz` answer 200", f"{told(live)}; {told(ready)}", _all_well(live, ready), timed=True
            ),
            Check(
                f"{RECOVERY_SECONDS} s after the last was offered all of half the capacity is taken",
                f"from {recovered:.1f} s on" if recovered <= RECOVERY_SECONDS else "not",
                recovered <= RECOVERY_SECONDS,
                timed=True,
            ),
        ],
        [
            f"refusals took {refused.milliseconds(0.5):.0f} ms (p50), {refused.milliseconds(0.99):.0f} ms (p99)",
            f"`/livez` took {live.milliseconds(1):.0f} ms at most, `/readyz` {ready.milliseconds(1):.0f} ms",
        ],
    )


def _all_well(*looked: Answers) -> bool:
    return all(each.taken for answers in looked for each in answers.all)


async def _recovered(port: int, command: Callable[[], bytes], rate: float, *, after: float) -> float:
    """Seconds from the end of what is offered, which is ``after`` so many, until all of half the capacity is taken,
    soon: when the first second of it began of which that is true."""
    await asyncio.sleep(after)
    ended = time.perf_counter()
    while (passed := time.perf_counter() - ended) <= RECOVERY_SECONDS:
        window = await open_loop(port, command, rate=rate, seconds=WINDOW_SECONDS)
        if len(window.taken.all) == len(window.all) > 0 and window.milliseconds(0.5) < WAIT_SECONDS * 1000:
            return passed
    return passed


async def greedy(running: Running, door: str, *, seconds: float) -> Findings:
    """One caller asks for several times what there is; the others ask now and then."""
    port, _ = running.door(door)
    turns = cycle(running.callers)
    before = await closed_loop(port, lambda: running.open_room(next(turns)), clients=32, seconds=seconds / 2)
    capacity = len(before.taken.all) / (seconds / 2)
    one, others = await asyncio.gather(
        open_loop(port, lambda: running.open_room(running.callers[0]), rate=4 * capacity, seconds=seconds),
        running.others(port, seconds=seconds, rate=max(2.0, capacity / 10)),
    )
    return Findings(
        f"One greedy caller at the {door}",
        f"One token asks {4 * capacity:.0f} times a second, {len(running.callers) - 1} others "
        f"{max(2.0, capacity / 10):.0f} times together, where {capacity:.0f} can be done.",
        [
            Check(
                "the others are served (99%)",
                told(others),
                len(others.taken.all) >= 0.99 * len(others.all) > 0,
                timed=True,
            ),
            Check(
                "and sooner than the greedy one",
                f"p50 {others.taken.milliseconds(0.5):.0f} ms against {one.taken.milliseconds(0.5):.0f} ms, "
                f"p99 {others.taken.milliseconds(0.99):.0f} ms against {one.taken.milliseconds(0.99):.0f} ms",
                others.taken.milliseconds(0.5) < one.taken.milliseconds(0.5),
                timed=True,
            ),
            Check("the greedy one is told so (429)", told(one), 429 in one.statuses() and not one.wrong),
        ],
    )
