"""Faults that somebody might make in the kit one day, to see whether the simulation has teeth: each must be found.

``python -m tests.simulation --mutant NAME`` looks for one; ``test_simulation`` looks for all.
"""

import asyncio
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from pymongo import UpdateOne
from tyrsky import consuming, finding, relay
from tyrsky.aggregate import Command
from tyrsky.clearing import Clearer
from tyrsky.consuming import Consumer
from tyrsky.dead_letters import DeadLetters
from tyrsky.deliveries import Message
from tyrsky.guarded import GuardedWrites
from tyrsky.holding import Holders
from tyrsky.inbox import Inbox
from tyrsky.kafka_log import KafkaLog, KafkaSender
from tyrsky.policies import Policies
from tyrsky.producing import Partition, Places
from tyrsky.projecting import Kept, Projection
from tyrsky.relay import Relay
from tyrsky.rows import Shelf
from tyrsky.store import Claim, Store
from tyrsky.watching import Offsets

from tests.simulation.careless import Change, careless

# pyright: reportPrivateUsage=false


def _clears_what_is_not_its_own() -> list[Change]:
    async def clear(self: Any, name: str, claims: Sequence[Claim]) -> None:
        taken_away = {"$set": {"outbox": []}, "$unset": {"outbox_since": "", "lease_by": ""}}
        collection = self._database.get_collection(name)
        await collection.bulk_write([UpdateOne({"_id": claim.id}, taken_away) for claim in claims], ordered=False)

    return [(Clearer, "clear", clear)]


def _takes_a_message_for_written() -> list[Change]:
    write_all: Any = GuardedWrites._write_all

    async def all_of_it(self: Any, asked: Sequence[Any]) -> Sequence[Any]:
        answers = await write_all(self, asked)
        return answers if len(asked) == 1 else [True] * len(asked)

    return [(GuardedWrites, "_write_all", all_of_it)]


def _saves_no_receipts() -> list[Change]:
    save: Any = Store.save

    async def forgetful(self: Any, college: str, id: UUID, before: Any, change: Any) -> Any:
        return await save(self, college, id, before, replace(change, receipts=[]))

    return [(Store, "save", forgetful)]


def _takes_over_without_fencing() -> list[Change]:
    async def fence(self: Any, lanes: Sequence[str], topics: Iterable[str]) -> None:
        """The old one may still be at it."""

    return [(KafkaLog, "fence", fence)]


def _takes_over_without_looking() -> list[Change]:
    async def seen(self: Any, since: Any) -> dict[tuple[str, str], int]:
        return {}

    return [(KafkaLog, "seen", seen)]


def _sends_without_waiting() -> list[Change]:
    async def send(self: Any, messages: Sequence[Any]) -> list[tuple[Partition, int]]:
        """Says that it is done when nothing is known yet."""
        producer = self.lanes[0]
        await producer.begin_transaction()
        for each in messages:
            await producer.send(each.topic, each.value, key=each.key, headers=list(each.headers))
        producer._later = asyncio.create_task(producer.commit_transaction())
        producer._later.add_done_callback(lambda done: done.cancelled() or done.exception())
        return [((each.topic, 0), 0) for each in messages]

    return [(KafkaSender, "send", send)]


def _commits_before_handling() -> list[Change]:
    async def deal_with(self: Any, records: Sequence[Any], consumer: Any) -> None:
        edition = await self._inbox.reaction.edition()
        await self._commit({(r.topic, r.partition): r.offset + 1 for r in records}, edition)
        await self._inbox.take((consuming._message(record) for record in records), edition)

    return [(Consumer, "_deal_with", deal_with)]


def _goes_on_when_stuck() -> list[Change]:
    def wind_back(self: Any, offsets: Any) -> None:
        """What could not be taken is left behind."""

    return [(Consumer, "_wind_back", wind_back)]


def _gives_commands_new_ids() -> list[Change]:
    commands: Any = Policies.commands

    async def anew(self: Any, event: Any, about: Any) -> list[tuple[str, UUID, Command]]:
        return [(name, uuid4(), command) for name, _, command in await commands(self, event, about)]

    return [(Policies, "commands", anew)]


def _folds_repeats() -> list[Change]:
    fold: Any = Projection.fold

    def again(self: Any, kept: Kept[Any], event: Any, about: Any) -> Kept[Any]:
        return fold(self, Kept(kept.row, {}), event, about)

    return [(Projection, "fold", again)]


def _overtakes_parked_keys() -> list[Change]:
    async def parked(self: Any, group: str, keys: Any) -> dict[tuple[str, str], tuple[int, int]]:
        return {}

    return [(DeadLetters, "parked", parked)]


def _drops_what_fails() -> list[Change]:
    async def keep(self: Any, message: Message, failure: Any) -> None:
        """Not kept."""

    return [(Inbox, "_keep", keep)]


def _takes_marks_for_messages() -> list[Change]:
    async def position_of(consumer: Any, at: tuple[str, int]) -> int:
        return 0

    async def hollow(self: Any, places: Any) -> set[tuple[str, int]]:
        return set()

    return [(consuming, "position_of", position_of), (Offsets, "hollow", hollow)]


