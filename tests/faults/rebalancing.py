"""F13: rebalances in the middle of a batch; every third lasts until the kit waits no longer for that batch."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from aiokafka import AIOKafkaConsumer

from tests.faults import hands
from tests.faults.batches import notes
from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.kills import two_of_each
from tests.faults.rig import Rig

HELD_SECONDS = 20
JOINS_SECONDS = 60
AGAIN_SECONDS = 30
PAST_EVERY = 3
"""One of so many batches is held past the time that the kit waits for it."""

Place = tuple[str, int, int]
"""A message's topic, partition and offset."""


@dataclass(frozen=True)
class Found:
    """What a rebalance found in the hands of one member, and what became of that. ``asked``: messages that were in hand
    as it began; ``left``: as the kit waited no longer; ``again``: those of the held batch that came to anybody again.
    """

    held: frozenset[Place] = frozenset()
    asked: int = 0
    left: int = 0
    committed: bool = False
    again: frozenset[Place] = frozenset()

    @property
    def all_again(self) -> bool:
        """Whether all that was held came again."""
        return self.held == self.again


async def rebalances(rig: Rig, random: Random, amount: int) -> Outcome:
    """A stranger joins a group and leaves it again, while a member holds a batch in the middle of its work.

    Mostly that batch is done in time: then it is committed before others get its partitions, and comes to nobody again.
    Every third time it is not: then all of it has to come again, to members who take it although it was taken, or is
    about to be.
    """
    by_group, counts, wrong, tries, idle = Counter[str](), Counter[str](), list[str](), 0, 0
    async with two_of_each(rig) as instances:
        while by_group.total() < amount and tries < 2 * amount:
            tries += 1
            group = random.choice(sorted(rig.layout.groups))
            past = by_group.total() % PAST_EVERY == 1
            service = next(name for name in rig.services if group.startswith(f"{name}-"))
            found = await _rebalance(rig, random, group, instances[service], past=past)
            if found is None or not found.asked:
                idle += 1
                continue
            by_group[group] += 1
            counts.update(_counted(found, past=past))
            wrong += [f"{group}: {each}" for each in judged(found, past=past)]
    groups = {f"of {group}": times for group, times in sorted(by_group.items())}
    shown = {**groups, **counts, "tries without a batch in hand": idle}
    return Outcome(shown, tuple(wrong), times=by_group.total())


def _counted(found: Found, *, past: bool) -> dict[str, int]:
    late = {"held past the wait": 1, "commits refused": int(not found.committed)} if past else {}
    return {"messages in hand": found.asked, "messages that came again": len(found.again), **late}


def judged(found: Found, *, past: bool) -> list[str]:
    """What is not as the kit promises, or as the fault was meant."""
    if not past:
        wrong = [] if found.committed else ["a batch that was done in time was not committed"]
        return wrong + [f"{each} was done in time, and came again" for each in sorted(found.again)]
    wrong = [] if found.left else ["the batch was done before the kit waited no longer"]
    lost = sorted(found.held - found.again)
    return wrong + [f"{each} was in hand past the rebalance, and did not come again" for each in lost]


async def _rebalance(rig: Rig, random: Random, group: str, instances: Sequence[str], *, past: bool) -> Found | None:
    """One of them; None when nobody had anything to do."""
    holder, other = random.sample(list(instances), 2)
    how = {"hold": random.choice(("before", "after")), "past": past, "seconds": random.uniform(0.3, 2)}
    since = time.monotonic()
    await hands.obey(rig, other, watch=group)
    await hands.obey(rig, holder, watch=group, **how)
    files = {name: hands.control_file(rig.stack.folder, name) for name in (holder, other)}
    try:
        if not await _until(lambda: _first(files[holder], since, "held"), HELD_SECONDS):
            return None
        read = await _join_and_leave(rig, group, lambda: bool(_first(files[holder], since, "committed")))
        rig.fault_ended()
        if past:
            await _until(lambda: _found(files, holder, since, read).all_again, AGAIN_SECONDS)
        return _found(files, holder, since, read)
    finally:
        for instance in (holder, other):
            hands.want(rig, instance)


def _found(files: dict[str, Path], holder: str, since: float, read: set[Place]) -> Found:
    """What the processes wrote down."""
    return found_in(notes(files[holder], since), [each for file in files.values() for each in notes(file, since)], read)


def found_in(of_holder: Sequence[dict[str, Any]], of_all: Iterable[dict[str, Any]], read: set[Place]) -> Found:
    """What a holder's notes say of the batch that it held; ``read`` is what the stranger was given."""
    held = next((each for each in of_holder if each["what"] == "held"), None)
    if held is None:
        return Found()

    def then(what: str) -> dict[str, Any]:
        return next((each for each in of_holder if each["what"] == what and each["at"] >= held["at"]), {})

    batch = frozenset(_places(held))
    taken = {at for each in of_all if each["what"] == "taken" and each["at"] > held["at"] for at in _places(each)}
    return Found(
        batch,
        then("asked").get("in_hand", 0),
        then("waited").get("in_hand", 0),
        then("committed").get("done", False),
        batch & (taken | read),
    )


def _places(note: dict[str, Any]) -> set[Place]:
    return {(topic, partition, offset) for topic, partition, offset in note["offsets"]}


def _first(file: Path, since: float, what: str) -> dict[str, Any] | None:
    return next((each for each in notes(file, since) if each["what"] == what), None)


async def _until(holds: Callable[[], Any], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.1)
    return True


async def _join_and_leave(rig: Rig, group: str, done: Callable[[], bool]) -> set[Place]:
    """Take partitions away from a group's members until the one that held a batch is done; what was on them."""
    stranger = AIOKafkaConsumer(
        *rig.layout.groups[group],
        bootstrap_servers=rig.layout.bootstrap,
        group_id=group,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    read, until = set[Place](), time.monotonic() + JOINS_SECONDS
    await stranger.start()
    try:
        while not stranger.assignment() or not done():
            if time.monotonic() > until:
                raise NotDone(f"{group} gave a new member nothing, or did not go on, in {JOINS_SECONDS} s")
            for at, batch in (await stranger.getmany(timeout_ms=200)).items():
                read |= {(at.topic, at.partition, each.offset) for each in batch}
    finally:
        await stranger.stop()
    return read
