"""Fetches the paper for the invariants: after every fault, and once more at the end."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from tests.faults import endings, invariants, looking, standing
from tests.faults.invariants import Note, Verdict
from tests.faults.judging import NOTES, Found, Outside, Stored, judged
from tests.faults.ledger import Wish
from tests.faults.looking import Call, Record
from tests.faults.lookups import LookUps
from tests.faults.resting import Rest
from tests.faults.rig import AWAY, EFFECTS, SETTLE_SECONDS, Rig
from tests.faults.underway import LOAD_MAX, UnderWay, senders

WATCH_SECONDS = 2.0
BLINK_SECONDS = 0.5
STILL_SECONDS = 2.0
"""So long the rig may stand still: no attempt runs out of time by that."""

MAILS_SECONDS = 180
SETTLE_SECONDS_MAX = 150
"""How long it is watched, so that the report says how late it was."""

PAUSE_SECONDS_MAX = 30


class Rows:
    """How far the rows of read models had come when they were last looked at."""

    def __init__(self) -> None:
        self._before: dict[str, dict[tuple[str, str], int]] = {}

    def now(self, collection: str, found: Mapping[tuple[str, str], int]) -> list[str]:
        """What a look found; those that went back, or are there no more."""
        before = self._before.setdefault(collection, {})
        wrong = [
            f"{collection} {row} {subject}: {found.get((row, subject), 'vanished')} after {last}"
            for (row, subject), last in before.items()
            if found.get((row, subject), 0) < last
        ]
        self._before[collection] = dict(found)
        return wrong


def of_this_run(records: Sequence[Record], past: Mapping[tuple[str, int], int]) -> list[Record]:
    """Without what a run before wrote on a cluster of somebody else's: the same companies have the same ids in each."""
    return [each for each in records if each.offset >= past.get((each.topic, each.partition), 0)]


