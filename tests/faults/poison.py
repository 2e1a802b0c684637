"""F8: messages that cannot be read, and events that a policy chokes on; the others do not wait for them."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from aiokafka import AIOKafkaProducer

from tests.faults import direct, hands, letters
from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.letters import POLICIES, REACH, Parked
from tests.faults.looking import OURS
from tests.faults.rig import Rig
from tests.tools import percentile

WINDOW_SECONDS = 15
WINDOW_SECONDS_MAX = 90
SAMPLES_LEAST = 40
SAMPLES_JUDGED = 200
"""Of fewer a p99 is the slowest one, which says nothing of the others."""

VICTIMS = 3
PATIENT = {"PARKED_RETRY_SECONDS": "3600", "PARKED_RETRY_SECONDS_MAX": "3600"}
"""So long that no key is tried again by itself: what is repaired, the replay has repaired."""

TOPIC = "companies"

Latencies = list[float]


async def poison(rig: Rig, random: Random, amount: int) -> Outcome:
    """Rounds of a window without poison, one with, the bug's mending, and the replay; as many as are asked for,
    whatever they show. The p99 is of all rounds together."""
    clean, poisoned, wrong = Latencies(), Latencies(), list[str]()
    counts = {"unreadable messages": 0, "dead letters of them": 0, "events with a bug": 0, "repaired once": 0}
    async with _patient(rig):
        await _window(rig, [], wrong)  # of services that may just have been started: it is no measure of the others
        for _ in range(amount):
            clean += await _window(rig, [], wrong)
            async with _Victims(rig, random) as victims:
                unreadable = await _write(rig, random)
                expected = unreadable | {(POLICIES, visit) for visit in victims.visits}
                keeping = asyncio.create_task(letters.all_kept(rig, expected, set(victims.visits)))
                poisoned += await _window(rig, victims.visits, wrong)
                wrong += await keeping
            counts["unreadable messages"] += len({key for _, key in unreadable})
            counts["events with a bug"] += len(victims.visits)
            repaired, unrepaired = await letters.replayed(rig, victims.visits)
            counts["repaired once"] += repaired
            wrong += unrepaired
            counts["dead letters of them"] += await letters.dropped(rig, unreadable)
    shown, slower = compared(clean, poisoned)
    return Outcome({**counts, "rounds": amount, **shown}, (*wrong, *slower), times=amount)


def compared(clean: Latencies, poisoned: Latencies) -> tuple[dict[str, float | str], list[str]]:
    """The p99 of both, and what is wrong with them; nothing is said of too few."""
    fewest, counts = min(len(clean), len(poisoned)), {"measured without": len(clean), "measured with": len(poisoned)}
    if fewest < SAMPLES_JUDGED:
        return {**counts, "p99": f"too few to judge ({fewest} of {SAMPLES_JUDGED})"}, []
    before, during = percentile(clean, 0.99), percentile(poisoned, 0.99)
    shown = {**counts, "p99 without, ms": _milliseconds(before), "p99 with, ms": _milliseconds(during)}
    slower = f"p99 of the others: {during:.3f} s with poison, {before:.3f} s without"
    return shown, [slower] if during > 2 * before else []


@asynccontextmanager
async def _patient(rig: Rig) -> AsyncGenerator[None]:
    """The service runs with settings by which it does not try a parked key by itself, and afterwards as it was."""
    await _started_with(rig, PATIENT)
    try:
        yield
    finally:
        await _started_with(rig, {})


async def _started_with(rig: Rig, env: Mapping[str, str]) -> None:
    await rig.stop("companies")
    hands.want(rig, "companies", env=env)
    await rig.start("companies")


class _Victims:
    """Visits whose invitation the policy chokes on, as long as this lasts."""

    def __init__(self, rig: Rig, random: Random) -> None:
        self._rig, self._random = rig, random
        self.visits: list[str] = []

    async def __aenter__(self) -> "_Victims":
        rig = self._rig
        async with direct.at(rig, "companies", "f8", self._random) as client:
            found = await rig.database("companies")["companies"].find_one({"college": direct.COLLEGE}, {"_id": 1})
            if found is None:
                raise NotDone("nobody has registered a company yet")
            place = f"/companies/{found['_id']}"
            some = await rig.database("companies")["contacts"].find_one({"college": direct.COLLEGE}, {"state.email": 1})
            body = {"name": "Koe 8", "email": some["state"]["email"] if some else "koe.0@faults.example"}
            contact = await client.ask(
                "add-contact", "POST", f"{place}/contacts", {**body, "language": "fi"}, about="/contacts/{id}"
            )
            for instance in await self._instances():
                await hands.obey(rig, instance, fail=[contact.body["id"]], env=PATIENT)
            for number in range(VICTIMS):
                starts = datetime.now(UTC) + timedelta(days=10 + number)
                times = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
                wish = {"contact_id": contact.body["id"], **times}
                planned = await client.ask("plan-visit", "POST", f"{place}/visits", wish, about="/visits/{id}")
                self.visits.append(planned.body["id"])
        return self

    async def __aexit__(self, *_: object) -> None:
        for instance in await self._instances():
            if not (happened := hands.told(self._rig, instance)):
                raise NotDone(f"{instance} does not say what it did")
            self._rig.say(f"  {instance} choked {happened.failed} times")
            await hands.obey(self._rig, instance, env=PATIENT)
            self._rig.fault_ended()

    async def _instances(self) -> list[str]:
        processes = await self._rig.processes()
        return [name for name in self._rig.layout.instances("companies") if processes[name].pid]


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
        ((POLICIES,), [*about, planned], b"{not json"),
        ((REACH,), [*about, recorded], b'{"visit_id": "not an id"}'),
        ((REACH,), [*about, ("ce_type", b"tyrsky.visit.recorded.v99")], b"{}"),
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
    """From the request to plan a visit until notifications took the invitation on: two topics and two groups.

    Every plan that was acknowledged in the window is followed to its end, not only what arrived in it; what never does
    is wrong, and has taken for ever.
    """
    began, until = time.time(), time.monotonic() + WINDOW_SECONDS_MAX
    await asyncio.sleep(WINDOW_SECONDS)
    while len(planned := await asyncio.to_thread(planned_since, rig, began) - set(victims)) < SAMPLES_LEAST:
        if time.monotonic() > until:
            raise NotDone(f"only {len(planned)} people were invited in {WINDOW_SECONDS_MAX} s")
        await asyncio.sleep(1)
    until = time.monotonic() + WINDOW_SECONDS_MAX
    while missing := planned - (taken := await _taken(rig, planned)).keys():
        if time.monotonic() > until:
            wrong += [f"/visits/{visit}: no invitation in {WINDOW_SECONDS_MAX} s" for visit in sorted(missing)]
            break
        await asyncio.sleep(0.5)
    found = sorted(taken.get(visit, math.inf) for visit in planned)
    slowest = ", ".join(f"{each:.3f}" for each in found[-4:])
    rig.say(f"  {len(found)} invitations, half of them within {found[len(found) // 2]:.3f} s; the slowest: {slowest} s")
    return found


def planned_since(rig: Rig, began: float) -> set[str]:
    """Visits with a guest, whose plan was acknowledged since a moment. It blocks."""
    plans = [wish for wish in rig.ledger.paper.wishes() if wish.asked.kind == "plan-visit" and wish.acknowledged]
    return {w.body["id"] for w in plans if w.answered_at >= began and (w.asked.body or {}).get("contact_id")}


async def _taken(rig: Rig, visits: Collection[str]) -> dict[str, float]:
    """How long it took until notifications had each, in seconds."""
    fields = {"state.about": 1, "state.accepted_at": 1, "state.request.time": 1}
    found: dict[str, float] = {}
    wanted = {"state.about": {"$in": list(visits)}}
    async for each in rig.database("notifications")["notifications"].find(wanted, fields):
        accepted, asked_at = each["state"]["accepted_at"], each["state"]["request"]["time"]
        found[each["state"]["about"]] = (accepted - asked_at).total_seconds()
    return found


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000) if math.isfinite(seconds) else seconds
