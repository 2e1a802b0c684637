"""What a relay says of itself, in the order in which it says it, and to whoever takes over from it."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tyrsky.aside import Aside
from tyrsky.finding import Finder
from tyrsky.holding import Holders
from tyrsky.producing import Places, lanes_of
from tyrsky.relay import Relay
from tyrsky.store import Claim

from tests.simulation.network import Direct, Network, Weather, Work
from tests.simulation.store import Server

ROOMS, TRAYS = ("rooms", 0), ("trays", 0)


class Log:
    """Notes what is fenced, and has seen what a test says."""

    def __init__(self, seen: dict[tuple[str, str], int] | None = None) -> None:
        self.fenced: list[str] = []
        self._seen = seen or {}

    async def open(self, holder: str) -> "Log":
        return self

    async def close(self) -> None:
        """It is its own sender."""

    async def fence(self, lanes: list[str], topics: Iterable[str]) -> None:
        self.fenced += lanes

    async def seen(self, since: Places) -> dict[tuple[str, str], int]:
        return self._seen


class Late(Network):
    """The first update of a relay's document takes long."""

    def __init__(self, patience: float = 0.05) -> None:
        super().__init__(Random(1), Weather(), patience=patience)
        self.ambush = self._hold

    def _hold(self, name: str, sender: object) -> float:
        if name != "relays.update_one":
            return 0.0
        self.ambush = None
        return 0.2


def holders(database: Any) -> Holders:
    return Holders(database)


async def test_beats_are_told_one_after_the_other() -> None:
    server = Server()
    one = holders(server.client(Late(patience=1))["x"])
    await one.register("h", [])
    places: Places = {ROOMS: 1}
    first = asyncio.create_task(one.beat("h", places))
    await asyncio.sleep(0.01)
    places |= {TRAYS: 7}
    second = asyncio.create_task(one.beat("h", places))
    assert await asyncio.gather(first, second) == [True, True]  # a late one is not taken for one that was given up
    assert await holders(server.client()["x"]).places("h") == {ROOMS: 1, TRAYS: 7}


async def test_a_beat_that_its_sender_gave_up_does_not_overwrite_a_newer_one() -> None:
    server = Server()
    one, places = holders(server.client(Late())["x"]), Places()
    await one.register("h", [])
    first = asyncio.create_task(one.beat("h", {ROOMS: 1}))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.wait([first])
    places = {ROOMS: 1, TRAYS: 7}
    assert await one.beat("h", places)
    await asyncio.sleep(0.4)
    assert await one.places("h") == places


async def test_what_is_fenced_is_what_the_holder_s_own_version_publishes_with() -> None:
    database: Any = Server().client()["x"]
    one = holders(database)
    await one.register("this version's", [])
    await database["relays"].insert_one({"_id": "another's", "beats": 0, "places": [], "lanes": ["x", "y", "z"]})
    await database["relays"].insert_one({"_id": "an old one's", "beats": 0, "places": []})
    for holder, lanes in (
        ("this version's", lanes_of("this version's")),
        ("another's", ["x", "y", "z"]),
        ("an old one's", lanes_of("an old one's")),
    ):
        log = Log()
        await Finder(database, cast(Any, log), one, Aside(), cast(Any, None))._fence("me", holder)
        assert log.fenced == lanes


async def test_who_takes_over_gives_the_holder_up_before_it_fences() -> None:
    """Else the old one could clear what it sees to be stable, and what the fence has just aborted."""
    database: Any = Server().client()["x"]
    one, log = holders(database), Log()
    held: list[bool] = []
    await one.register("h", [])
    await one.register("another", [])

    async def fence(lanes: list[str], topics: Iterable[str]) -> None:
        held.extend([await one.is_held("h"), await one.is_held("another")])

    log.fence = fence
    await Finder(database, cast(Any, log), one, Aside(), cast(Any, None))._fence("me", "h")
    assert held == [False, True]


async def test_who_was_given_up_is_told_by_its_next_beat() -> None:
    one = holders(Server().client()["x"])
    await one.register("h", [])
    assert await one.beat("h", {})
    await one.give_up("h", "me")
    assert not await one.beat("h", {})


