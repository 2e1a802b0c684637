"""More than it can take: five times what it can do, and one caller who wants it all."""

import asyncio
from collections.abc import Callable
from itertools import cycle

from tests.load.client import Answers, closed_loop, looks, open_loop
from tests.load.findings import Check, Findings
from tests.load.running import Running, told

TIMES = 5
RECOVERY_SECONDS = 10
WINDOW_SECONDS = 1.0
WAIT_SECONDS = 1.0
AT_WORK = 64
LOOK_SECONDS_MAX = 2.0


async def overload(running: Running, door: str, *, seconds: float) -> Findings:
    """An open loop at five times the capacity that was measured just before."""
    port, _ = running.door(door)
    turns = cycle(running.callers)

    def command() -> bytes:
        return running.open_room(next(turns))

    before = await closed_loop(port, command, clients=32, seconds=seconds / 2)
    capacity = len(before.taken.all) / (seconds / 2)
    over, live, ready = await asyncio.gather(
        open_loop(port, command, rate=TIMES * capacity, seconds=seconds),
        looks(running.port, "/livez", seconds=seconds),
        looks(running.port, "/readyz", seconds=seconds),
    )
    recovered = await _recovered(port, command, capacity / 2)
    done = len([each for each in over.taken.all if each.at + each.seconds <= seconds]) / seconds
    bound = (
        WAIT_SECONDS + 3 * AT_WORK / max(done, capacity / 3) + 1
    )  # the wait, the work of those before, and this machine's
    p99 = over.taken.milliseconds(0.99) / 1000
    refused = Answers([each for each in over.all if each.well_refused])
    return Findings(
        f"Overload at the {door}",
        f"Capacity was {capacity:.0f} commands a second (closed loop, 32 clients); then {TIMES * capacity:.0f} a "
        f"second of {len(running.callers)} callers for {seconds:.0f} s, whatever became of those before.",
        [
            Check("every answer is 2xx, or 429 or 503 as a problem with Retry-After", told(over), not over.wrong),
            Check(
                f"p99 of what was taken is below {bound:.1f} s (a second's wait and the work of three times {AT_WORK})",
                f"p50 {over.taken.milliseconds(0.5):.0f} ms, p99 {p99 * 1000:.0f} ms",
                bool(over.taken.all) and p99 < bound,
                timed=True,
            ),
            Check("work goes on", f"{done:.0f} commands a second", done > capacity / 5, timed=True),
            Check(
                "`/livez` and `/readyz` answer 200", f"{told(live)}; {told(ready)}", _all_well(live, ready), timed=True
            ),
            Check(
                f"{RECOVERY_SECONDS} s later all of half the capacity is taken",
                f"after {recovered:.0f} s" if recovered <= RECOVERY_SECONDS else "not",
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


async def _recovered(port: int, command: Callable[[], bytes], rate: float) -> float:
    """Seconds until all that half the capacity asks is taken, soon."""
    passed = 0.0
    while passed <= RECOVERY_SECONDS:
        window = await open_loop(port, command, rate=rate, seconds=WINDOW_SECONDS)
        if len(window.taken.all) == len(window.all) and window.milliseconds(0.5) < WAIT_SECONDS * 1000:
            return passed
        passed += WINDOW_SECONDS
    return passed + 1


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
