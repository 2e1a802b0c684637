"""B2: commands a second on one hot aggregate: 500 clients want one of 100 seats.

The floor reads the document and writes it back if nobody else did (compare and swap), by the bare client: one command
after the other, as the goal has it, where no write comes too late; and, beside it and without a goal, with all 500 at
it together.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from pymongo.asynchronous.database import AsyncDatabase
from seats import contracts
from seats import room as seats
from tyrsky.aggregate import Rejected
from tyrsky.deciding import Decider
from tyrsky.drafting import Ask
from tyrsky.store import Store
from tyrsky_contracts.codec import Codec

from tests.bench.bench import Bench, Compared, Document, Row, check
from tests.bench.load import Driven, drive, milliseconds, request
from tests.bench.profiling import Load, profiled
from tests.bench.serving import Served, serving

CLIENTS, SEATS = 500, 100
GOAL = 10.0
PACKAGE = "tests.bench.hot"


@dataclass
class Rush:
    """Everybody at once, against one new room a round."""

    bench: Bench
    database: AsyncDatabase[Document]
    served: Served
    decider: "Decider[seats.Room, seats.RoomCommand]"
    clients: int
    places: int
    driven: list[Driven] = field(default_factory=list[Driven])

    async def through_http(self) -> float:
        """Answers a second, of the service."""
        opened = await drive(self.served.port, [self._post("/rooms", {"seats": self.places})], connections=1)
        id = opened.answers[0].json()["id"]
        wishes = [self._post(f"/rooms/{id}/reservations", {"guest": f"guest {n}"}) for n in range(self.clients)]
        driven = await drive(self.served.port, wishes, connections=self.clients)
        taken = min(self.places, self.clients)
        expected = {201: taken, 409: self.clients - taken}
        check(driven.statuses() == {s: n for s, n in expected.items() if n}, f"{self.clients}: {driven.statuses()}")
        await self._exactly(id, {answer.json()["id"] for answer in driven.answers if answer.status == 201})
        self.driven.append(driven)
        return driven.rate

    async def in_process(self) -> float:
        """Commands a second, of the kit alone: decided in groups, and written with their receipts."""
        id = uuid4()
        await self.decider.carry_out(self._ask(seats.OpenRoom(room_id=id, seats=self.places)))
        wishes = [seats.Reserve(room_id=id, reservation_id=uuid4(), guest=f"guest {n}") for n in range(self.clients)]
        began = time.perf_counter()
        done = await asyncio.gather(*(self.decider.carry_out(self._ask(w)) for w in wishes), return_exceptions=True)
        rate = len(done) / (time.perf_counter() - began)
        refused = [each for each in done if isinstance(each, Rejected) and each.code == "room-full"]
        taken = {str(w.reservation_id) for w, each in zip(wishes, done, strict=True) if not isinstance(each, Exception)}
        check(len(taken) + len(refused) == self.clients, "a command came to something else than a seat or a refusal")
        await self._exactly(str(id), taken)
        return rate

    def _ask(self, command: seats.RoomCommand) -> "Ask[seats.Room, seats.RoomCommand]":
        return Ask(command, uuid4(), "vaao")

    def _post(self, path: str, body: Any) -> bytes:
        return request("POST", path, {**self.served.headers, "Idempotency-Key": str(uuid4())}, body)

    async def _exactly(self, id: str, acknowledged: set[str]) -> None:
        """The seats that were promised are those that are held, and no more than there are."""
        found = await self.database["rooms"].find_one({"_id": id})
        held = set(found["state"]["reservations"]) if found else set[str]()
        check(held == acknowledged, f"{len(acknowledged)} seats acknowledged, {len(held)} held")
        check(
            len(held) == min(self.places, self.clients), f"{len(held)} of {self.places} seats given to {self.clients}"
        )

    async def floor(self, *, together: bool) -> float:
        """Commands a second of compare and swap by the bare client, at the same documents."""
        id = str(uuid4())
        collection = self.database["floor"]
        opened: Document = {
            "_id": id,
            "college": "vaao",
            "version": 1,
            "state": {"seats": self.places, "reservations": {}},
        }
        await collection.insert_one({**opened, "sequence": 1, "outbox": [], "receipts": []})
        began = time.perf_counter()
        if together:
            await asyncio.gather(*(self._swap(id) for _ in range(self.clients)))
        else:
            for _ in range(self.clients):
                await self._swap(id)
        rate = self.clients / (time.perf_counter() - began)
        found = await collection.find_one({"_id": id})
        held = len(found["state"]["reservations"]) if found else 0
        check(held == min(self.places, self.clients), f"the floor itself gave {held} of {self.places} seats")
        return rate

    async def _swap(self, id: str) -> None:
        """One command: read, look for a seat, write it with an event and a receipt; at once again when somebody was
        first. What the decision needs is read, and what has changed is written."""
        collection = self.database["floor"]
        while True:
            found = await collection.find_one({"_id": id, "college": "vaao"}, {"version": 1, "state": 1})
            assert found is not None
            if len(found["state"]["reservations"]) >= self.places:
                return
            now, version, reservation = datetime.now(UTC), found["version"] + 1, str(uuid4())
            held = {"guest": "guest 123", "status": "held"}
            key = {"key": reservation, "fingerprint": "0" * 64, "version": version, "answer": {"id": reservation}}
            event = {"topic": id, "sequence": version, "headers": {"ce_id": reservation}, "body": reservation * 3}
            done = await collection.update_one(
                {"_id": id, "college": "vaao", "version": version - 1},
                {
                    "$set": {f"state.reservations.{reservation}": held, "version": version, "changed_at": now},
                    "$push": {"receipts": {**key, "at": now}, "outbox": event},
                },
            )
            if done.matched_count:
                return


@asynccontextmanager
async def rushing(bench: Bench) -> AsyncGenerator[Rush]:
    """The service, and the kit in this process."""
    async with bench.database() as database, bench.topic() as topic:
        # So many at once are let in here: what is measured is the aggregate, not the door in front of it.
        room = {"REQUESTS_MAX": "600"}
        async with serving(bench, PACKAGE, database=database.name, topic=topic, **room) as served:
            codec = Codec([contracts.seats.model_copy(update={"name": topic})])
            decider = Decider(Store(database, seats.aggregate), codec, lambda claim: None)
            yield Rush(bench, database, served, decider, bench.size(CLIENTS, 40), bench.size(SEATS, 25))


async def profile(bench: Bench) -> str:
    """Where the time of a client's request goes."""
    async with rushing(bench) as rush:
        return await profiled(bench, rush.served, Load(rush.through_http, rush.clients))


