"""F2 judges what the relay that stood still had in hand, and nothing else."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults import frozen, outboxes, parts
from tests.faults.frozen import not_in_order
from tests.faults.hands import NotDone
from tests.faults.looking import Record
from tests.simulation.store import Server


def on(topic: str, *numbers: int) -> list[Record]:
    """Events of one aggregate on a topic, in order."""
    return [Record(topic, 0, offset, "a1", number, f"e{number}") for offset, number in enumerate(numbers)]


@pytest.mark.parametrize(
    ("published", "wrong"),
    [([1, 2, 3], 0), ([1, 2, 3, 2], 1), ([1, 3, 2], 1), ([1, 2, 2, 3], 1), ([1, 3], 1), ([], 1)],
)
def test_what_was_in_hand_is_published_once_and_in_order(published: Sequence[int], wrong: int):
    assert len(not_in_order({"a1": [2]}, on("companies", *published))) == wrong


async def test_what_was_in_hand_may_be_on_any_topic_of_its_aggregate(monkeypatch: pytest.MonkeyPatch):
    there = [*on("notification-requests", 2, 4), *on("companies", 1, 3)]

    async def records(_: Any, topics: Collection[str]) -> list[Record]:
        return [each for each in there if each.topic in topics]

    monkeypatch.setattr(frozen.looking, "records", records)
    rig = cast("Any", SimpleNamespace(layout=parts.layout(["companies", "notifications"], parts.Outside())))
    in_hand: outboxes.Waiting = {("contacts", "a1"): [2, 3]}
    assert await frozen._not_in_order(rig, in_hand) == []  # pyright: ignore[reportPrivateUsage]
    there += on("notification-requests", 2)
    assert len(await frozen._not_in_order(rig, in_hand)) == 1  # pyright: ignore[reportPrivateUsage]


def test_it_is_published_when_none_of_it_waits_whoever_has_claimed_it_by_then():
    before: outboxes.Waiting = {("visits", "v1"): [2, 3]}
    assert outboxes.left(before, {("visits", "v1"): [3, 4]}) == [("visits", "v1")]  # taken over, and not published
    assert outboxes.left(before, {("visits", "v1"): [4]}) == []
    assert outboxes.left(before, {("visits", "v2"): [2]}) == []


async def test_in_hand_is_what_that_holder_has_claimed():
    database: Any = Server().client()["x"]
    now, entry = datetime.now(UTC), {"topic": "companies", "sequence": 2}
    for id, facts in {
        "mine": {"outbox_since": now, "outbox": [entry], "lease_by": "first"},
        "another's": {"outbox_since": now, "outbox": [entry], "lease_by": "second"},
        "nobody's": {"outbox_since": now, "outbox": [entry]},
        "published": {"outbox": []},
    }.items():
        await database["visits"].insert_one({"_id": id, **facts})
    assert await outboxes.waiting(database, ["visits"], "first") == {("visits", "mine"): [2]}
    assert len(await outboxes.waiting(database, ["visits"])) == 3


class Client:
    """Plans and moves visits."""

    def __init__(self) -> None:
        self.planned = 0

    async def ask(self, kind: str, *_: Any, **__: Any) -> Any:
        """It is done."""
        self.planned += kind == "plan-visit"
        return SimpleNamespace(acknowledged=True, body={"id": f"v{self.planned}"}, version=1)


async def stood(monkeypatch: pytest.MonkeyPatch, *in_hand: Mapping[Any, Any]) -> tuple[Any, list[str]]:
    """What comes of looks at what is in hand, one after the other; and who was told to go on."""
    looks, went_on = list(in_hand), list[str]()
    happened = SimpleNamespace(pid=7, holder="companies-of-the-first")

    async def obey(*_: Any, **wanted: Any) -> int:
        assert wanted["key"]
        return 1

    async def stopped(*_: Any) -> Any:
        return happened

    async def waiting(_: Any, __: Any, holder: str = "") -> Mapping[Any, Any]:
        return looks.pop(0) if holder == happened.holder else {}

    async def go_on(_: Any, instance: str) -> None:
        went_on.append(instance)

    async def found(*_: Any) -> dict[str, str]:
        return {"_id": "c1"}

    monkeypatch.setattr(frozen.hands, "obey", obey)
    monkeypatch.setattr(frozen.hands, "stopped", stopped)
    monkeypatch.setattr(frozen.outboxes, "waiting", waiting)
    monkeypatch.setattr(frozen, "_go_on", go_on)
    companies = {"companies": SimpleNamespace(find_one=found)}
    layout = SimpleNamespace(instances=lambda _: ["companies", "companies-2"])  # pyright: ignore[reportUnknownLambdaType]
    rig = SimpleNamespace(layout=layout, database=lambda _: companies, ended_at=3.0, say=lambda _: None)  # pyright: ignore[reportUnknownLambdaType]
    client = cast("Any", Client())
    return await frozen._stopped(cast("Any", rig), frozen.Random(1), "send", client, client), went_on  # pyright: ignore[reportPrivateUsage]


async def test_who_stops_without_the_visit_in_hand_goes_on_and_another_is_tried(monkeypatch: pytest.MonkeyPatch):
    others: dict[Any, Any] = {("visits", "somebody's"): [1]}
    (found, moving, vain), went_on = await stood(monkeypatch, {}, others, others | {("visits", "v3"): [2]})
    assert (found.visit, found.since, vain) == ("v3", 3.0, 2)
    assert set(found.in_hand) == {("visits", "somebody's"), ("visits", "v3")}
    assert went_on == ["companies"] * 2
    await moving


async def test_who_never_has_it_in_hand_proves_nothing(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(NotDone):
        await stood(monkeypatch, *[{}] * frozen.TRIES)
