"""Faults of numbers: instances that come and go, and many clients for few seats."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from random import Random

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.faults import batches, hands
from tests.faults.fault import Outcome
from tests.faults.kills import for_sure, two_of_each
from tests.faults.ledger import Wish
from tests.faults.rig import Rig

STEP_SECONDS = 5.0
SHARE_SECONDS = 45
UNASKED = frozenset({"notifications"})
"""Services that people ask nothing: they work on what others' events say."""

LOOKS = frozenset({"/livez", "/readyz", "/metrics"})

GUESTS = 500
SEATS = 100

Share = tuple[int, int]
"""Requests that an instance answered, and messages that it took."""

_rounds = itertools.count(1)


async def instances(rig: Rig, random: Random, amount: int) -> Outcome:
    """F12: a service goes from 1 to 4 to 2 instances, a step every 5 seconds, and back to 1 at the end. Each new one
    has to have its part in the work, before it goes."""
    steps, work, wrong = 0, Counter[str](), list[str]()
    for _ in range(amount):
        service = random.choice(rig.services)
        _, *more = rig.layout.instances(service)
        since = time.monotonic()
        for instance in more:
            hands.want(rig, instance, watch=f"{service}-policies")
            steps += await _step(rig, instance, up=True)
        await asyncio.gather(*(rig.ready(instance) for instance in more))
        shares = await _shares(rig, more, since, asked=service not in UNASKED)
        work.update({"requests": sum(asked for asked, _ in shares), "messages": sum(taken for _, taken in shares)})
        idle = [
            name for name, share in zip(more, shares, strict=True) if not worked(share, asked=service not in UNASKED)
        ]
        wrong += [f"{name} was ready, and had no part in the work in {SHARE_SECONDS} s" for name in idle]
        for instance in (more[2], more[1]):
            steps += await _step(rig, instance, up=False)
        steps += await _step(rig, more[0], up=False)
    done = {f"{what} of new instances": count for what, count in work.items()}
    return Outcome({"steps": steps, **done}, tuple(wrong), times=amount)


async def _shares(rig: Rig, more: Sequence[str], since: float, *, asked: bool) -> list[Share]:
    """How many requests and messages each had, as soon as each has its part, or after a while."""
    until = time.monotonic() + SHARE_SECONDS
    while True:
        shares = [(await _requests(rig, name), await asyncio.to_thread(_messages, rig, name, since)) for name in more]
        if all(worked(share, asked=asked) for share in shares) or time.monotonic() > until:
            return shares
        await asyncio.sleep(0.5)


def worked(share: Share, *, asked: bool) -> bool:
    """Whether it had its part: of requests, where people ask the service for something, else of messages."""
    requests, messages = share
    return bool(requests if asked else messages)


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


async def _step(rig: Rig, instance: str, *, up: bool) -> int:
    began = time.monotonic()
    if up:
        await asyncio.to_thread(rig.supervisor.start, instance)
    else:
        await rig.stop(instance)
    await asyncio.sleep(max(0.0, STEP_SECONDS - (time.monotonic() - began)))
    return 1


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
