"""Commands carried out against the real store: once each, together when they wait together, in whatever order."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky import drafting
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.deciding import Decider, Deciders
from tyrsky.drafting import Ask, Done
from tyrsky.store import Claim, Document, Loaded, Store
from tyrsky_contracts.event import Envelope

from .room import OpenRoom, Room, RoomCommand, TakeSeat, codec, room

pytestmark = pytest.mark.stack

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ROOM = uuid4()


def view(loaded: Loaded[Room]) -> Document:
    return {"left": loaded.state.left, "version": loaded.version}


def ask(command: RoomCommand, *, id: UUID | None = None, fingerprint: str = "", **about: int) -> Ask[Room, RoomCommand]:
    version = about.get("version")
    return Ask(command, id or uuid4(), "vaao", fingerprint, answer=view, expected_version=version, at=NOW)


def take(guest: str) -> TakeSeat:
    return TakeSeat(room_id=ROOM, guest=guest)


class Rig:
    """A decider and what it would publish."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self.claims: list[Claim] = []
        self.decider = Decider(Store(database, room, lambda: "a-relay"), codec("rooms"), self.claims.append)

    async def opened(self, seats: int) -> None:
        await self.decider.carry_out(ask(OpenRoom(room_id=ROOM, seats=seats)))

    async def document(self) -> Document:
        found = await self.decider.store.collection.find_one({"_id": str(ROOM)})
        assert found is not None
        return found


@pytest.fixture
def rig(database: AsyncDatabase[Document]) -> Rig:
    return Rig(database)


async def test_five_hundred_guests_for_a_hundred_seats(rig: Rig) -> None:
    await rig.opened(100)
    asks = [rig.decider.carry_out(ask(take(f"guest {number}"))) for number in range(500)]
    outcomes = await asyncio.gather(*asks, return_exceptions=True)
    assert sum(isinstance(outcome, Done) for outcome in outcomes) == 100
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    assert {(refusal.code, refusal.field) for refusal in refusals} == {("room-full", "guest")}
    assert len(refusals) == 400
    document = await rig.document()
    assert document["state"]["left"] == 0
    assert [entry["sequence"] for entry in document["outbox"]] == list(range(1, 102))
    assert document["version"] == 201  # two happenings a seat


async def test_two_processes_on_one_aggregate_lose_nothing(database: AsyncDatabase[Document]) -> None:
    first, second = Rig(database), Rig(database)
    await first.opened(60)
    asks = [(first if number % 2 else second).decider.carry_out(ask(take(f"guest {number}"))) for number in range(60)]
    await asyncio.gather(*asks)
    document = await first.document()
    assert document["state"]["left"] == 0
    assert sorted(document["state"]["guests"]) == sorted(f"guest {number}" for number in range(60))
    assert [entry["sequence"] for entry in document["outbox"]] == list(range(1, 62))


async def test_the_same_wish_gets_the_same_answer_also_when_things_have_changed_since(rig: Rig) -> None:
    await rig.opened(5)
    wish = uuid4()
    first = await rig.decider.carry_out(ask(take("Aino"), id=wish, fingerprint="a"))
    await rig.decider.carry_out(ask(take("Eino")))
    again = await rig.decider.carry_out(ask(take("Aino"), id=wish, fingerprint="a"))
    assert first == Done(3, {"left": 4, "version": 3})
    assert again == Done(3, {"left": 4, "version": 3}, replayed=True)


async def test_the_answer_survives_a_crash_between_commit_and_reply(database: AsyncDatabase[Document]) -> None:
    before, after = Rig(database), Rig(database)
    await before.opened(5)
    wish = uuid4()
    lost = asyncio.ensure_future(before.decider.carry_out(ask(take("Aino"), id=wish)))
    while (await before.document())["version"] == 1:
        await asyncio.sleep(0.005)
    lost.cancel()  # nobody hears of it, and the process's memory is gone with it
    again = await after.decider.carry_out(ask(take("Aino"), id=wish))
    assert again == Done(3, {"left": 4, "version": 3}, replayed=True)
    assert (await after.document())["state"]["guests"] == ["Aino"]


async def test_a_key_is_not_for_two_wishes(rig: Rig) -> None:
    await rig.opened(5)
    wish = uuid4()
    await rig.decider.carry_out(ask(take("Aino"), id=wish, fingerprint="a"))
    with pytest.raises(Rejected, match="key-reused"):
        await rig.decider.carry_out(ask(take("Eino"), id=wish, fingerprint="b"))


async def test_the_same_wish_twice_at_once_is_done_once(rig: Rig) -> None:
    await rig.opened(5)
    wish = uuid4()
    outcomes = await asyncio.gather(*(rig.decider.carry_out(ask(take("Aino"), id=wish)) for _ in range(5)))
    assert {outcome.version for outcome in outcomes} == {3}
    assert [outcome.replayed for outcome in outcomes].count(False) == 1