async def run(bench: Bench) -> list[Row]:
    async with rushing(bench) as rush:
        one_by_one, together = partial(rush.floor, together=False), partial(rush.floor, together=True)
        queued = await bench.compare(rush.through_http, one_by_one)
        p99 = milliseconds(rush.driven[-bench.turns :], 0.99)
        contending = await bench.compare(rush.through_http, together)
        process = await bench.compare(rush.in_process, one_by_one)
    return rows(queued, contending, process, p99)


def rows(queued: Compared, contending: Compared, process: Compared, p99: float) -> list[Row]:
    """The goal is one command after the other; what stands beside it has none."""
    return [
        _row("through HTTP; floor one by one", queued, f", p99 {p99:,.0f} ms", goal=True),
        _row("through HTTP; floor all contending", contending),
        _row("the kit alone, in process; floor one by one", process),
    ]


def _row(what: str, found: Compared, beside: str = "", *, goal: bool = False) -> Row:
    return Row(
        "B2",
        f"commands/s on one hot aggregate, {CLIENTS} clients, {SEATS} seats: {what}",
        f"{found.measure:,.0f}/s{beside}",
        f"{found.floor:,.0f}/s",
        f"{found.ratio:.1f}",
        f"{GOAL:.0f} times" if goal else "",
        found.ratio >= GOAL if goal else None,
        found.spread,
    )
