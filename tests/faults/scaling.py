"""Faults of numbers: instances that come and go, rebalances in the middle of a batch, many clients for few seats."""

import asyncio
import itertools
import signal
import time
from collections import Counter
from contextlib import AsyncExitStack
from random import Random

from aiokafka import AIOKafkaConsumer

from tests.faults import looking
from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.kills import for_sure, two_of_each
from tests.faults.ledger import Wish
from tests.faults.rig import Rig

STEP_SECONDS = 5.0
FROZEN_SECONDS = 2.0
BACKLOG_SECONDS = 8
JOINS_SECONDS = 45
STORE_DELAY_SECONDS = 0.15
GUESTS = 500
SEATS = 100

_rounds = itertools.count(1)


async def instances(rig: Rig, random: Random, amount: int) -> Outcome:
    """F12: a service goes from 1 to 4 to 2 instances, a step every 5 seconds, and back to 1 at the end."""
    steps = 0
    for _ in range(amount):
        _, *more = rig.layout.instances(random.choice(rig.services))
        for instance in more:
            steps += await _step(rig, instance, up=True)
        await asyncio.gather(*(rig.ready(instance) for instance in more))
        for instance in (more[2], more[1]):
            steps += await _step(rig, instance, up=False)
        steps += await _step(rig, more[0], up=False)
    return Outcome({"steps": steps})


async def _step(rig: Rig, instance: str, *, up: bool) -> int:
    began = time.monotonic()
    if up:
        await asyncio.to_thread(rig.supervisor.start, instance)
    else:
        await rig.stop(instance)
    await asyncio.sleep(max(0.0, STEP_SECONDS - (time.monotonic() - began)))
    return 1


async def rebalances(rig: Rig, random: Random, amount: int) -> Outcome:
    """F13: a stranger joins a group and leaves it again, each time while the group has a batch in hand.

    An instance is frozen until it has a backlog, and its store is slow as it goes on: the batch lasts, and the
    rebalance comes in its middle. That is proven by what the stranger finds: it is given partitions, and some of them
    hold messages that their owner had not finished, and that come again to whoever is next.
    """
    by_group, in_hand, idle = Counter[str](), 0, 0
    async with two_of_each(rig):
        for _ in range(amount):
            group, topics = random.choice(sorted(rig.layout.groups.items()))
            service = next(name for name in rig.services if group.startswith(f"{name}-"))
            async with AsyncExitStack() as slow:
                try:
                    await rig.kill(service, signal.SIGSTOP)
                    if not await _backlog(rig, group):
                        idle += 1  # everybody waits for the one that is frozen
                        continue
                    if proxy := rig.proxies.get(f"{service}-mongo"):
                        await slow.enter_async_context(proxy.delayed(STORE_DELAY_SECONDS))
                finally:
                    await rig.kill(service, signal.SIGCONT)
                await asyncio.sleep(random.uniform(0.0, 0.3))
                in_hand += await _join_and_leave(rig, group, list(topics), random.uniform(0.5, 2))
                by_group[group] += 1
                await asyncio.sleep(random.uniform(0.5, 1.5))
    if not in_hand:
        raise NotDone("no rebalance came while anything was in hand")
    rebalances = {f"rebalances of {group}": 2 * times for group, times in sorted(by_group.items())}
    return Outcome({**rebalances, "messages in hand meanwhile": in_hand, "groups without a backlog": idle})


async def _backlog(rig: Rig, group: str) -> bool:
    """Wait until a group that is frozen in part has something to do; false when it does not come to that."""
    until = time.monotonic() + BACKLOG_SECONDS
    await asyncio.sleep(FROZEN_SECONDS)
    while not await looking.lag(rig.layout.bootstrap, {group: rig.layout.groups[group]}):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.2)
    return True


async def _join_and_leave(rig: Rig, group: str, topics: list[str], seconds: float) -> int:
    """Take partitions away from a group's members for a while; how many messages those had not finished."""
    stranger = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=rig.layout.bootstrap,
        group_id=group,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    await stranger.start()
    try:
        until = time.monotonic() + JOINS_SECONDS
        while not (given := stranger.assignment()):
            if time.monotonic() > until:
                raise NotDone(f"{group} gave a new member nothing in {JOINS_SECONDS} s: was there a rebalance?")
            await asyncio.sleep(0.1)
        ends, until, unfinished = await stranger.end_offsets(list(given)), time.monotonic() + seconds, 0
        while (left := until - time.monotonic()) > 0:
            for at, batch in (await stranger.getmany(timeout_ms=int(left * 1000))).items():
                unfinished += sum(each.offset < ends.get(at, 0) for each in batch)
    finally:
        await stranger.stop()
    return unfinished


async def rush(rig: Rig, random: Random, amount: int) -> Outcome:
    """F14: 500 clients for 100 seats, at two instances; from the second round on one is killed in the middle: a run of
    one round kills nobody, and says so."""
    got, kills = Counter[str](), 0
    wrong: list[str] = []
    async with two_of_each(rig) as instances:
        for number in range(amount):
            name = f"rush-{next(_rounds)}"
            killing = asyncio.create_task(_kill_soon(rig, random, instances["seats"])) if number else None
            room, answers = await _round(rig, name)
            if killing is not None:
                await killing
                kills += 1
            taken = sum(wish.acknowledged for wish in answers)
            full = sum(wish.code == "room-full" for wish in answers)
            got.update(taken=taken, refused=full, unanswered=sum(not wish.status for wish in answers))
            if taken != SEATS or taken + full != GUESTS:
                wrong.append(f"/rooms/{room}: {taken} got a seat, {full} were refused")
    return Outcome({"rounds": amount, "kills meanwhile": kills, **got}, tuple(wrong))


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
