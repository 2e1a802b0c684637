"""An erasure reaches what lies beside the state: answers, here and in another process, and events that wait."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.deciding import Decider
from tyrsky.drafting import Ask, Done
from tyrsky.forgetting import Forgetting
from tyrsky.receipts import Receipt
from tyrsky.remembering import Remembered
from tyrsky.store import Claim, Document, Loaded, Store

from .room import ForgetGuests, OpenRoom, Room, RoomCommand, TakeSeat, codec, room

pytestmark = pytest.mark.stack

ROOM = uuid4()


def view(loaded: Loaded[Room]) -> Document:
    return {"guests": list(loaded.state.guests)}


class Rig:
    """A room, in one process, with its memory of answers."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self.database = database
        self.memory = Remembered(database)
        self.claims: list[Claim] = []
        self.decider = Decider(Store(database, room, lambda: "a-relay"), codec("rooms"), self.claims.append)
        self.forgetting = Forgetting(database, self.memory)

    async def ask(self, command: RoomCommand, id: UUID | None = None) -> Done[Room]:
        ask = Ask(command, id or uuid4(), "vaao", "print", answer=view, memory=self.memory)
        return await self.decider.carry_out(ask)

    async def aino_came(self, wish: UUID) -> None:
        await self.ask(OpenRoom(room_id=ROOM, seats=3))
        await self.ask(TakeSeat(room_id=ROOM, guest="Aino"), wish)

    async def loaded(self) -> Loaded[Room]:
        found = await self.decider.store.load("vaao", ROOM)
        assert found is not None
        return found

    async def everything(self) -> str:
        """All that the store holds, as text."""
        kept: list[Any] = []
        for name in await self.database.list_collection_names():
            kept += await self.database[name].find({}).to_list()
        return str(kept)


@pytest.fixture
def rig(database: AsyncDatabase[Document]) -> Rig:
    return Rig(database)


async def test_answers_go_from_the_document_in_the_very_write_that_erases(rig: Rig) -> None:
    await rig.aino_came(uuid4())
    assert "Aino" in await rig.everything()
    await rig.ask(ForgetGuests(room_id=ROOM))
    assert "Aino" not in str(await rig.database["rooms"].find({}).to_list())


async def test_what_waits_with_the_erasure_is_forgotten_with_it(rig: Rig) -> None:
    """Commands that are decided together are written once: an answer that was given a moment before, too."""
    await rig.ask(OpenRoom(room_id=ROOM, seats=3))
    await asyncio.gather(rig.ask(TakeSeat(room_id=ROOM, guest="Aino")), rig.ask(ForgetGuests(room_id=ROOM)))
    assert "Aino" not in str(await rig.database["rooms"].find({}).to_list())


async def test_what_was_remembered_for_a_day_is_forgotten(rig: Rig) -> None:
    await rig.aino_came(uuid4())
    await rig.memory.stop()
    await rig.ask(ForgetGuests(room_id=ROOM))
    assert "Aino" in await rig.everything()
    await rig.forgetting.answers(await rig.loaded())
    assert "Aino" not in await rig.everything()


async def test_an_answer_that_another_process_has_yet_to_write_comes_too_late(
    database: AsyncDatabase[Document],
) -> None:
    here, there = Rig(database), Rig(database)
    await there.aino_came(uuid4())
    await here.ask(ForgetGuests(room_id=ROOM))
    await here.forgetting.answers(await here.loaded())
    await there.memory.stop()
    assert "Aino" not in await here.everything()


async def test_an_answer_that_this_process_has_yet_to_write_is_not_written(rig: Rig) -> None:
    await rig.aino_came(wish := uuid4())
    await rig.ask(ForgetGuests(room_id=ROOM))
    await rig.forgetting.answers(await rig.loaded())
    left = await rig.memory.find(wish)
    assert left is not None
    assert left.answer is None
    await rig.memory.stop()
    assert "Aino" not in await rig.everything()


async def test_to_forget_twice_is_once(rig: Rig) -> None:
    await rig.aino_came(uuid4())
    await rig.ask(ForgetGuests(room_id=ROOM))
    for _ in range(2):
        await rig.forgetting.answers(await rig.loaded())
    await Remembered(rig.database).forget(str(uuid4()), [Receipt(str(uuid4()), "", 1, None)])
    await rig.memory.forget(str(uuid4()), [])


async def test_the_answer_to_a_wish_that_changed_nothing_is_forgotten_too(rig: Rig) -> None:
    """Of that the aggregate has no receipt."""
    await rig.aino_came(uuid4())
    for written in (True, False):
        await rig.ask(TakeSeat(room_id=ROOM, guest="Aino"), wish := uuid4())
        if written:
            await rig.memory.stop()
        kept = await rig.memory.find(wish)
        assert kept is not None
        assert kept.answer == {"guests": ["Aino"]}
    await rig.ask(ForgetGuests(room_id=ROOM))
    await rig.forgetting.answers(await rig.loaded())
    await rig.memory.stop()
    assert "Aino" not in await rig.everything()


@pytest.mark.parametrize("where", ["the document", "the memory"])
async def test_who_repeats_a_wish_gets_the_aggregate_as_it_is_now(rig: Rig, where: str) -> None:
    wish = uuid4()
    await rig.aino_came(wish)
    await rig.ask(ForgetGuests(room_id=ROOM))
    await rig.forgetting.answers(await rig.loaded())
    if where == "the memory":
        await rig.database["rooms"].update_one({"_id": str(ROOM)}, {"$set": {"receipts": []}})
    again = await rig.ask(TakeSeat(room_id=ROOM, guest="Aino"), wish)
    assert again == Done(4, {"guests": []}, replayed=True)
    assert (await rig.loaded()).state.guests == ()


async def test_an_event_that_waits_is_rewritten_in_its_place(rig: Rig) -> None:
    await rig.aino_came(uuid4())
    before = (await rig.database["rooms"].find_one({"_id": str(ROOM)}) or {})["outbox"]

    def nobody(kind: str, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "left": 0} if kind.endswith("seat-taken.v1") else body

    assert await rig.forgetting.unpublished("rooms", {"_id": str(ROOM)}, nobody) == 1
    assert await rig.forgetting.unpublished("rooms", {"_id": str(ROOM)}, nobody) == 0
    after = (await rig.database["rooms"].find_one({"_id": str(ROOM)}) or {})["outbox"]
    assert json.loads(after[1].pop("body")) == {**json.loads(before[1].pop("body")), "left": 0}
    assert after == before