def _forgets_a_holder_that_lost_track() -> list[Change]:
    def leaves_nothing(self: Any) -> bool:
        return True

    return [(Relay, "_leaves_nothing", leaves_nothing)]


def _fences_one_lane() -> list[Change]:
    fence: Any = KafkaLog.fence

    async def one(self: Any, lanes: Sequence[str], topics: Iterable[str]) -> None:
        await fence(self, lanes[:1], topics)

    return [(KafkaLog, "fence", one)]


def _fences_and_leaves_open_what_hangs() -> list[Change]:
    fence: Any = KafkaLog.fence

    async def bare(self: Any, lanes: Sequence[str], topics: Iterable[str]) -> None:
        await fence(self, lanes, ())

    return [(KafkaLog, "fence", bare)]


def _clears_what_nobody_sees_yet() -> list[Change]:
    async def stable(self: Any, partitions: Iterable[Partition]) -> Places:
        return dict.fromkeys(partitions, 1 << 60)  # Kafka has said that it is committed

    return [(KafkaSender, "stable", stable)]


def _sends_before_it_says_where() -> list[Change]:
    absent: Any = Relay._absent

    async def silent(self: Any, sender: Any, topics: set[str]) -> set[str]:
        async def beat() -> None:
            """Not yet."""

        self._beat = beat
        try:
            return await absent(self, sender, topics)
        finally:
            del self._beat

    return [(Relay, "_absent", silent)]


def _takes_what_is_published_for_cleared() -> list[Change]:
    publish: Any = Relay._publish

    async def early(self: Any, sender: Any, claims: Sequence[Claim]) -> Any:
        published = await publish(self, sender, claims)
        for each in published:
            self._places |= each.behind
        return published

    return [(Relay, "_publish", early)]


def _moves_on_before_all_is_cleared() -> list[Change]:
    async def done(self: Any) -> None:
        """Not waited for."""

    return [(Clearer, "done", done)]


def _forgets_claims_of_the_forgotten() -> list[Change]:
    async def unknown(self: Any, holders: Iterable[str]) -> set[str]:
        return set()

    return [(Holders, "unknown", unknown)]


def _rests_long_when_publishing_failed() -> list[Change]:
    begin: Any = Relay._begin

    async def late(self: Any) -> Any:
        if self._places_at:  # it had begun before
            await asyncio.sleep(60)
        return await begin(self)

    return [(Relay, "_begin", late)]


MUTANTS: dict[str, Callable[[], list[Change]]] = {
    "saves over what it has not read": lambda: [careless(GuardedWrites, "_collection", "version")],
    "saves no receipts": _saves_no_receipts,
    "takes a message for written": _takes_a_message_for_written,
    "clears what is not its own": _clears_what_is_not_its_own,
    "takes over without fencing": _takes_over_without_fencing,
    "takes over without looking": _takes_over_without_looking,
    "sends without waiting": _sends_without_waiting,
    "commits before handling": _commits_before_handling,
    "goes on when stuck": _goes_on_when_stuck,
    "gives commands new ids": _gives_commands_new_ids,
    "folds repeats": _folds_repeats,
    "writes rows over others": lambda: [careless(Shelf, "collection", "version")],
    "overtakes parked keys": _overtakes_parked_keys,
    "drops what fails": _drops_what_fails,
    "frees a key with letters left": lambda: [careless(DeadLetters, "_boxes", "letters")],
    "takes marks for messages": _takes_marks_for_messages,
    "forgets a holder that lost track": _forgets_a_holder_that_lost_track,
    "fences one lane": _fences_one_lane,
    "fences and leaves open what hangs": _fences_and_leaves_open_what_hangs,
    "clears what nobody sees yet": _clears_what_nobody_sees_yet,
    "sends before it says where": _sends_before_it_says_where,
    "takes what is published for cleared": _takes_what_is_published_for_cleared,
    "moves on before all is cleared": _moves_on_before_all_is_cleared,
    "forgets claims of the forgotten": _forgets_claims_of_the_forgotten,
    "looks seldom for what waits": lambda: [(finding, "POLL_SECONDS", 60.0), (finding, "REST_SECONDS_MAX", 60.0)],
    "looks seldom at other relays": lambda: [(relay, "LOOK_SECONDS", 30.0)],
    "rests long when publishing failed": _rests_long_when_publishing_failed,
    "never gives orphans up": lambda: [(finding, "ORPHAN_SECONDS", float("inf"))],
}


@contextmanager
def mutated(name: str) -> Generator[None]:
    """The kit with a fault."""
    changes = MUTANTS[name]()
    before = [(owner, attribute, getattr(owner, attribute)) for owner, attribute, _ in changes]
    try:
        for owner, attribute, instead in changes:
            setattr(owner, attribute, instead)
        yield
    finally:
        for owner, attribute, real in before:
            setattr(owner, attribute, real)
