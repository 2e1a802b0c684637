"""What Kafka does not take holds up its own aggregate, and costs the others next to nothing."""

# pyright: reportPrivateUsage=false

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

import pytest
from tyrsky.aside import HELD_BACK_SECONDS, HELD_BACK_SECONDS_MAX, Aside
from tyrsky.drafting import Ask
from tyrsky.relay import Relay
from tyrsky.store import Claim

from tests.simulation import domain
from tests.simulation.scene import Scene

ROOMS, MINUTES = 40, 5
TRIES = 2 + 5
"""At once, alone, and after 10, 20, 40, 80 and 160 s."""


async def saved(decider: Any, name: str, guest: str) -> None:
    id = uuid5(domain.NAMESPACE, name)
    if guest == "":
        command: domain.RoomCommand = domain.OpenRoom(room_id=id, seats=10_000)
    else:
        command = domain.TakeSeat(room_id=id, guest=guest)
    await decider.carry_out(Ask(command, uuid5(id, guest), domain.COLLEGE))


@pytest.mark.parametrize("relays", [1, 2])
def test_what_is_not_taken_is_tried_ever_more_seldom_and_comes_when_it_is(
    relays: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, ups = Scene(relays), 0
    let_go: Any = Relay._let_go

    def counted(relay: Relay) -> None:
        nonlocal ups
        ups += 1
        let_go(relay)

    monkeypatch.setattr(Relay, "_let_go", counted)

    async def happens(scene: Scene) -> None:
        deciders = [await scene.begin(process) for process in (scene.one, scene.other)[:relays]]

        async def told(name: str, guest: str) -> None:
            await scene.loop.spawn(scene.one, saved(deciders[0], name, guest))

        for number in range(ROOMS):
            await told(f"{number}", "")
        await told("large", "")
        await asyncio.sleep(5)
        scene.broker.bytes_max = 50_000
        waited: list[int] = []
        for second in range(MINUTES * 60):
            if second == 1:
                await told("large", "x" * 100_000)
            await told(f"{second % ROOMS}", f"{second}")
            await asyncio.sleep(1)
            waited.append(await scene.database["rooms"].count_documents({"outbox_since": {"$exists": True}}))
        late = sum(number > 1 for number in waited)  # others than the large one
        assert late <= relays * TRIES * 2, waited
        assert waited[-1] == 1
        assert relays * 2 <= ups <= relays * TRIES, ups
        scene.broker.bytes_max = 200_000
        await asyncio.sleep(400)

    assert scene.lost(happens) == []


HEADERS = {"ce_id": "1", "ce_type": "t"}
READABLE = {"topic": domain.ROOMS, "sequence": 1, "headers": HEADERS, "body": "{}"}


@pytest.mark.parametrize(
    "difference", [{"unknown": 1}, {"headers": {}}, {"headers": {**HEADERS, "ce_x": None}}, {"body": None}]
)
def test_what_another_version_left_in_an_outbox_is_in_nobody_s_way(difference: dict[str, Any]) -> None:
    """Some of it was read, and failed whenever it was sent, and all that went with it."""
    scene, waited = Scene(1), list[int]()
    foreign = {"_id": "foreign", "version": 1, "lease_token": "", "outbox": [READABLE | difference]}

    async def happens(scene: Scene) -> None:
        decider, rooms = await scene.begin(scene.one), scene.database["rooms"]
        await rooms.insert_one(foreign | {"outbox_since": datetime(2026, 1, 1, tzinfo=UTC)})
        for number in range(30):
            await scene.loop.spawn(scene.one, saved(decider, f"{number}", ""))
            await asyncio.sleep(1)
            waited.append(await rooms.count_documents({"outbox_since": {"$exists": True}}))
        await rooms.delete_one({"_id": "foreign"})

    assert scene.lost(happens) == []
    assert waited == [1] * 30


async def test_an_aggregate_is_held_back_for_ever_longer_until_it_is_taken() -> None:
    aside, seconds = Aside(), HELD_BACK_SECONDS
    large, other = (Claim("rooms", id, 1, "h", "t", []) for id in ("large", "other"))
    assert aside.apart([large, other]) == [[large, other]]
    told = [aside.hold_back("rooms", "large") for _ in range(9)]
    assert told == [0, *(min(seconds * 2**n, HELD_BACK_SECONDS_MAX) for n in range(8))]
    assert (aside.held_back("rooms"), aside.held_back("trays")) == ({"large"}, set())
    assert aside.apart([large, other]) == [[other], [large]]
    assert aside.apart([large]) == [[large]]
    aside.taken([large])
    assert (aside.held_back("rooms"), aside.apart([large, other])) == (set(), [[large, other]])
