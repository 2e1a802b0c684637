"""F8: messages that cannot be read, and events that a policy chokes on; the others do not wait for them."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer

from tests.faults import direct, hands, letters
from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.letters import POLICIES, REACH, Parked
from tests.faults.looking import OURS
from tests.faults.rig import Rig
from tests.tools import percentile

WARM_SECONDS = 15
"""A service that has just been started is no measure of the others."""

WINDOW_SECONDS = 15
WINDOW_SECONDS_MAX = 90
SAMPLES_LEAST = 40
SAMPLES_JUDGED = 200
"""Of fewer a p99 is the slowest one, which says nothing of the others."""

VICTIMS = 3
PATIENT = {"PARKED_RETRY_SECONDS": "3600", "PARKED_RETRY_SECONDS_MAX": "3600"}
"""So long that no key is tried again by itself: what is repaired, the replay has repaired. The windows are measured
with the settings that a service has, so that its keys are tried again meanwhile."""

TOPIC = "companies"

Latencies = list[float]


async def poison(rig: Rig, random: Random, amount: int) -> Outcome:
    """Rounds of a window without poison, one with, the bug's mending, and the replay; as many as are asked for,
    whatever they show. The p99 is of all rounds together."""
    clean, poisoned, wrong = Latencies(), Latencies(), list[str]()
    counts = Counter({"unreadable messages": 0, "dead letters of them": 0, "events with a bug": 0, "repaired once": 0})
    for _ in range(amount):
        await asyncio.sleep(WARM_SECONDS)
        clean += await _window(rig, [], wrong)
        instances = await _instances(rig)
        try:
            visits = await _victims(rig, random, instances)
            unreadable = await _write(rig, random)
            expected = unreadable | {(POLICIES, visit) for visit in visits}
            keeping = asyncio.create_task(letters.all_kept(rig, expected, set(visits)))
            poisoned += await _window(rig, visits, wrong)
            wrong += await keeping
            tried, never = await letters.tried_again(rig, visits)
            wrong += never
            _tell_choked(rig, instances)
            await _started_with(rig, instances, fail=visits, env=PATIENT)
            wrong += await letters.put_off(rig, visits)
            for instance in instances:
                await hands.obey(rig, instance, env=PATIENT)
            rig.fault_ended()
            repaired, unrepaired = await letters.replayed(rig, visits)
            wrong += unrepaired
            dropped = await letters.dropped(rig, unreadable)
        finally:
            await _started_with(rig, instances)
        counts.update(
            {"unreadable messages": len({key for _, key in unreadable}), "events with a bug": len(visits)}
            | {"tries again meanwhile": tried, "repaired once": repaired, "dead letters of them": dropped}
        )
    shown, slower = compared(clean, poisoned)
    return Outcome({**counts, "rounds": amount, **shown}, (*wrong, *slower), times=amount)


def compared(
    clean: Sequence[float], hurt: Sequence[float], what: str = "poison", least: int = SAMPLES_JUDGED
) -> tuple[dict[str, float | str], list[str]]:
    """The p99 without something and with it, and what is wrong with them; nothing is said of too few."""
    fewest, counts = min(len(clean), len(hurt)), {"measured without": len(clean), "measured with": len(hurt)}
    if fewest < least:
        return {**counts, "p99": f"too few to judge ({fewest} of {least})"}, []
    before, during = percentile(clean, 0.99), percentile(hurt, 0.99)
    shown = {**counts, "p99 without, ms": _milliseconds(before), "p99 with, ms": _milliseconds(during)}
    slower = f"p99 of the others: {during:.3f} s with {what}, {before:.3f} s without"
    return shown, [slower] if during > 2 * before else []


async def _instances(rig: Rig) -> list[str]:
    processes = await rig.processes()
    return [name for name in rig.layout.instances("companies") if processes[name].pid]


async def _started_with(rig: Rig, instances: Sequence[str], **wanted: Any) -> None:
    """Each is started anew, with what is wanted of it from its first moment on."""
    for instance in instances:
        await rig.stop(instance)
        hands.want(rig, instance, **wanted)
        await rig.start(instance)


async def _victims(rig: Rig, random: Random, instances: Sequence[str]) -> list[str]:
    """The bug is put in, and visits are recorded whose needs the policy chokes on: their ids are known before."""
    visits = [str(UUID(int=random.getrandbits(128), version=4)) for _ in range(VICTIMS)]
    async with direct.at(rig, "companies", "f8", random) as client:
        found = await rig.database("companies")["companies"].find_one({"college": direct.COLLEGE}, {"_id": 1})
        if found is None:
            raise NotDone("nobody has registered a company yet")
        for instance in instances:
            await hands.obey(rig, instance, fail=visits)
        for visit in visits:
            visited = datetime.now(UTC) - timedelta(hours=1)
            body = {"id": visit, "visited_at": visited.isoformat(), "needs": ["recruitment"]}
            path = f"/companies/{found['_id']}/visits/recorded"
            await client.ask("drop-in", "POST", path, body, about="/visits/{id}")
    return visits


def _tell_choked(rig: Rig, instances: Sequence[str]) -> None:
    for instance in instances:
        if not (happened := hands.told(rig, instance)):
            raise NotDone(f"{instance} does not say what it did")
        rig.say(f"  {instance} choked {happened.failed} times")


async def _write(rig: Rig, random: Random) -> Parked:
    """Messages that are no events, each with a key of its own; who has to keep each. A group cares for what it reacts
    to, and for what does not say what it is."""

    def key() -> str:
        return str(UUID(int=random.getrandbits(128)))

    about = [("ce_specversion", b"1.0"), ("ce_id", key().encode()), ("ce_source", b"/colleges/vaao/visits")]
    about += [("ce_college", b"vaao"), ("ce_sequence", b"1"), ("ce_time", b"2026-01-01T10:00:00Z")]
    about += [("ce_correlationid", b"x"), ("ce_causationid", b"x"), ("content-type", b"application/json")]
    planned = ("ce_type", b"tyrsky.visit.planned.v1")
    recorded = ("ce_type", b"tyrsky.visit.recorded.v1")
    forms: list[tuple[tuple[str, ...], list[tuple[str, bytes]], bytes]] = [
        ((POLICIES, REACH), [], b"not an event at all"),
        ((POLICIES, REACH), [*about, recorded], b"{not json"),
        ((POLICIES, REACH), [*about, recorded], b'{"visit_id": "not an id"}'),
        ((POLICIES, REACH), [*about, ("ce_type", b"tyrsky.visit.recorded.v99")], b"{}"),
        ((POLICIES, REACH), [*about[:3], ("ce_sequence", b"\xff\xfe"), planned], bytes(range(256))),
    ]
    parked = Parked()
    producer = AIOKafkaProducer(bootstrap_servers=rig.layout.bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        for groups, headers, body in forms:
            each = key()
            parked |= {(group, each) for group in groups}
            subject = [("ce_subject", each.encode())] if headers else []
            told = [*headers, *subject, (OURS, b"poison")]
            await producer.send_and_wait(TOPIC, body, key=each.encode(), headers=told)
    finally:
        await producer.stop()
    rig.fault_ended()
    return parked


async def _window(rig: Rig, victims: Sequence[str], wrong: list[str]) -> Latencies:
    """From the request to record a visit until the need that it names is charted: by way of the topic and the policies.

    Every record that was acknowledged in the window is followed to its end, not only what arrived in it; what never
    does is wrong, and has taken for ever.
    """
    began, until = time.time(), time.monotonic() + WINDOW_SECONDS_MAX
    await asyncio.sleep(WINDOW_SECONDS)
    while len(recorded := await asyncio.to_thread(recorded_since, rig, began, victims)) < SAMPLES_LEAST:
        if time.monotonic() > until:
            raise NotDone(f"only {len(recorded)} visits were recorded in {WINDOW_SECONDS_MAX} s")
        await asyncio.sleep(1)
    until = time.monotonic() + WINDOW_SECONDS_MAX
    while missing := recorded.keys() - (charted := await _charted(rig, recorded)).keys():
        if time.monotonic() > until:
            wrong += [f"/visits/{visit}: no need was charted in {WINDOW_SECONDS_MAX} s" for visit in sorted(missing)]
            break
        await asyncio.sleep(0.5)
    found = sorted(charted.get(visit, math.inf) for visit in recorded)
    slowest = ", ".join(f"{each:.3f}" for each in found[-4:])
    rig.say(f"  {len(found)} needs, half of them within {found[len(found) // 2]:.3f} s; the slowest: {slowest} s")
    return found


def recorded_since(rig: Rig, began: float, without: Collection[str] = ()) -> dict[str, float]:
    """Visits that name a need, whose record was acknowledged since a moment; when each was asked for. It blocks."""
    wishes = [w for w in rig.ledger.paper.wishes() if w.asked.kind in ("drop-in", "record-visit") and w.acknowledged]
    named = [w for w in wishes if w.answered_at >= began and (w.asked.body or {}).get("needs")]
    return {w.body["id"]: w.asked_at for w in named if w.body["id"] not in without}


async def _charted(rig: Rig, recorded: Mapping[str, float]) -> dict[str, float]:
    """How long it took until each had a need, in seconds. The policies are carried out in the order of the event: the
    last need of a visit tells."""
    found: dict[str, float] = {}
    wanted = {"state.visit_id": {"$in": list(recorded)}}
    async for each in rig.database("companies")["needs"].find(wanted, {"state.visit_id": 1, "changed_at": 1}):
        visit = each["state"]["visit_id"]
        found[visit] = max(found.get(visit, 0.0), each["changed_at"].timestamp() - recorded[visit])
    return found


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000) if math.isfinite(seconds) else seconds
