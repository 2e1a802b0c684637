"""One run: the stack is started, people work, faults come one by one, and after each all invariants are checked."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from uuid import uuid4

from rich.console import Console
from tyrsky.connections import allowed

from deploy.local import launch
from deploy.local.part import carry_out, program
from deploy.local.supervising import Supervisor
from tests.faults import guests, invariants, looking, people, short, working
from tests.faults.checking import Checking
from tests.faults.fault import Fault, Outcome
from tests.faults.invariants import Verdict
from tests.faults.kills import two_of_each
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.parts import OWN, TOPICS, WEBHOOKS, Layout, Outside, layout, parts
from tests.faults.planning import Planned, plan
from tests.faults.proxy import Proxy
from tests.faults.receiver import Receiver
from tests.faults.rig import Rig
from tests.faults.wire import talk_of

SERVICES = ("companies", "notifications", "seats")
CLIENTS = 6
DESKS = 4
USERS = ("vaao-outreach", "vaao-coordinator", "sasky-outreach")
RATE = 15.0
OWN_SERVICES = {"OWN_SERVICES": json.dumps(OWN)}
WARM_UP_SECONDS = 4
PROGRESS_SECONDS = 15
TOPICS_SECONDS = 120
CONNECTIONS_MAX = 2_500
"""500 clients: each with a connection to the first proxy, one from there on, and two behind the gateway."""


@dataclass(frozen=True)
class Wanted:
    """What a run is to be."""

    faults: Sequence[Fault]
    seed: int
    minutes: float
    full: bool = False
    short: bool = False
    named: bool = False  # the faults were chosen one by one, so that each has to be run
    outside: Outside = field(default_factory=Outside)


@dataclass
class Segment:
    """One fault of a run, and what came of it."""

    planned: Planned
    outcome: Outcome = field(default_factory=Outcome)
    settled: float = 0.0
    took: float = 0.0
    verdicts: Sequence[Verdict] = ()
    broke: str = ""

    @property
    def short(self) -> str:
        """That it took place less often than was planned; empty if it did not."""
        times, planned = self.outcome.times, self.planned.amount
        return f"took place {times} times of {planned} that were planned" if times < planned and not self.broke else ""


@dataclass
class Result:
    """A run, to be reported."""

    wanted: Wanted
    segments: list[Segment]
    verdicts: Sequence[Verdict]
    asked: dict[str, int]
    seconds: float
    broken: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether every invariant held, every fault took place that had to, and the rig itself did not stumble."""
        faults = all(not (each.broke or each.short or each.outcome.wrong) for each in self.segments)
        checks = [*self.verdicts, *(verdict for segment in self.segments for verdict in segment.verdicts)]
        return faults and all(verdict.holds for verdict in checks) and not self.broken and not self.left_out

    @property
    def left_out(self) -> Sequence[Planned]:
        """Faults that were named and not run. In a full run all are named, but for those that an outside server
        forbids: whose it is has been told that."""
        missing = [each for each in self._planned if each.why_not]
        if self.wanted.named:
            return missing
        return [each for each in missing if not each.fault.kills & self.wanted.outside.parts] * self.wanted.full

    def ran_in_full(self, every: Sequence[Fault]) -> bool:
        """Whether this was all of it: each fault, as often as the issue wants."""
        amounts = {each.planned.fault.code: each.outcome.times for each in self.segments}
        return all(amounts.get(fault.code, 0) >= fault.full for fault in every)

    @property
    def _planned(self) -> list[Planned]:
        return [segment.planned for segment in self.segments]


def run(wanted: Wanted, console: Console) -> Result:
    """Start everything, run, stop everything."""
    if bootstrap := wanted.outside.kafka_bootstrap:
        past = asyncio.run(looking.ends(bootstrap, [topic.name for topic in TOPICS]))
        wanted = replace(wanted, outside=replace(wanted.outside, past=past))
    prefix = f"faults-{wanted.seed}-{uuid4().hex[:6]}-" if wanted.outside.parts else ""
    place = layout(SERVICES, wanted.outside, prefix)

    def say(text: str) -> None:
        console.print(f"[{time.strftime('%H:%M:%S')}] {text}", markup=False, highlight=False, soft_wrap=True)

    with launch.afresh(place.stack) as supervisor:
        return asyncio.run(_run(wanted, place, supervisor, console, say))


async def _run(
    wanted: Wanted, place: Layout, supervisor: Supervisor, console: Console, say: Callable[[str], None]
) -> Result:
    began = time.monotonic()
    say(f"seed {wanted.seed}: " + ", ".join(fault.code for fault in wanted.faults))
    segments: list[Segment] = []
    async with AsyncExitStack() as stack:
        rig = await stack.enter_async_context(_rig(wanted, place, supervisor, console, say))
        checking = await stack.enter_async_context(_at_work(rig))
        if wanted.short:
            await stack.enter_async_context(two_of_each(rig))  # once for all faults: to start and stop takes long
        planned = _planned(wanted, time.monotonic() - began)
        say(", ".join(f"{each.fault.code} {each.amount or each.why_not}" for each in planned))
        for each in planned:
            if each.amount:
                random = Random(f"{wanted.seed} {each.fault.code}")
                segments.append(await _segment(rig, checking, each, random, check=not wanted.short))
            else:
                segments.append(Segment(each))
        verdicts = await checking.check(whole=True)
        _tell(verdicts, say)
        broken = list(rig.load.broken)
        return Result(wanted, segments, verdicts, dict(rig.ledger.counts), time.monotonic() - began, broken)


