"""What is due is looked after, whoever finds it; and what cannot be is in nobody's way."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky import due as module
from tyrsky import metrics
from tyrsky.deciding import Decider
from tyrsky.drafting import Ask
from tyrsky.due import Due
from tyrsky.store import Document, Loaded, Store

from .room import ForgetGuests, OpenRoom, Room, RoomCommand, TakeSeat, codec, room

pytestmark = pytest.mark.stack

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Rig:
    """Rooms whose guests are to be forgotten, and a process that does so."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self.decider = Decider(Store(database, room), codec("rooms"), lambda _: None)
        self.seen: list[UUID] = []
        self.due: Due[Room, RoomCommand] = Due(self.decider, ["vaao"], self.forget)

    async def forget(self, loaded: Loaded[Room]) -> None:
        self.seen.append(loaded.id)
        if "Matti" in loaded.state.guests:
            raise ZeroDivisionError
        await self.decider.carry_out(Ask(ForgetGuests(room_id=loaded.id), uuid5(loaded.id, "forget"), loaded.college))

    async def room(self, guest: str, due_at: datetime | None, college: str = "vaao") -> UUID:
        id = uuid4()
        for command in (OpenRoom(room_id=id, seats=2), TakeSeat(room_id=id, guest=guest)):
            await self.decider.carry_out(Ask(command, uuid4(), college))
        await self.decider.store.collection.update_one({"_id": str(id)}, {"$set": {"state.due_at": due_at}})
        return id

    async def document(self, id: UUID) -> dict[str, Any]:
        return await self.decider.store.collection.find_one({"_id": str(id)}) or {}

    async def guests(self, id: UUID) -> list[str]:
        return (await self.document(id))["state"]["guests"]


@pytest.fixture
def rig(database: AsyncDatabase[Document]) -> Rig:
    return Rig(database)


async def test_what_is_due_is_looked_after_and_nothing_else(rig: Rig) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    was_due = await rig.room("Aino", LONG_AGO)
    others = [
        await rig.room("Eino", tomorrow),
        await rig.room("Eino", None),
        await rig.room("Eino", LONG_AGO, college="tredu"),
    ]
    assert not await rig.due.once()
    assert rig.seen == [was_due]
    assert await rig.guests(was_due) == []
    assert [await rig.guests(other) for other in others] == [["Eino"]] * 3


async def test_of_many_some_are_taken_at_a_time_the_longest_overdue_first(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOUND_MAX", 2)
    rooms = [await rig.room("Aino", LONG_AGO + timedelta(days=number)) for number in (3, 1, 2)]
    assert await rig.due.once()
    assert rig.seen == [rooms[1], rooms[2]]
    assert not await rig.due.once()
    assert rig.seen == [rooms[1], rooms[2], rooms[0]]


async def test_two_processes_do_it_once(database: AsyncDatabase[Document]) -> None:
    here, there = Rig(database), Rig(database)
    rooms = [await here.room("Aino", LONG_AGO) for _ in range(20)]
    await asyncio.gather(here.due.once(), there.due.once())
    assert [(await here.document(each))["version"] for each in rooms] == [4] * 20
    assert {*here.seen, *there.seen} == {*rooms}


async def test_one_that_cannot_be_looked_after_is_in_nobodys_way(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FOUND_MAX", 1)
    bad, good = await rig.room("Matti", LONG_AGO), await rig.room("Aino", LONG_AGO + timedelta(days=1))
    async with asyncio.timeout(5):
        while await rig.due.once():
            pass
    assert rig.seen == [bad, good]
    assert (await rig.guests(bad), await rig.guests(good)) == (["Matti"], [])


async def test_a_failure_is_logged_without_what_it_says(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    bad = await rig.room("Matti", LONG_AGO)
    await rig.due.once()
    assert str(bad) in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "Matti" not in caplog.text


async def test_what_becomes_due_by_a_write_here_is_looked_after_at_once(rig: Rig) -> None:
    id = await rig.room("Aino", None)
    running = asyncio.create_task(rig.due.run())
    await asyncio.sleep(0.05)
    await rig.decider.store.collection.update_one({"_id": str(id)}, {"$set": {"state.due_at": LONG_AGO}})
    await rig.decider.carry_out(Ask(TakeSeat(room_id=id, guest="Eino"), uuid4(), "vaao"))
    async with asyncio.timeout(5):
        while await rig.guests(id):
            await asyncio.sleep(0.02)
    running.cancel()


async def test_what_cannot_be_looked_after_shows_as_overdue(rig: Rig) -> None:
    await rig.room("Matti", datetime.now(UTC) - timedelta(hours=1))
    running = asyncio.create_task(rig.due.run())
    async with asyncio.timeout(5):
        while not metrics.due_overdue_seconds.labels("room", "due_at")._value.get():  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0.02)
    running.cancel()
    overdue = metrics.due_overdue_seconds.labels("room", "due_at")._value.get()  # pyright: ignore[reportPrivateUsage]
    assert 3_600 <= overdue < 3_660
