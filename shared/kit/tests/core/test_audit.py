"""What is told of a change: who, what, to which thing; once for each command, and nothing of what it says."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from tyrsky.aggregate import Aggregate
from tyrsky.drafting import Ask, Draft
from tyrsky.store import Change, Loaded
from tyrsky_contracts import topics
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.event import Envelope

from .room import Room, RoomCommand, SeatTaken, TakeSeat, codec, room

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ROOM, HOUSE = uuid4(), uuid4()
CODEC = Codec([codec("rooms").topic_of(SeatTaken), topics.audit])


def in_the_house(id: UUID, state: Room) -> UUID:
    return HOUSE


audited: Aggregate[Room, RoomCommand] = replace(room, about=in_the_house)


take = TakeSeat(room_id=ROOM, guest="Aino")


def change_of(*asks: Ask[Room, RoomCommand], of: Aggregate[Room, RoomCommand] = audited) -> Change[Room] | None:
    draft = Draft(of, CODEC, ROOM, Loaded(ROOM, "vaao", 1, Room(left=9), sequence=4))
    for each in asks:
        draft.decide(each, None, None)
    return draft.change()


def ask(
    command: RoomCommand = take, *, id: UUID | None = None, cause: Envelope | None = None
) -> Ask[Room, RoomCommand]:
    return Ask(command, id or uuid4(), "vaao", at=NOW, by="staff-1", cause=cause)


def entries(change: Change[Room] | None) -> list[dict[str, Any]]:
    assert change is not None
    return [json.loads(each.body) for each in change.outgoing if each.topic == "audit"]


def test_a_change_is_told_with_who_and_what_and_not_with_what_it_says():
    wish = uuid4()
    change = change_of(ask(id=wish))
    assert change is not None
    assert [(each.topic, each.sequence) for each in change.outgoing] == [("rooms", 5), ("audit", 6)]
    assert change.sequence == 6
    (entry,) = entries(change)
    assert entry.pop("entry") == change.outgoing[1].headers["ce_id"]
    assert entry == {
        "kind": "room",
        "thing": str(ROOM),
        "about": str(HOUSE),
        "by": "staff-1",
        "happened": ["seat-taken", "guest-noted"],
    }
    assert entries(change_of(ask(id=wish)))[0]["entry"] == change.outgoing[1].headers["ce_id"]  # decided again


def test_what_changes_nothing_is_not_told():
    assert len(entries(change_of(ask(), ask()))) == 1  # who sits already stays seated


def test_what_followed_from_an_event_is_told_with_the_kind_of_event():
    cause = Envelope(
        id=uuid4(),
        type="tyrsky.visit.recorded.v1",
        source="/colleges/vaao/visits",
        subject=str(uuid4()),
        time=NOW,
        college="vaao",
        sequence=1,
        correlationid="c",
        causationid="c",
    )
    assert entries(change_of(ask(cause=cause)))[0]["by"] == "tyrsky.visit.recorded.v1"


def test_nothing_is_told_of_an_aggregate_that_says_nothing_of_it():
    assert entries(change_of(ask(), of=room)) == []
