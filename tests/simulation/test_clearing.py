"""What is taken out of outboxes, and when."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tyrsky import clearing
from tyrsky.clearing import Clearer, TakenAway, published
from tyrsky.holding import Holders
from tyrsky.producing import Places
from tyrsky.store import Claim, Outgoing

from tests.simulation.store import Server

ROOMS, TRAYS = ("rooms", 0), ("trays", 0)


@pytest.mark.parametrize(("given_up", "left"), [(False, []), (True, [{"topic": "rooms", "sequence": 1}])])
async def test_who_was_given_up_while_it_asked_what_is_seen_clears_nothing(given_up: bool, left: list[Any]) -> None:
    """Whatever it has claimed since: the offsets may have gone on because of an abort."""
    database: Any = Server().client()["x"]
    one = Holders(database)
    await one.register("h", [])
    claimed = {"lease_by": "h", "lease_token": "t", "version": 1, "outbox_since": datetime.now(UTC)}
    await database["rooms"].insert_one({"_id": "r", **claimed, "outbox": [{"topic": "rooms", "sequence": 1}]})
    cleared: list[bool] = []

    async def stable(partitions: list[Any]) -> Places:
        if given_up:
            await Holders(database).give_up("h", "me")
        return {ROOMS: 1}

    def noted(claims: Sequence[Claim], places: Places, *, well: bool) -> None:
        cleared.append(well)

    sender: Any = SimpleNamespace(stable=stable)
    clearer = Clearer(database, one, cast(Any, SimpleNamespace(cleared=noted)))
    entry = Outgoing("rooms", 1, {}, "{}")
    await clearer.take([published(Claim("rooms", "r", 1, "h", "t", [entry]), sender, [(ROOMS, 0)])])
    await clearer._round(sender)
    assert (await database["rooms"].find_one({"_id": "r"}))["outbox"] == left
    assert cleared == [not given_up]


async def test_each_partition_s_hanging_end_has_a_pause_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction of somebody else's, open for long in one, kept what hung in another waiting for half a minute."""
    clock, ended = SimpleNamespace(now=100.0), list[tuple[float, list[Any]]]()

    async def end_what_hangs(partitions: list[Any]) -> None:
        ended.append((clock.now, partitions))

    monkeypatch.setattr(
        clearing, "asyncio", SimpleNamespace(get_running_loop=lambda: clock, Condition=asyncio.Condition)
    )
    clock.time = lambda: clock.now
    sender: Any = SimpleNamespace(end_what_hangs=end_what_hangs)
    clearer = Clearer(cast(Any, {}), cast(Any, None), cast(Any, None))
    claim = Claim("rooms", "r", 1, "h", "t", [])
    one, other = (published(claim, sender, [(at, 0)]) for at in (ROOMS, TRAYS))

    async def look(at: float, *hidden: Any) -> None:
        clock.now = at
        await clearer._end_what_hangs(sender, hidden, {ROOMS: 0, TRAYS: 0})

    for at in (102.0, 103.0, 104.0, 108.0, 109.0):
        await look(at, one)
    assert ended == [(at, [ROOMS]) for at in (102.0, 104.0, 108.0)]
    await look(110.0, one, other)
    assert ended[3:] == [(110.0, [TRAYS])]
    await look(111.0, other)  # the one is seen,
    await look(111.5, one, other)  # and the next one there hangs anew
    assert ended[4:] == [(111.5, [ROOMS])]


@pytest.mark.parametrize(("events", "raises"), [(False, nullcontext()), (True, pytest.raises(TakenAway))])
async def test_a_mark_that_a_save_has_claimed_meanwhile_is_nobody_s_loss(events: bool, raises: Any) -> None:
    """What is left behind a private event has none to publish: the next save finds nothing that waits, and claims."""
    database: Any = Server().client()["x"]
    one, entry = Holders(database), {"topic": "t", "sequence": 2}
    claimed = {"lease_by": "h", "outbox_since": datetime.now(UTC)}
    await database["rooms"].insert_many(
        [
            {"_id": "saved", "version": 3, "lease_token": "the save's", "outbox": [entry], **claimed},
            {"_id": "other", "version": 1, "lease_token": "t", "outbox": [entry], **claimed},
        ]
    )
    outgoing = [Outgoing("t", 2, {}, "{}")]
    before = Claim("rooms", "saved", 2, "h", "t", outgoing if events else [])
    with raises:
        await Clearer(database, one, cast(Any, None)).clear("rooms", [before, replace(before, id="other", version=1)])
    assert (await database["rooms"].find_one({"_id": "saved"}))["outbox"] == [entry]
    assert (await database["rooms"].find_one({"_id": "other"}))["outbox"] == []
