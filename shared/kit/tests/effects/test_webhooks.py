"""Webhooks called over real HTTP, for dispatches in the real store."""

# pyright: reportPrivateUsage=false

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pymongo import AsyncMongoClient
from tyrsky import effects
from tyrsky.deciding import Decider
from tyrsky.dispatches import (
    AcceptDispatch,
    Dispatch,
    DispatchCommand,
    RecordDispatchDeferred,
    StartDispatch,
    aggregate,
)
from tyrsky.drafting import Ask
from tyrsky.effects import Effects
from tyrsky.store import Document, Store
from tyrsky.testing.receiver import HANG, SECRET, Receiver, receiving
from tyrsky.webhooks import Settings, Webhook
from tyrsky_contracts import topics
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.event import Envelope

stack = pytest.mark.stack

EVENT = Envelope(
    id=uuid4(),
    type="vaao.room.seat-reserved.v1",
    source="/colleges/vaao/rooms",
    subject="r",
    time=datetime(2026, 9, 1, 12, tzinfo=UTC),
    college="vaao",
    sequence=1,
    correlationid="the-click",
    causationid="x",
)


class Office:
    """Dispatches of one deployment, in a store of their own."""

    def __init__(self, client: AsyncMongoClient[Document], name: str) -> None:
        store = Store(client[name], aggregate)
        self.decider: Decider[Dispatch, DispatchCommand] = Decider(store, Codec(topics.ALL), publish=lambda _: None)

    async def accept(self, id: UUID | None = None, *, college: str = "vaao") -> UUID:
        wish = AcceptDispatch(
            dispatch_id=id or uuid4(), now=datetime.now(UTC), kind="seat.reserved", data={"b": 1, "a": "ä"},
            request=EVENT,
        )  # fmt: skip
        await self.decider.carry_out(Ask(wish, uuid4(), college, cause=EVENT))
        return wish.dispatch_id

    async def look(self, id: UUID) -> Dispatch:
        loaded = await self.decider.store.load("vaao", id)
        assert loaded is not None
        return loaded.state

    async def all_have(self, status: str, *ids: UUID) -> bool:
        return all([(await self.look(id)).status == status for id in ids])

    @asynccontextmanager
    async def at_work(self, url: str, **other: Any) -> AsyncGenerator[Effects[Dispatch, DispatchCommand]]:
        settings = settings_of(webhook_url=url, **other)
        work = Effects(self.decider, Webhook(settings), settings.colleges)
        self.decider.listen(work.hear)
        await work.prepare()
        task = asyncio.create_task(work.run())
        try:
            yield work
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.wait([task], timeout=10)


def settings_of(**other: Any) -> Settings:
    base: dict[str, Any] = {
        "colleges": ["vaao"],
        "oidc_issuer": "http://localhost",
        "webhook_url": "http://127.0.0.1:1",
        "webhook_secret": SECRET,
        "webhook_poll_seconds": 0.1,
        "webhook_retry_seconds": 0.1,
    }
    return Settings(**{**base, **other})


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with AsyncMongoClient[Document](os.environ["MONGO_URI"], tz_aware=True) as client:
        name = f"kit_{uuid4().hex[:12]}"
        yield Office(client, name)
        await client.drop_database(name)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


@stack
async def test_what_is_accepted_is_called_at_once_and_signed(office: Office, receiver: Receiver):
    async with office.at_work(receiver.url, webhook_poll_seconds=60):
        await asyncio.sleep(0.2)  # it has looked, and rests
        id = await office.accept()
        await until(lambda: office.all_have("sent", id), seconds=5)
    (call,) = receiver.calls
    assert call.genuine
    assert call.id == str(id)
    assert call.content == {"type": "seat.reserved", "timestamp": EVENT.time.isoformat(), "data": {"a": "ä", "b": 1}}
    assert call.headers["content-type"] == "application/json"


