"""B3: from a commit in the store to the consumer in another process, and how many events a second.

The measure is the kit: a decision, the guarded write, the relay, Kafka, the consumer, a policy that notes the moment. A
moment counts from where the store's write returns, before anybody is told of it. Every event has to arrive once, and
each key's in their order; the reader listens on for half a second. The floor is the bare client: produced (idempotent)
and consumed, as many, at the same pace, in as many processes. That the relay is never the bottleneck is looked at while
all are at work at full: for half a minute neither the outboxes that wait may become more, nor the oldest older. The
last rows, without a goal, are the relay alone, out of outboxes that are full before it starts: with one event each, as
commands leave them, and with many each, beside the bare client in a pipeline.
"""

import statistics
from collections.abc import Sequence

from tests.bench.b3_flow import Flow
from tests.bench.b3_sustained import Sustained, sustained
from tests.bench.bench import Bench, Compared, Row
from tests.bench.profiling import Load, profiled
from tests.tools import percentile

GOAL_MS = 50
EVENTS_EACH = 10


async def run(bench: Bench) -> list[Row]:
    count = bench.size(1_500, 100)
    rooms = bench.size(2_000, 50)
    async with bench.database() as database:
        flow = Flow(bench, database)
        full = await bench.compare(lambda: flow.full("kit", count), lambda: flow.full("bare", count))
        rate = full.measure / 2
        paced = await bench.compare(
            lambda: flow.paced("kit", rate, count), lambda: flow.paced("bare", rate, count), warm=False
        )
        drained = statistics.median(flow.drained[-bench.turns :])
        long = [await sustained(flow) for _ in range(bench.runs)]
        alone = await bench.compare(lambda: flow.backlog(rooms, 1), lambda: flow.commits(count))
        many = await bench.compare(
            lambda: flow.backlog(rooms, EVENTS_EACH), lambda: flow.full("bare", rooms * EVENTS_EACH)
        )
    one_each = _alone("one event each; floor: commits/s at full, with which it would share the cores", alone)
    many_each = _alone(f"{EVENTS_EACH} each; floor: the bare client", many)
    return [_latency(flow, paced, rate), _full(full, drained), keeps_up(long), one_each, many_each]


async def profile(bench: Bench) -> str:
    """Where the time of an event goes in the process that commits and publishes it: this one."""
    count = bench.size(1_500, 100)
    async with bench.database() as database:
        flow = Flow(bench, database)
        return await profiled(bench, None, Load(lambda: flow.full("kit", count), count, "event"))


def _latency(flow: Flow, found: Compared, rate: float) -> Row:
    halves = {how: statistics.median(percentile(each, 0.5) for each in runs) for how, runs in flow.milliseconds.items()}
    least = {how: min(min(each) for each in runs) for how, runs in flow.milliseconds.items()}
    return Row(
        "B3",
        f"commit to consumer at half load ({rate:,.0f}/s), p99",
        f"{found.measure:.1f} ms (p50 {halves['kit']:.1f}, least {least['kit']:.1f})",
        f"{found.floor:.1f} ms (p50 {halves['bare']:.1f}, least {least['bare']:.1f})",
        f"{found.ratio:.1f}",
        f"{GOAL_MS} ms",
        found.measure <= GOAL_MS,
        found.spread,
    )


def _full(found: Compared, drained: float) -> Row:
    return Row(
        "B3",
        "events/s at full, from the first commit to the last arrival",
        f"{found.measure:,.0f}/s; the last arrives {drained:.0f} ms after the last commit",
        f"{found.floor:,.0f}/s",
        f"{found.ratio:.2f}",
        spread=found.spread,
    )


def keeps_up(runs: Sequence[Sustained]) -> Row:
    """The relay holds nobody up when in no run anything piles up."""
    found = Compared([each.published for each in runs], [each.committed for each in runs])
    seconds = statistics.median(each.waiting.seconds for each in runs)
    more = ", ".join(f"{each.waiting.growth:+,.0f}" for each in runs)
    older = ", ".join(f"{each.oldest.growth:+.1f}" for each in runs)
    most, oldest = (max(getattr(look, what) for each in runs for look in each.looks) for what in ("waiting", "oldest"))
    return Row(
        "B3",
        f"the relay while all are at work at full, {seconds:.0f} s: events/s out of the outboxes; floor: committed",
        f"{found.measure:,.0f}/s; {more} outboxes wait, the oldest {older} s longer (at most {most:,}, {oldest:.1f} s)",
        f"{found.floor:,.0f}/s",
        f"{found.ratio:.2f}",
        "never the bottleneck: neither grows, beyond noise",
        all(each.keeps_up for each in runs),
        found.spread,
    )


def _alone(what: str, found: Compared) -> Row:
    return Row(
        "B3",
        f"the relay alone: events/s out of outboxes with {what}",
        f"{found.measure:,.0f}/s",
        f"{found.floor:,.0f}/s",
        f"{found.ratio:.2f}",
        spread=found.spread,
    )