class Checking:
    """What is known from check to check: what was asked for already, and how far read models had come."""

    def __init__(self, rig: Rig, addresses: Sequence[str]) -> None:
        self._rig = rig
        self._addresses = addresses
        self._look_ups = LookUps(rig.people.caller)
        self._under_way = [UnderWay(sender, rig.ledger) for sender in senders(rig.layout)]
        self._rows = Rows()
        self._gone_back: list[str] = []
        self._settled: list[Rest] = []
        self._new = 0
        self._ended_before = 0
        self._not_sent: list[str] = []

    async def watch(self) -> None:
        """Look again and again: at the read models, of which none may ever forget what it had heard; at effects that
        are under way; and whether the rig itself, through which all of it goes, stands still."""
        await asyncio.gather(self._watch_rows(), self._watch_effects(), self._watch_itself())

    async def _watch_rows(self) -> None:
        took = 0.0
        while True:
            await asyncio.sleep(max(WATCH_SECONDS, took / LOAD_MAX))
            began = time.monotonic()
            with suppress(*AWAY):
                await self._look_at_rows()
            took = time.monotonic() - began

    async def _watch_effects(self) -> None:
        while True:
            since = self._rig.ledger.now()
            try:
                await self._look_at_effects()
            except AWAY:
                self._rig.ledger.noted("hurt", part="mongo", since=since)  # who killed it does not matter
            await asyncio.sleep(WATCH_SECONDS)

    async def _look_at_effects(self, *, all: bool = False) -> None:
        for each in self._under_way:
            await each.look(self._rig.database(each.sender.service), EFFECTS[each.sender.service], all=all)

    async def _watch_itself(self) -> None:
        while True:
            since = self._rig.ledger.now()
            await asyncio.sleep(BLINK_SECONDS)
            if self._rig.ledger.now() - since > BLINK_SECONDS + STILL_SECONDS:
                self._rig.ledger.noted("stood still", since=since)

    async def _look_at_rows(self) -> None:
        for service, model in standing.read_models(self._rig):
            database = self._rig.database(service)
            collection = await looking.edition(database, model)
            found = await looking.sequences(database, collection)
            if collection == await looking.edition(database, model):  # else it was rebuilt as we read
                self._gone_back += self._rows.now(collection, found)

    async def settle(self, what: str) -> float:
        """Wait for rest after a fault, longer than is allowed, and keep how long it took; and what the fault itself
        has measured."""
        took = await self._rig.settle(SETTLE_SECONDS_MAX, since=self._rig.ended_at)
        new = [*self._rig.rests, Rest(what, took, SETTLE_SECONDS)]
        self._rig.rests.clear()
        self._settled, self._new = [*self._settled, *new], len(new)
        if not took <= SETTLE_SECONDS:
            with suppress(*AWAY):
                self._rig.say(
                    f"not at rest after {took:.0f} s: {', '.join(await self._rig.unsettled()) or 'now it is'}"
                )
        return took

    async def check(self, *, whole: bool) -> list[Verdict]:
        """All invariants, as of now. ``whole``: mails too, for which senders that were killed need a minute."""
        rig = self._rig
        if whole:
            await self._until_all_is_sent()
            self._settled.append(Rest("the last effect", await rig.settle(), SETTLE_SECONDS))
            self._gone_back += await self._rebuilt()
        wishes = await asyncio.to_thread(rig.ledger.paper.wishes)
        found = Found(
            wishes,
            await self._stored(wishes, whole=whole),
            await self._outside(),
            await looking.rooms(rig.database("seats")),
            await asyncio.to_thread(rig.ledger.paper.looks),
            self._settled if whole else self._settled[-self._new :],
            self._not_sent,
            over=whole,
        )
        *verdicts, last = await asyncio.to_thread(judged, found)
        return [*verdicts, await self._nobody_needed(), last]

    async def _stored(self, wishes: Sequence[Wish], *, whole: bool) -> Stored:
        rig = self._rig
        databases = {service: rig.database(service) for service in rig.services}
        before = await looking.kept(databases)
        records = of_this_run(await looking.records(rig.layout.bootstrap, rig.layout.topics), rig.layout.outside.past)
        kept = await looking.kept(databases)
        shown = await self._look_ups.shown(wishes, whole=whole)
        await self._look_at_rows()
        return Stored(before, kept, records, shown, self._look_ups.count, list(self._gone_back))

    async def _outside(self) -> Outside:
        """What was done outside first, then what the services know of it: mails may still go out meanwhile."""
        rig, paper = self._rig, self._rig.ledger.paper
        mails = await asyncio.to_thread(looking.mails, rig.stack, self._addresses)
        came = await asyncio.to_thread(paper.noted, "webhook")
        calls = [Call(each["id"], each["body"], each["genuine"]) for each in came]
        told = {service: await self._notes(service) for service in ("notifications", "seats")}
        await self._look_at_effects(all=True)  # what they say by now was seen
        notes = {kind: await asyncio.to_thread(paper.noted, kind) for kind in NOTES}
        return Outside([each.sender for each in self._under_way], mails, calls, told, notes)

    async def _until_all_is_sent(self) -> None:
        """A sender that was killed holds its claim for a while: until then nobody may try again."""
        until = time.monotonic() + MAILS_SECONDS
        while left := await self._rig.due():
            if time.monotonic() > until:
                self._not_sent.append(f"{left} mails and webhooks are still due after {MAILS_SECONDS} s")
                break
            self._rig.say(f"{left} mails and webhooks are still to be sent")
            await asyncio.sleep(5)

    async def _rebuilt(self) -> list[str]:
        """Read models that are others when they are rebuilt from the first event."""
        rig = self._rig
        if rig.layout.outside.past:
            return []  # the topics hold what no read model of this run has heard of
        before = await standing.model_hashes(rig)
        return await standing.rebuilt_otherwise(rig, before, "--leave-out-failing")  # F8's poison is there

    async def _notes(self, service: str) -> list[Note]:
        fields = {f"state.{name}": 1 for name in ("about", "status", "unsure", "attempts", "data")}
        found: list[dict[str, Any]] = await self._rig.database(service)[EFFECTS[service]].find({}, fields).to_list()
        return [_note(each["_id"], each["state"]) for each in found]

    async def _waits_for(self, name: str) -> str:
        """What a part still waits for. A group that pauses says that it is not ready, and goes on by itself."""
        until = time.monotonic() + PAUSE_SECONDS_MAX
        while (waits := await asyncio.to_thread(self._rig.parts[name].ready)) and time.monotonic() < until:
            await asyncio.sleep(1)
        return waits

    async def _states(self) -> dict[str, str]:
        """Every part's state, when those that are just being started have started."""
        until = time.monotonic() + PAUSE_SECONDS_MAX
        while True:
            states = {name: process.state for name, process in (await self._rig.processes()).items()}
            if not {"STARTING", "BACKOFF"} & set(states.values()) or time.monotonic() > until:
                return states
            await asyncio.sleep(0.5)

    async def _nobody_needed(self) -> Verdict:
        rig, waits = self._rig, dict[str, str]()
        processes = await self._states()
        needed = {name: state for name, state in processes.items() if not rig.parts[name].on_demand}
        stopped = {name: f"{state}, and nobody stopped it" for name, state in needed.items() if state == "STOPPED"}
        for name, state in processes.items():
            if state == "RUNNING":
                waits[name] = await self._waits_for(name)
        parked = [f"{service} {key}" for service in rig.services for key in await looking.parked(rig.database(service))]
        return invariants.nobody_needed({**processes, **stopped}, waits, parked, await asyncio.to_thread(self._ended))

    def _ended(self) -> list[str]:
        """Processes that ended by themselves since the last look."""
        log = (self._rig.stack.folder / "log" / "supervisord.log").read_text()
        explained = {each["pid"] for each in self._rig.ledger.paper.noted("ends")}
        ended = endings.unexplained(log, explained)
        new, self._ended_before = ended[self._ended_before :], len(ended)
        return new


def _note(id: str, state: dict[str, Any]) -> Note:
    news = state.get("data") or {}
    return Note(
        id,
        state.get("about", ""),
        state["status"],
        state["unsure"],
        state["attempts"],
        news.get("change") or "",
        news.get("revision") or 0,
    )
