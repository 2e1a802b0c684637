"""Faults of numbers: instances that come and go, and many clients for few seats."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.faults import batches, hands, looking
from tests.faults.fault import Outcome
from tests.faults.kills import for_sure, two_of_each
from tests.faults.ledger import Wish
from tests.faults.rig import Rig

STEP_SECONDS = 5.0
SHARE_SECONDS = 45
UNASKED = frozenset({"notifications"})
"""Services that people ask nothing: they work on what others' events say."""

OF_FEW_KEYS = frozenset({"seats"})
"""Services whose people talk of so few things that for long nothing may come to a partition: more is made up."""

NUMBERS = (4, 2, 1, 4, 2, 1)
"""How many instances there are, from step to step."""

LOOKS = frozenset({"/livez", "/readyz", "/metrics"})

GUESTS = 500
SEATS = 100

Share = tuple[int, int]
"""Requests that an instance answered, and messages that it took."""


@dataclass(frozen=True)
class Has:
    """What there is for each instance of a service to do: requests, if people ask it for something; messages, if its
    group has a partition for each."""

    requests: bool
    messages: bool


_rounds = itertools.count(1)


async def instances(rig: Rig, random: Random, amount: int) -> Outcome:
    """F12: a service goes from 1 to 4 to 2 instances and back, by turns strictly by the clock, whatever became of the
    step before, and so that each new one has to have its part in the work before it goes."""
    counts, wrong = Counter[str](), list[str]()
    for number in range(amount):
        service = random.choice(rig.services)
        if number % 2 == 0:
            counts.update(await by_the_clock(rig, service))
        else:
            done, idle = await _at_work(rig, service)
            counts.update(done)
            wrong += idle
    return Outcome(counts, tuple(wrong), times=amount)


async def by_the_clock(rig: Rig, service: str) -> Counter[str]:
    """Every 5 s the number of instances is another; who is stopped may still be starting."""
    names, now, changes = rig.layout.instances(service), 1, dict[str, asyncio.Task[None]]()
    counts = Counter({"steps by the clock": len(NUMBERS), "stopped while they started": 0})
    began, asked = time.monotonic(), list[asyncio.Task[None]]()
    for step, wanted in enumerate(NUMBERS):
        await asyncio.sleep(max(0.0, began + step * STEP_SECONDS - time.monotonic()))
        for name in names[min(now, wanted) : max(now, wanted)]:
            changes[name] = asyncio.create_task(_change(rig, name, changes.get(name), counts, up=wanted > now))
            asked.append(changes[name])
        now = wanted
    await asyncio.gather(*asked)
    return counts


async def _change(
    rig: Rig, instance: str, before: "asyncio.Task[None] | None", counts: Counter[str], *, up: bool
) -> None:
    """Start an instance, or stop it, as soon as what was asked of it before is done: a start is done at once."""
    if before is not None:
        await before
    if up:
        await asyncio.to_thread(rig.supervisor.start, instance)
    else:
        waits_for = await asyncio.to_thread(rig.parts[instance].ready)
        counts["stopped while they started"] += bool(waits_for)
        await rig.stop(instance)


async def _at_work(rig: Rig, service: str) -> tuple[Counter[str], list[str]]:
    """From 1 to 4 to 2 and to 1, a step every 5 s, but that all are waited for until they have worked; what they did,
    and who did nothing."""
    _, *more = rig.layout.instances(service)
    group, since = f"{service}-policies", time.monotonic()
    partitions = await looking.partitions_of(rig.layout.bootstrap, rig.layout.groups[group])
    has = Has(requests=service not in UNASKED, messages=len(partitions) > len(more))
    for instance in more:
        hands.want(rig, instance, watch=group)
        await _step(rig, instance, up=True)
    await asyncio.gather(*(rig.ready(instance) for instance in more))
    shares = await _shares(rig, service, more, since, has)
    for instance in reversed(more):
        await _step(rig, instance, up=False)
    idle = [name for name, share in zip(more, shares, strict=True) if not worked(share, has)]
    done = {"requests of new instances": sum(asked for asked, _ in shares), "steps": 2 * len(more)}
    done["messages of new instances"] = sum(taken for _, taken in shares)
    return Counter(done), [f"{name} was ready, and had no part in the work in {SHARE_SECONDS} s" for name in idle]


