"""B3: from a commit in the store to the consumer in another process, and how many events a second.

The measure is the kit: a decision, the guarded write, the relay, Kafka, the consumer, a policy that notes the moment. A
moment counts from where the store's write returns, before anybody is told of it. Every event has to arrive once, and
each key's in their order; the reader listens on for half a second. The floor is the bare client: produced (idempotent)
and consumed, as many, at the same pace, in as many processes. The last rows are the relay alone, since a store that
takes some hundreds of writes a second leaves it idle: outboxes that are full before it starts. With one event each, as
commands leave them, it has to publish at least as many a second as are committed at full; with many each it stands
beside the bare client in a pipeline.
"""

import statistics

from tests.bench.b3_flow import Flow
from tests.bench.bench import Bench, Compared, Row
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
        alone = await bench.compare(lambda: flow.backlog(rooms, 1), lambda: flow.commits(count))
        many = await bench.compare(
            lambda: flow.backlog(rooms, EVENTS_EACH), lambda: flow.full("bare", rooms * EVENTS_EACH)
        )
    return [_latency(flow, paced, rate), _full(full, drained), keeps_up(alone), _alone(many)]


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
        remarks=("at full the store's guarded writes set the pace; what the relay can do is told by the next row",),
    )


def keeps_up(found: Compared) -> Row:
    """The relay holds nobody up when it can publish, alone, at least what is committed while all are at work."""
    return Row(
        "B3",
        "the relay alone: events/s out of outboxes with one event each; floor: commits/s at full",
        f"{found.measure:,.0f}/s",
        f"{found.floor:,.0f}/s",
        f"{found.ratio:.1f}",
        "never the bottleneck: 1.0",
        found.ratio >= 1,
        found.spread,
    )


def _alone(found: Compared) -> Row:
    return Row(
        "B3",
        f"the relay alone: events/s out of outboxes with {EVENTS_EACH} each; floor: the bare client",
        f"{found.measure:,.0f}/s",
        f"{found.floor:,.0f}/s",
        f"{found.ratio:.2f}",
        spread=found.spread,
    )
