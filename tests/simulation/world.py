"""One simulated run: instances of a service, customers, a store and a log, and what a seed lets happen to them.

For a while chance kills, freezes, restarts, loses answers and turns clocks; then the weather clears up, and in the end
everything must be as if nothing had happened: see ``properties``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo.errors import PyMongoError
from tyrsky import relay
from tyrsky.aggregate import Busy, Rejected
from tyrsky.drafting import Ask
from tyrsky.store import Document
from tyrsky.together import Together
from tyrsky_contracts.event import Envelope

from tests.simulation import domain
from tests.simulation.broker import Broker
from tests.simulation.clock import simulated
from tests.simulation.consumer import Behaviour, MemoryConsumer
from tests.simulation.instance import Outside
from tests.simulation.loop import Loop, Stuck
from tests.simulation.network import Network
from tests.simulation.producer import MemoryProducer
from tests.simulation.store import Server
from tests.simulation.trouble import Plan, Trouble

STORE_SECONDS = 6.0
"""How long the service's client of the store waits: its socketTimeoutMS."""

BROKER_SECONDS = 40.0
WAIT_SECONDS = 30
"""How long after the last fault an event may wait in its outbox, and a group stand at one place behind which there is
more. The longest ways: a holder is seen to be dead after six looks of a second, or a claim of one's own to be nobody's
after ten and a round of five; what it had open is ended, and what it had published is read. A reader that was killed is
given up after ten seconds, and the others join at their next sign of life, within three; one that was killed as it
joined itself keeps them waiting for as long once more."""

SETTLE_SECONDS = 90
"""How long after the last fault all must be done: an event waits, a group stands, the event fails four times and is
tried again, and so it goes with what its policy asked for."""

SLOW = {"freeze", "hold", "clock", "wind-back"}
SETTLE_SECONDS_MAX = 400
"""The same after faults that last: a clock that was five minutes ahead has put things off until then."""

PLACES_SECONDS = 3
"""How often relays note where their topics end: a run is over before the real ones do."""


def in_company(random: Random) -> Callable[[Any, Any], Awaitable[None]]:
    """In a real loop all goes together that its turn brings. Here a turn is one step: so a call waits for some."""
    call: Any = Together._call  # pyright: ignore[reportPrivateUsage]

    async def later(self: Any, group: Any) -> None:
        for _ in range(random.choice((0, 4, 16, 64))):
            await asyncio.sleep(0)
        await call(self, group)

    return later


class Violation(Exception):  # noqa: N818 - a verdict
    """A promise was broken. Says which."""


@dataclass
class Wish:
    """What a customer wants, and what came of it."""

    id: UUID
    guest: str
    room_id: UUID
    answers: list[Document] = field(default_factory=list[Document])
    refused: str = ""