async def test_of_many_that_others_published_only_the_holder_s_own_are_asked_for() -> None:
    """All of them in one query would be more than a store takes."""
    database: Any = Server().client()["x"]
    one = holders(database)
    asked: list[Any] = []
    rooms = database["rooms"]
    for id, by, waiting in (("mine", "h", True), ("cleared", "h", False), ("another's", "other", True)):
        outbox = [{"topic": "t", "sequence": each} for each in (4, 5)] if waiting else []
        since = {"outbox_since": datetime.now(UTC)} if waiting else {}
        await rooms.insert_one({"_id": id, "lease_by": by, "outbox": outbox, **since})
    seen = {("t", f"{number}"): 1 for number in range(1_000)} | {("t", "mine"): 4, ("t", "another's"): 5}
    finder = Finder(database, cast(Any, Log(seen)), one, Aside(), cast(Any, None))
    finder.collections.append("rooms")
    find = type(rooms).find

    def noted(self: Any, filter: Any = None, *args: Any) -> Any:
        asked.append(filter)
        return find(self, filter, *args)

    type(rooms).find = noted
    try:
        await finder._take_over("h")
    finally:
        type(rooms).find = find
    assert all(len(str(each)) < 1_000 for each in asked)
    assert (await rooms.find_one({"_id": "mine"}))["outbox"] == [{"topic": "t", "sequence": 5}]
    assert "lease_by" not in await rooms.find_one({"_id": "mine"})
    assert len((await rooms.find_one({"_id": "another's"}))["outbox"]) == 2


class SaysItLate(Direct):
    """Writes a relay down at once, and is long in saying so."""

    async def call(self, name: str, works: Sequence[Work], lost: Callable[[], Exception]) -> list[Any]:
        done = await super().call(name, works, lost)
        await asyncio.sleep(0.2 if name == "relays.insert_one" else 0)
        return done


async def test_a_relay_that_is_cut_off_as_it_begins_is_forgotten() -> None:
    """It was written down, and did not know yet: others took it for one that lives, and later for one that died."""
    database: Any = Server().client(SaysItLate())["x"]
    relay = Relay(database, cast("Any", Log()), "a-relay")
    await relay.start()
    await asyncio.sleep(0.1)
    assert await database["relays"].count_documents({}) == 1
    await relay.stop(1)
    assert await database["relays"].count_documents({}) == 0


async def test_of_an_aggregate_with_two_topics_only_what_is_seen_is_taken_out() -> None:
    """Kafka may leave a transaction open in one partition, and end it in another."""
    database: Any = Server().client()["x"]
    outbox = [{"topic": topic, "sequence": number} for number, topic in ((1, "unseen"), (2, "seen"), (3, "seen"))]
    claimed = {"lease_by": "h", "outbox_since": datetime.now(UTC), "outbox": outbox}
    await database["contacts"].insert_one({"_id": "c", **claimed})
    finder = Finder(database, cast(Any, Log({("seen", "c"): 2})), holders(database), Aside(), cast(Any, None))
    finder.collections.append("contacts")
    await finder._take_over("h")
    left: Any = await database["contacts"].find_one({"_id": "c"})
    assert [entry["sequence"] for entry in left["outbox"]] == [1, 3]


async def test_a_relay_that_gives_up_while_it_looks_claims_nothing_for_nobody() -> None:
    """Nobody would ever claim it again."""
    database: Any = Server().client()["x"]
    await database["rooms"].insert_one(
        {"_id": "r", "version": 1, "outbox_since": datetime.now(UTC), "outbox": [], "lease_token": ""}
    )
    published: list[Claim] = []
    relay: Any = SimpleNamespace(room=lambda: 10, publish=published.append)
    finder = Finder(database, cast(Any, None), holders(database), Aside(), relay)
    finder.go_on_as("h")
    look = finder._look_at_claims

    async def giving_up(name: str, documents: Any) -> None:
        await look(name, documents)
        finder.gave_up("h")

    finder._look_at_claims = giving_up
    await finder._poll(database["rooms"])
    assert [claim.by for claim in published] == ["h"]  # which is taken over from, as all of it


async def test_of_many_holders_none_waits_until_another_was_read() -> None:
    loop, reads = asyncio.get_running_loop(), list[float]()

    async def seen(since: Places) -> dict[tuple[str, str], int]:
        reads.append(loop.time())
        await asyncio.sleep(0.05)
        return {}

    log = Log()
    log.seen = seen
    database: Any = Server().client()["x"]
    finder = Finder(database, cast(Any, log), holders(database), Aside(), cast(Any, None))
    for each in "abc":
        finder.gave_up(each)
    finder.go_on_as("me")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await finder.take_over()
    assert len(reads) == 3
    assert max(reads) - min(reads) < 0.05
