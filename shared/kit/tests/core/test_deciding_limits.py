"""Limits of what is decided together and waits, and a memory that is longer than the aggregate's."""

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import WriteError
from tyrsky import drafting, receipts
from tyrsky.aggregate import Busy, Rejected
from tyrsky.drafting import DRAFT_BYTES_MAX, Done
from tyrsky.outages import NO_ROOM
from tyrsky.remembering import Remembered
from tyrsky.store import Document, Loaded, Saved

from .room import Room
from .test_deciding import ROOM, Rig, ask, rig, take

__all__ = ["rig"]

pytestmark = pytest.mark.stack


async def test_what_waits_to_be_published_is_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "OUTBOX_MAX", 3)
    await rig.opened(9)
    for guest in ("Aino", "Eino"):
        await rig.decider.carry_out(ask(take(guest)))
    with pytest.raises(Busy):
        await rig.decider.carry_out(ask(take("Onni")))
    await rig.decider.store.collection.update_one({"_id": str(ROOM)}, {"$set": {"outbox": []}})
    assert (await rig.decider.carry_out(ask(take("Onni")))).answer == {"left": 6, "version": 7}


async def test_what_waits_to_be_published_is_bounded_in_bytes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.opened(9)
    [opened] = (await rig.document())["outbox"]
    monkeypatch.setattr(drafting, "OUTBOX_BYTES_MAX", len(opened["body"]) + 1)
    await rig.decider.carry_out(ask(take("Aino")))
    with pytest.raises(Busy):
        await rig.decider.carry_out(ask(take("Eino")))


async def test_what_is_too_large_together_is_written_in_turns(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def large(loaded: Loaded[Room]) -> Document:
        return {"left": loaded.state.left, "much": "x" * 200_000}

    await rig.opened(100)
    save, saves = rig.decider.store.save, 0

    async def counted(*about: Any) -> Saved:
        nonlocal saves
        saves += 1
        return await save(*about)

    monkeypatch.setattr(rig.decider.store, "save", counted)
    wishes = [replace(ask(take(f"guest {number}")), answer=large) for number in range(100)]
    outcomes = await asyncio.gather(*map(rig.decider.carry_out, wishes))
    assert [outcome.answer and outcome.answer["left"] for outcome in outcomes] == [*reversed(range(100))]
    assert (await rig.document())["state"]["left"] == 0
    assert saves == math.ceil(100 * 200_000 / DRAFT_BYTES_MAX)


async def test_what_the_store_cannot_take_of_one_the_others_are_not_refused_for(rig: Rig) -> None:
    await rig.opened(30)
    guests = ["half a letter \ud800" if number == 7 else f"guest {number}" for number in range(20)]
    outcomes = await asyncio.gather(
        *(rig.decider.carry_out(ask(take(guest))) for guest in guests), return_exceptions=True
    )
    [refused] = [outcome for outcome in outcomes if not isinstance(outcome, Done)]
    assert isinstance(refused, Rejected)
    assert (refused.code, outcomes.index(refused)) == ("not-storable", 7)
    assert (await rig.document())["state"]["left"] == 11


@asynccontextmanager
async def remembering(database: AsyncDatabase[Document]) -> AsyncGenerator[Remembered]:
    remembered = Remembered(database)
    task = asyncio.create_task(remembered.run())
    yield remembered
    task.cancel()


async def test_who_gave_up_is_remembered_all_the_same(
    rig: Rig, database: AsyncDatabase[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "KEPT", 2)
    await rig.opened(9)
    async with remembering(database) as memory:
        wish = replace(ask(take("Aino")), memory=memory)
        asked = asyncio.ensure_future(rig.decider.carry_out(wish))
        save, written = rig.decider.store.save, asyncio.Event()

        async def told_late(*about: Any) -> Saved:
            saved = await save(*about)
            written.set()
            await asyncio.sleep(0.05)
            return saved

        monkeypatch.setattr(rig.decider.store, "save", told_late)
        await written.wait()
        asked.cancel()  # its time is up, or its client left
        await rig.decider.drained()
        for guest in ("Eino", "Onni", "Venla"):  # its receipt is pushed out
            await rig.decider.carry_out(ask(take(guest)))
        assert (await rig.decider.carry_out(wish)) == Done(3, {"left": 8, "version": 3}, replayed=True)
    assert asked.cancelled()
    assert (await rig.document())["state"]["guests"].count("Aino") == 1


@pytest.mark.parametrize("step", ["load", "save"])
async def test_a_wish_that_waited_while_another_process_did_it_is_not_done_again(
    database: AsyncDatabase[Document], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(receipts, "KEPT", 2)
    first, second = Rig(database), Rig(database)
    await first.opened(9)
    does, may = getattr(second.decider.store, step), asyncio.Event()

    async def late(*about: Any) -> Any:
        await may.wait()
        return await does(*about)

    monkeypatch.setattr(second.decider.store, step, late)
    async with remembering(database) as memory:
        wish = replace(ask(take("Aino")), memory=memory)
        waiting = asyncio.ensure_future(second.decider.carry_out(wish))
        await asyncio.sleep(0.05)
        for each in (wish, *(ask(take(guest)) for guest in ("Eino", "Onni", "Venla"))):
            await first.decider.carry_out(each)
        may.set()
        assert await waiting == Done(3, {"left": 8, "version": 3}, replayed=True)
    assert (await first.document())["state"]["guests"].count("Aino") == 1


async def test_a_store_without_room_is_not_asked_by_each_of_a_group(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.opened(30)
    saves = 0

    async def full(*about: Any) -> Saved:
        nonlocal saves
        saves += 1
        raise WriteError("no room", NO_ROOM)

    monkeypatch.setattr(rig.decider.store, "save", full)
    wishes = [ask(take(f"guest {number}")) for number in range(20)]
    outcomes = await asyncio.gather(*map(rig.decider.carry_out, wishes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [WriteError] * 20
    assert saves == 1