async def test_a_stale_version_is_refused_and_the_right_one_taken(rig: Rig) -> None:
    await rig.opened(5)
    assert (await rig.decider.carry_out(ask(take("Aino"), version=1))).version == 3
    with pytest.raises(Rejected, match="version-stale"):
        await rig.decider.carry_out(ask(take("Eino"), version=1))
    with pytest.raises(Unknown):
        await rig.decider.carry_out(ask(TakeSeat(room_id=uuid4(), guest="Aino"), version=1))


async def test_of_two_changes_to_one_version_that_wait_together_one_is_made(rig: Rig) -> None:
    await rig.opened(5)
    outcomes = await asyncio.gather(
        *(rig.decider.carry_out(ask(take(guest), version=1)) for guest in ("Aino", "Eino")), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [Done, Rejected]


async def test_one_commands_bug_is_not_the_others(rig: Rig) -> None:
    await rig.opened(5)
    good, bad = await asyncio.gather(
        rig.decider.carry_out(ask(take("Aino"))), rig.decider.carry_out(ask(take("a bug"))), return_exceptions=True
    )
    assert isinstance(good, Done)
    assert isinstance(bad, ZeroDivisionError)


async def test_what_changes_nothing_writes_nothing(rig: Rig) -> None:
    await rig.opened(5)
    await rig.decider.carry_out(ask(take("Aino")))
    before = await rig.document()
    assert (await rig.decider.carry_out(ask(take("Aino")))).answer == {"left": 4, "version": 3}
    assert await rig.document() == before


async def test_a_policys_command_is_done_once_and_tells_its_cause(rig: Rig) -> None:
    await rig.opened(5)
    cause = Envelope(
        id=uuid4(), type="tyrsky.room.opened.v1", source="/colleges/vaao/rooms", subject="x", time=NOW,
        college="vaao", sequence=1, correlationid="the first click", causationid="c",
    )  # fmt: skip
    deciders = Deciders()
    deciders.add(rig.decider)
    wish = uuid4()
    for _ in range(3):
        await deciders.run(take("Aino"), college="vaao", command_id=wish, cause=cause)
    entries = (await rig.document())["outbox"]
    assert len(entries) == 2
    headers = entries[-1]["headers"]
    assert (headers["ce_correlationid"], headers["ce_causationid"]) == ("the first click", str(cause.id))
    assert headers["ce_time"] == entries[0]["headers"]["ce_time"]  # NOW, as its cause


async def test_a_wish_decided_again_after_its_receipt_is_gone_makes_the_same_event(rig: Rig) -> None:
    wish = uuid4()
    await rig.decider.carry_out(ask(OpenRoom(room_id=ROOM, seats=5), id=wish))
    first = (await rig.document())["outbox"][0]["headers"]["ce_id"]
    await rig.decider.store.collection.delete_one({"_id": str(ROOM)})
    await rig.decider.carry_out(ask(OpenRoom(room_id=ROOM, seats=5), id=wish))
    assert (await rig.document())["outbox"][0]["headers"]["ce_id"] == first


async def test_an_old_command_waits_since_now(rig: Rig) -> None:
    await rig.decider.carry_out(replace(ask(OpenRoom(room_id=ROOM, seats=5)), at=NOW))  # long ago
    document = await rig.document()
    assert datetime.now(UTC) - document["outbox_since"] < timedelta(seconds=5)
    assert document["outbox"][0]["headers"]["ce_time"].startswith("2026-05-04T12")


async def test_a_refusal_is_no_error_in_the_trace_and_a_bug_is(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(drafting, "tracer", provider.get_tracer("test"))
    await rig.opened(1)
    await rig.decider.carry_out(ask(take("Aino")))
    for guest in ("Eino", "a bug"):
        with pytest.raises((Rejected, ZeroDivisionError)):
            await rig.decider.carry_out(ask(take(guest)))
    *_, refusal, bug = spans.get_finished_spans()
    assert (refusal.name, refusal.status.status_code is not StatusCode.ERROR) == ("decide TakeSeat", True)
    assert dict(refusal.attributes or {}) == {"tyrsky.rejected": "room-full"}
    assert (bug.status.status_code is StatusCode.ERROR, dict(bug.attributes or {})) == (
        True,
        {"error.type": "ZeroDivisionError"},
    )
    assert not bug.events  # an exception may name somebody


async def test_nothing_is_left_in_memory(rig: Rig) -> None:
    await rig.opened(5)
    await asyncio.gather(*(rig.decider.carry_out(ask(take(f"guest {number}"))) for number in range(4)))
    await rig.decider.drained()
    assert vars(rig.decider)["_queues"] == {}
