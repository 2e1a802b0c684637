"""Fetches the paper for the invariants: after every fault, and once more at the end."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import httpx2

from tests.faults import invariants, ledger, looking
from tests.faults.invariants import Note, Shown, Verdict
from tests.faults.ledger import Wish
from tests.faults.looking import Kept, Record
from tests.faults.rig import AWAY, SETTLE_SECONDS, Rig

WATCH_SECONDS = 2.0
ASKED_AT_ONCE = 8
TRIES = 30
AGAIN_SECONDS = 0.5
MAILS_SECONDS = 180
SETTLE_SECONDS_MAX = 150
"""How long it is watched, so that the report says how late it was."""

READ_MODELS: Mapping[str, Sequence[str]] = {"companies": ["reach"], "seats": ["occupancy"]}
MADE = {
    "register-company": "companies.companies",
    "add-contact": "companies.contacts",
    "plan-visit": "companies.visits",
}


class Checking:
    """What is known from check to check: what was asked for already, and how far read models had come."""

    def __init__(self, rig: Rig, addresses: Sequence[str]) -> None:
        self._rig = rig
        self._addresses = addresses
        self._checked: dict[str, int] = {}
        self._asked_for = 0
        self._rows: dict[tuple[str, str, str], int] = {}
        self._gone_back: list[str] = []
        self._settled: list[tuple[str, float]] = []

    async def watch(self) -> None:
        """Look at the read models again and again: none may ever forget what it had heard."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            with suppress(*AWAY):
                await self._look_at_rows()

    async def _look_at_rows(self) -> None:
        for service, models in READ_MODELS.items():
            database = self._rig.database(service)
            for model in models:
                pointer = await database["projections"].find_one({"_id": model})
                collection = pointer["collection"] if pointer else model
                for (row, subject), sequence in (await looking.sequences(database, collection)).items():
                    before = self._rows.get((collection, row, subject), 0)
                    if sequence < before:
                        self._gone_back.append(f"{collection} {row} {subject}: {sequence} after {before}")
                    self._rows[collection, row, subject] = max(before, sequence)

    async def settle(self, what: str) -> float:
        """Wait for rest after a fault, longer than is allowed, and keep how long it took."""
        took = await self._rig.settle(SETTLE_SECONDS_MAX)
        self._settled.append((what, took))
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
            await rig.settle()
        wishes = ledger.read(rig.ledger.file)
        databases = {service: rig.database(service) for service in rig.services}
        before = await looking.kept(databases)
        records = await looking.records(rig.layout.bootstrap, rig.layout.topics)
        kept = await looking.kept(databases)
        shown = await self._shown(wishes)
        await self._look_at_rows()
        self._asked_for += len(shown)
        there = invariants.acknowledged_is_there(wishes, shown, kept)
        there = invariants.together(there, Verdict("I1", (), {"looked up through the API": self._asked_for}))
        # What was done outside first, then what the services know of it: mails may still go out meanwhile.
        mails = await asyncio.to_thread(looking.mails, rig.stack, self._addresses)
        calls = Counter(str(each["id"]) for each in ledger.noted(rig.ledger.file, "webhook"))
        notes, dispatches = await self._notes(), await self._dispatches()
        rooms = await looking.rooms(rig.database("seats"))
        if whole:
            missing = [*invariants.mails_came(wishes, notes, mails), *invariants.calls_came(wishes, calls)]
            there = invariants.together(there, Verdict("I1", missing))
        made = {kind: [id for id, each in kept.items() if each.place == place] for kind, place in MADE.items()}
        return [
            there,
            invariants.committed_is_published(before, records, kept, alone="kafka" not in rig.layout.outside.parts),
            invariants.together(
                invariants.effects_once(wishes, notes, mails, made), invariants.calls_once(dispatches, calls, rooms)
            ),
            invariants.never_back(self._ours(records, kept), self._gone_back),
            invariants.settles(self._settled if whole else self._settled[-1:], SETTLE_SECONDS),
            invariants.seats_exact(wishes, rooms),
            await self._nobody_needed(),
        ]

    def _ours(self, records: Sequence[Record], kept: Mapping[str, Kept]) -> list[Record]:
        """On a cluster of somebody else's, what others wrote is no business of this run."""
        if "kafka" not in self._rig.layout.outside.parts:
            return list(records)
        return [record for record in records if record.key in kept]

    async def _shown(self, wishes: Sequence[Wish]) -> dict[str, Shown | None]:
        """What the API shows of all that changed since the last check."""
        highest: dict[str, int] = {}
        for wish in wishes:
            if wish.acknowledged and wish.about and wish.version:
                highest[wish.about] = max(wish.version, highest.get(wish.about, 0))
        paths = [path for path, version in highest.items() if self._checked.get(path) != version]
        found: dict[str, Shown | None] = {}
        users = {wish.about: wish.asked.user for wish in wishes if wish.about}
        asking = asyncio.Semaphore(ASKED_AT_ONCE)

        async def ask(path: str) -> None:
            async with asking:
                found[path] = await self._look_up(users[path], path)

        await asyncio.gather(*(ask(path) for path in paths))
        self._checked |= {path: highest[path] for path in paths}
        return found

    async def _look_up(self, user: str, path: str) -> Shown | None:
        """One aggregate as the API shows it. Who is told to come back does."""
        said = ""
        for _ in range(TRIES):
            try:
                answer = await self._rig.person(user).get(path)
            except httpx2.HTTPError as error:
                said = type(error).__name__
            else:
                if answer.status_code == 404:
                    return None
                if answer.is_success:
                    return Shown(int(answer.headers["ETag"].strip('"')), answer.json())
                said = answer.text
            await asyncio.sleep(AGAIN_SECONDS)
        return Shown(0, {"said": said})

    async def _until_all_is_sent(self) -> None:
        """A sender that was killed holds its claim for a while: until then nobody may try again."""
        places = [self._rig.database("notifications")["notifications"], self._rig.database("seats")["dispatches"]]
        with suppress(TimeoutError):
            async with asyncio.timeout(MAILS_SECONDS):
                while left := sum([await place.count_documents({"state.due_at": {"$ne": None}}) for place in places]):
                    self._rig.say(f"{left} mails and webhooks are still to be sent")
                    await asyncio.sleep(5)

    async def _dispatches(self) -> dict[str, bool]:
        """Webhook calls that the service knows of, by id: whether it says that one may have come twice."""
        found = self._rig.database("seats")["dispatches"].find({}, {"state.unsure": 1})
        return {each["_id"]: each["state"]["unsure"] async for each in found}

    async def _notes(self) -> list[Note]:
        fields = {"state.about": 1, "state.status": 1, "state.unsure": 1}
        found: list[dict[str, Any]] = (
            await self._rig.database("notifications")["notifications"].find({}, fields).to_list()
        )
        return [
            Note(each["_id"], each["state"]["about"], each["state"]["status"], each["state"]["unsure"])
            for each in found
        ]

    async def _nobody_needed(self) -> Verdict:
        rig, waits = self._rig, dict[str, str]()
        processes = {name: process.state for name, process in (await rig.processes()).items()}
        needed = {name: state for name, state in processes.items() if not rig.parts[name].on_demand}
        stopped = {name: f"{state}, and nobody stopped it" for name, state in needed.items() if state == "STOPPED"}
        for name, state in processes.items():
            if state == "RUNNING":
                waits[name] = await asyncio.to_thread(rig.parts[name].ready)
        parked = [f"{service} {key}" for service in rig.services for key in await looking.parked(rig.database(service))]
        return invariants.nobody_needed({**processes, **stopped}, waits, parked)