class World:
    """One run. ``more_of`` is what is not left to chance in its plan."""

    def __init__(self, seed: int | str, *, trace: bool = False, more_of: Mapping[str, Any] | None = None) -> None:
        self.seed = seed
        self.random = Random(f"{seed} world")
        plan = replace(Plan.of(self.random), **(more_of or {}))
        self.plan = replace(plan, weather=replace(plan.weather))  # it clears up in this run, and in no other
        self.loop = Loop(seed)
        self.trace: list[str] | None = [] if trace else None
        self.store, self.broker = Server(), Broker()
        weather = self.plan.weather
        told = self._tell if trace else None
        self.outside = Outside(
            loop=self.loop,
            store=self.store,
            broker=self.broker,
            to_store=Network(Random(f"{seed} store"), weather, patience=STORE_SECONDS, told=told),
            to_broker=Network(Random(f"{seed} broker"), weather, patience=BROKER_SECONDS, told=told),
            behaviour=Behaviour(Random(f"{seed} reading"), self.plan.again),
            hinder=self._hinder,
        )
        for topic in (domain.ROOMS, domain.BADGES):
            self.broker.create(topic, 2)
        self.trouble = Trouble(self.outside, self.plan, self.random, self.note)
        self.rooms = {uuid5(domain.NAMESPACE, f"room {n}"): 2 + n * 3 for n in range(self.plan.rooms)}
        self.wishes: list[Wish] = []
        self._poisoned: dict[tuple[str, UUID], int] = {}

    def run(self) -> None:
        """Everything, up to the verdict.

        :raises Violation: when a promise was broken.
        """
        with (
            simulated(self.loop, self.seed, self._clients()),
            patch.object(relay, "PLACES_SECONDS", PLACES_SECONDS),
            patch.object(Together, "_call", in_company(Random(f"{self.seed} company"))),
        ):
            try:
                self.loop.run(self._run())
            except Stuck as stuck:
                raise Violation(f"stuck: {stuck}") from None
            faults = [
                *self.loop.faults,
                *(f for each in (*self.trouble.instances, *self.trouble.gone) for f in each.failed),
            ]
            if faults:
                raise Violation("; ".join(faults))

    def _clients(self) -> dict[Any, Any]:
        """What the kit finds in the place of aiokafka's clients."""
        outside = self.outside
        return {
            AIOKafkaProducer: partial(MemoryProducer, outside.broker, outside.to_broker),
            AIOKafkaConsumer: partial(MemoryConsumer, outside.broker, outside.to_broker),
        }

    def note(self, text: str) -> None:
        """One line of the trace."""
        if self.trace is not None:
            self._tell(text)

    def _tell(self, text: str) -> None:
        assert self.trace is not None
        self.trace.append(f"{self.loop.time():8.3f} {text}")

    # -- what happens -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        from tests.simulation.properties import check

        for number in range(self.plan.instances):
            self.trouble.begin(f"i{number}")
        customers = [asyncio.create_task(self._customer(n)) for n in range(self.plan.customers)]
        await asyncio.create_task(self.trouble.run())
        self.trouble.clear_up()
        await self._settle(customers)
        check(self)

    async def _customer(self, number: int) -> None:
        random = Random(f"{self.seed} customer {number}")
        for each in range(self.plan.wishes):
            await asyncio.sleep(random.random() * random.choice((0.0, 0.0, 1.0, 8.0)))
            room_id = random.choice(list(self.rooms))
            wish = Wish(uuid5(room_id, f"{number} {each}"), f"guest {number}.{each}", room_id)
            self.wishes.append(wish)
            await self._insist(random, self._opening(room_id), None)
            await self._insist(random, self._seat(wish), wish)
            while random.random() < 0.2:  # the same wish once more: the same answer
                await self._insist(random, self._seat(wish), wish)

    def _opening(self, room_id: UUID) -> Ask[domain.Room, domain.RoomCommand]:
        command = domain.OpenRoom(room_id=room_id, seats=self.rooms[room_id])
        return Ask(command, uuid5(room_id, "open"), domain.COLLEGE)

    def _seat(self, wish: Wish) -> Ask[domain.Room, domain.RoomCommand]:
        command = domain.TakeSeat(room_id=wish.room_id, guest=wish.guest)
        return Ask(command, wish.id, domain.COLLEGE, answer=lambda after: {"guests": list(after.state.guests)})

    async def _insist(self, random: Random, ask: Ask[domain.Room, domain.RoomCommand], wish: Wish | None) -> None:
        """Ask until there is an answer, as a client does that has an Idempotency-Key."""
        while True:
            try:
                async with asyncio.timeout(random.choice((0.5, 5.0, 30.0))):
                    done = await random.choice(self.trouble.instances).carry_out(ask)
            except Busy:
                pass
            except Rejected as refusal:
                if wish:
                    wish.refused = refusal.code
                return
            except (ConnectionResetError, TimeoutError, PyMongoError):
                pass
            else:
                if wish and done.answer is not None:
                    wish.answers.append(done.answer)
                return
            await asyncio.sleep(random.random())

    def _hinder(self, group: str, about: Envelope) -> None:
        """An event that chance has poisoned fails a few times."""
        place = group, about.id
        if place not in self._poisoned:
            dice = Random(f"{self.seed} {group} {about.id}")
            self._poisoned[place] = dice.randint(1, 4) if dice.random() < self.plan.poison else 0
        if self._poisoned[place]:
            self._poisoned[place] -= 1
            raise (ValueError if about.sequence % 2 else RuntimeError)("poisoned")

    # -- the end ------------------------------------------------------------------------------------------------------

    def documents(self, collection: str) -> list[Document]:
        """What the store has."""
        found = self.store.databases["sim"].get(collection)
        return found.all() if found else []

    async def _settle(self, customers: Sequence[asyncio.Task[None]]) -> None:
        """Until all is done, which has its time, and so has each event in an outbox, and each place in a topic."""
        began, waits = self.loop.time(), dict[str, float]()
        patience = SETTLE_SECONDS if SLOW.isdisjoint(self.plan.faults) else SETTLE_SECONDS_MAX
        while (unfinished := self._unfinished()) or not all(customer.done() for customer in customers):
            now = self.loop.time()
            if now - began > patience:
                raise Violation(f"not done {patience} s after the last fault: {unfinished or 'customers'}")
            # What is held up is a fault until it comes.
            waits = {what: max(waits.get(what, now), self.trouble.held_until) for what in self._waiting()}
            for what, since in waits.items():
                if now - since > WAIT_SECONDS:
                    raise Violation(f"{what}, for {WAIT_SECONDS} s without a fault")
            await asyncio.sleep(1)
        await asyncio.gather(*customers)

    def _waiting(self) -> list[str]:
        """The first event in each outbox, and where each group stands that has not read all."""
        rooms, both = (domain.ROOMS,), (domain.ROOMS, domain.BADGES)
        reads = {"sim-policies": rooms, "sim-seen": rooms, "sim-counted": both}
        found = [
            f"{document['_id']} has event {document['outbox'][0]['sequence'] if document.get('outbox') else 0} to send"
            for kind in ("rooms", "trays")
            for document in self._seen(kind)
            if document.get("outbox") or "outbox_since" in document
        ]
        for group, topics in reads.items():
            offsets = self.broker.group(group).offsets
            for at, log in self.broker.partitions.items():
                if at.topic in topics and (place := offsets.get(at, (0, ""))[0]) < len(log):
                    found.append(f"{group} stands at {at.topic}/{at.partition}@{place}")
        return found

    def _seen(self, collection: str) -> Iterable[Document]:
        """What the store has, to be looked at alone."""
        found = self.store.databases["sim"].get(collection)
        return found.seen() if found else []

    def _unfinished(self) -> str:
        parked = [f"{box['_id']} is parked" for box in self._seen("dead_letters")]
        return ", ".join([*self._waiting(), *parked])