def _planned(wanted: Wanted, gone: float) -> list[Planned]:
    random, outside = Random(f"faults {wanted.seed}"), wanted.outside.parts
    if wanted.short:
        return short.planned(wanted.faults, random, outside, gone)
    return plan(wanted.faults, minutes=wanted.minutes, random=random, outside=outside, full=wanted.full)


async def _segment(rig: Rig, checking: Checking, planned: Planned, random: Random, *, check: bool) -> Segment:
    fault, began = planned.fault, time.monotonic()
    segment = Segment(planned)
    rig.say(f"{fault.code} {fault.name}, {planned.amount} of {fault.full}")
    rig.ledger.noted("fault", code=fault.code, amount=planned.amount)
    rig.ended_at = 0.0
    rig.load.resume()
    await asyncio.sleep(WARM_UP_SECONDS)
    try:
        segment.outcome = await fault.run(rig, random, planned.amount)
    except Exception as error:  # it is told at the end; the other faults are still worth running
        segment.broke = f"{type(error).__name__}: {error}"
        rig.say(f"{fault.code} broke off: {segment.broke}")
    try:
        segment.settled = await checking.settle(fault.code)
        segment.verdicts = await checking.check(whole=False) if check else ()
    except Exception as error:  # what cannot be looked at did not come back
        segment.broke = f"{segment.broke} the check: {type(error).__name__}: {error}"
        rig.say(f"{fault.code}: it could not be checked: {segment.broke}")
    segment.took = time.monotonic() - began
    counts = ", ".join(f"{what} {count}" for what, count in segment.outcome.counts.items())
    rig.say(f"{fault.code} done in {segment.took:.0f} s: {counts}; at rest after {segment.settled:.1f} s")
    _tell([invariants.Verdict(fault.code, segment.outcome.wrong), *segment.verdicts], rig.say)
    return segment


def _tell(verdicts: Sequence[Verdict], say: Callable[[str], None]) -> None:
    for verdict in verdicts:
        for wrong in verdict.wrong[:5]:
            say(f"  {verdict.code} VIOLATED: {wrong}")
    say("  " + ", ".join(f"{verdict.code} {len(verdict.wrong)}" for verdict in verdicts))


# -- beginning and end -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _rig(
    wanted: Wanted, place: Layout, supervisor: Supervisor, console: Console, say: Callable[[str], None]
) -> AsyncGenerator[Rig]:
    """Proxies first, since the services look for their parts through them; then all parts, then people."""
    allowed(CONNECTIONS_MAX)
    everything = parts(place)
    async with proxied(place, supervisor) as proxies:
        if wanted.outside.kafka_bootstrap:
            env, apply = {"KAFKA_BOOTSTRAP": place.bootstrap, **OWN_SERVICES}, [program("tyrsky"), "topics", "apply"]
            await asyncio.to_thread(carry_out, "`tyrsky topics apply`", apply, seconds=TOPICS_SECONDS, env=env)
        await asyncio.to_thread(launch.bring_up, place.stack, everything, supervisor, console, OWN_SERVICES)
        await asyncio.to_thread(people.lengthen_tokens, place.stack)
        environment = {**place.environment("companies"), "MONGO_URI": place.mongo_uri}
        await asyncio.to_thread(working.import_register, environment, working.all_numbers(CLIENTS))
        folk, ledger = people.People(place.stack, place.front), Ledger(place.stack.folder / "ledger.jsonl")
        for proxy in proxies.values():
            proxy.ledger = ledger
        load = Load(folk, ledger, str(wanted.seed))
        rig = Rig(
            place, supervisor, {part.name: part for part in everything}, proxies, folk, ledger, load,
            Random(f"rig {wanted.seed}"), say,
        )  # fmt: skip
        receiver = Receiver(place.stack.ports["webhook"], ledger, WEBHOOKS["WEBHOOK_SECRET"])
        await receiver.start()
        try:
            yield rig
        finally:
            await receiver.close()
            await load.stop()
            await rig.close()
            await folk.close()
            for proxy in proxies.values():
                proxy.ledger = None
            ledger.close()


@asynccontextmanager
async def proxied(place: Layout, supervisor: Supervisor) -> AsyncGenerator[dict[str, Proxy]]:
    """A proxy between each two parts, until all parts have stopped: in order they can only with what they need."""
    proxies = {
        pair: Proxy(pair, place.proxy_port(pair), target, partial(talk_of, pair))
        for pair, target in place.pairs.items()
    }
    try:
        for proxy in proxies.values():
            await proxy.start()
        yield proxies
    finally:
        await asyncio.to_thread(supervisor.shut_down)
        for proxy in proxies.values():
            await proxy.close()


@asynccontextmanager
async def _at_work(rig: Rig) -> AsyncGenerator[Checking]:
    """People, who wait for the first fault; the watch over the read models; and a line now and then."""
    rig.load.rate = RATE
    addresses = [f"koe.{number}@faults.example" for number in range(CLIENTS)]
    for number, address in enumerate(addresses):
        rig.load.add(f"outreach-{number}", USERS[number % len(USERS)], working.Outreach(number, address).script)
    rooms = deque[str](maxlen=guests.ROOMS_OPEN)
    for number in range(DESKS):
        rig.load.add(f"desk-{number}", USERS[0], guests.Desk(rooms).script)
    checking = Checking(rig, addresses)
    background = [asyncio.create_task(checking.watch()), asyncio.create_task(_progress(rig))]
    try:
        yield checking
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)


async def _progress(rig: Rig) -> None:
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        rig.say("  " + ", ".join(f"{count} {what}" for what, count in rig.ledger.counts.items()))