@stack
async def test_what_is_written_here_is_called_without_a_look_at_the_whole_collection(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    looks: list[int] = []
    async with office.at_work(receiver.url, webhook_poll_seconds=60, webhook_at_once=3) as work:
        await asyncio.sleep(0.2)
        monkeypatch.setattr(work, "_due", lambda: looks.append(1))
        ids = [await office.accept() for _ in range(20)]
        await until(lambda: office.all_have("sent", *ids))
    assert (len(receiver.calls), looks) == (20, [])


@stack
async def test_what_was_put_off_is_called_when_its_time_has_come(office: Office, receiver: Receiver):
    receiver.answers = [503, 503]
    async with office.at_work(receiver.url, webhook_poll_seconds=60):
        id = await office.accept()
        await until(lambda: office.all_have("sent", id), seconds=15)
    assert [call.answer for call in receiver.calls] == [503, 503, 204]


@stack
async def test_what_is_accepted_twice_is_called_once(office: Office, receiver: Receiver):
    async with office.at_work(receiver.url):
        id = await office.accept()
        await until(lambda: office.all_have("sent", id))
        await office.accept(id)
        await asyncio.sleep(0.3)
    assert len(receiver.calls) == 1


@stack
async def test_it_is_called_until_it_is_taken_always_with_the_same_id_and_body(office: Office, receiver: Receiver):
    receiver.answers = [503, 302, 404]
    async with office.at_work(receiver.url):
        id = await office.accept()
        await until(lambda: office.all_have("sent", id))
    assert [call.answer for call in receiver.calls] == [503, 302, 404, 204]
    assert len({(call.id, call.body) for call in receiver.calls}) == 1
    dispatch = await office.look(id)
    assert (dispatch.attempts, dispatch.unsure) == (4, False)


@stack
async def test_a_receiver_that_hangs_holds_up_nobody_else(office: Office, receiver: Receiver):
    receiver.answers = [HANG]
    async with office.at_work(receiver.url, webhook_seconds=0.5, webhook_at_once=2):
        ids = [await office.accept() for _ in range(5)]
        await until(lambda: office.all_have("sent", *ids))
    unsure = [id for id in ids if (await office.look(id)).unsure]
    assert [str(id) for id in unsure] == [receiver.calls[0].id]
    assert len(receiver.calls) == 6


@stack
async def test_a_receiver_that_says_gone_is_not_called_again(office: Office, receiver: Receiver):
    receiver.answers = [410]
    async with office.at_work(receiver.url):
        id = await office.accept()
        await until(lambda: office.all_have("refused", id))
        await asyncio.sleep(0.3)
    assert (len(receiver.calls), (await office.look(id)).reason) == (1, "http-410")


@stack
async def test_a_receiver_that_is_away_is_called_when_it_is_back(office: Office):
    async with office.at_work("http://127.0.0.1:1", webhook_retry_seconds=60):
        id = await office.accept()
        await until(lambda: office.all_have("accepted", id))

        async def tried() -> bool:
            return (await office.look(id)).reason is not None

        await until(tried)
    dispatch = await office.look(id)
    assert (dispatch.reason, dispatch.unsure) == ("connection-failed", False)


@stack
async def test_of_several_processes_one_calls(office: Office, receiver: Receiver):
    async with office.at_work(receiver.url), office.at_work(receiver.url), office.at_work(receiver.url):
        ids = [await office.accept() for _ in range(30)]
        await until(lambda: office.all_have("sent", *ids))
    assert sorted(call.id for call in receiver.calls) == sorted(str(id) for id in ids)


@stack
async def test_a_claim_of_a_process_that_died_runs_out(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(effects, "LEASE_SECONDS_OVER", 0.3)
    receiver.answers = [HANG]
    async with office.at_work(receiver.url, webhook_seconds=0.5) as dies:
        monkeypatch.setattr(dies, "_record", never)
        id = await office.accept()
        await until(lambda: office.all_have("sending", id))
    async with office.at_work(receiver.url):
        await until(lambda: office.all_have("sent", id))
    assert (len(receiver.calls), (await office.look(id)).unsure) == (2, True)


@stack
async def test_a_takeover_that_comes_too_late_leaves_the_pause(office: Office, receiver: Receiver):
    id, now = await office.accept(), datetime.now(UTC)
    about: dict[str, Any] = {"now": now, "dispatch_id": id, "attempt": 1}
    start = StartDispatch(**about, lease_until=now + timedelta(seconds=40))
    await office.decider.carry_out(Ask(start, uuid4(), "vaao"))
    found = await office.decider.store.load("vaao", id)
    assert found
    deferred = RecordDispatchDeferred(**about, reason="http-503", retry_at=now + timedelta(seconds=30))
    await office.decider.carry_out(Ask(deferred, uuid4(), "vaao"))
    work = Effects(office.decider, Webhook(settings_of(webhook_url=receiver.url)), ["vaao"])
    assert await work._claim(found) is None


@stack
async def test_as_many_are_called_at_a_time_as_may_be(office: Office, receiver: Receiver):
    """The client's own limit is 100, and what waits for a place would have been written down as perhaps sent."""
    receiver.answers = [HANG] * 130
    async with office.at_work(receiver.url, webhook_at_once=130, webhook_seconds=7) as work:
        ids = [await office.accept() for _ in range(130)]
        async with asyncio.timeout(5):
            while len(receiver.calls) < 130:
                await asyncio.sleep(0.05)
        await until(lambda: office.all_have("sent", *ids))
        effect: Any = work._effect
    assert effect._client is None  # closed at the stop


async def never(*_: object) -> None:
    """It died before it could write anything down."""


@stack
async def test_another_deployments_dispatches_are_left_alone(office: Office, receiver: Receiver):
    async with office.at_work(receiver.url):
        await office.accept(college="tredu")
        ours = await office.accept()
        await until(lambda: office.all_have("sent", ours))
    assert [call.id for call in receiver.calls] == [str(ours)]