async def _shares(rig: Rig, service: str, more: Sequence[str], since: float, has: "Has") -> list[Share]:
    """How many requests and messages each had, as soon as each has its part, or after a while."""
    until, client = time.monotonic() + SHARE_SECONDS, rig.load.client(f"keys-{next(_rounds)}", "vaao-outreach")
    while True:
        shares = [(await _requests(rig, name), await asyncio.to_thread(_messages, rig, name, since)) for name in more]
        if all(worked(share, has) for share in shares) or time.monotonic() > until:
            return shares
        if service in OF_FEW_KEYS:
            await client.ask("open-room", "POST", "/rooms", {"seats": 1}, about="/rooms/{id}")
        await asyncio.sleep(0.5)


def worked(share: Share, has: "Has") -> bool:
    """Whether it had its part of all that there is for it."""
    requests, messages = share
    return bool((requests or not has.requests) and (messages or not has.messages))


async def _requests(rig: Rig, instance: str) -> int:
    async with httpx2.AsyncClient(timeout=5) as http:
        return requests_in((await http.get(f"http://{rig.stack.address(instance)}/metrics")).text)


def requests_in(metrics: str) -> int:
    """How many requests were answered, but for those that ask how it is."""
    found = [sample for family in text_string_to_metric_families(metrics) for sample in family.samples]
    counts = [each for each in found if each.name == "http_request_seconds_count"]
    return int(sum(each.value for each in counts if each.labels["route"] not in LOOKS))


def _messages(rig: Rig, instance: str, since: float) -> int:
    written = batches.notes(hands.control_file(rig.stack.folder, instance), since)
    return sum(len(each["offsets"]) for each in written if each["what"] == "taken")


async def _step(rig: Rig, instance: str, *, up: bool) -> None:
    began = time.monotonic()
    if up:
        await asyncio.to_thread(rig.supervisor.start, instance)
    else:
        await rig.stop(instance)
    await asyncio.sleep(max(0.0, STEP_SECONDS - (time.monotonic() - began)))


async def rush(rig: Rig, random: Random, amount: int) -> Outcome:
    """F14: 500 clients for 100 seats, at two instances; in the only round, or from the second on, one is killed in the
    middle."""
    got, kills = Counter[str](), 0
    wrong: list[str] = []
    async with two_of_each(rig) as instances:
        for number in range(amount):
            name = f"rush-{next(_rounds)}"
            killing = (
                asyncio.create_task(_kill_soon(rig, random, instances["seats"])) if number or amount == 1 else None
            )
            room, answers = await _round(rig, name)
            if killing is not None:
                await killing
                kills += 1
            taken = sum(wish.acknowledged for wish in answers)
            full = sum(wish.code == "room-full" for wish in answers)
            got.update(taken=taken, refused=full, unanswered=sum(not wish.status for wish in answers))
            if taken != SEATS or taken + full != GUESTS:
                wrong.append(f"/rooms/{room}: {taken} got a seat, {full} were refused")
    return Outcome({"rounds": amount, "kills meanwhile": kills, **got}, tuple(wrong), times=amount)


async def _round(rig: Rig, name: str) -> tuple[str, list[Wish]]:
    opened = await rig.load.client(name, "vaao-outreach").ask(
        "open-room", "POST", "/rooms", {"seats": SEATS}, about="/rooms/{id}"
    )
    path = f"/rooms/{opened.body['id']}"

    async def one(number: int) -> Wish:
        client = rig.load.client(f"{name}-{number}", "vaao-outreach")
        body = {"guest": f"Vieras {number}"}
        return await client.ask("reserve-seat", "POST", f"{path}/reservations", body, about=path, within="room")

    return opened.body["id"], await asyncio.gather(*(one(number) for number in range(GUESTS)))


async def _kill_soon(rig: Rig, random: Random, instances: list[str]) -> None:
    await asyncio.sleep(random.uniform(0.3, 1.5))
    await for_sure(rig, random.choice(instances))
