import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from uuid import UUID, uuid4

import notifications.smtp
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from pymongo import AsyncMongoClient
from tyrsky.store import Document
from tyrsky_contracts.event import Envelope

from .conftest import Office, until
from .known import an_invitation
from .line import line_to
from .receiver import GONE_AFTER_TAKING, HANG, TAKEN, Receiver, receiving

pytestmark = pytest.mark.stack


def message_id(id: UUID) -> str:
    return f"<{id}@tyrsky.example>"


async def test_what_is_accepted_is_sent_at_once(office: Office):
    async with receiving() as receiver, office.sender(receiver.port, mail_poll_seconds=60):
        await asyncio.sleep(0.2)  # it has looked, and rests
        id = await office.accept()
        await until(lambda: sent(office, id), seconds=5)
        assert receiver.message_ids == [message_id(id)]
    notification = (await office.look(id)).state
    assert (notification.attempts, notification.unsure, notification.due_at) == (1, False, None)


async def sent(office: Office, id: UUID) -> bool:
    return await office.status(id) == "sent"


async def test_what_was_accepted_before_the_sender_came_is_sent(office: Office):
    id = await office.accept()
    async with receiving() as receiver, office.sender(receiver.port):
        await until(lambda: sent(office, id))


async def test_what_is_published_carries_no_address_and_goes_on_from_the_request(office: Office):
    asked = Envelope(
        id=uuid4(),
        type="tyrsky.notification.requested.v1",
        source="/colleges/vaao/contacts",
        subject="c",
        time=datetime.now(UTC),
        college="vaao",
        sequence=1,
        correlationid="the-click",
        causationid="x",
    )
    async with receiving() as receiver, office.sender(receiver.port):
        id = await office.accept(an_invitation(request=asked))
        await until(lambda: sent(office, id))
    (event,) = await office.outbox(id)
    assert event["headers"]["ce_type"] == "tyrsky.notification.sent.v1"
    assert event["headers"]["ce_correlationid"] == "the-click"
    assert event["headers"]["ce_causationid"] == str(asked.id)
    assert "@" not in event["body"]
    assert "Virtanen" not in event["body"]


async def test_a_refusal_is_recorded_and_not_tried_again(office: Office):
    async with receiving() as receiver, office.sender(receiver.port):
        receiver.at_recipient = "550 5.1.1 teppo.virtanen@metalli.example is unknown"
        id = await office.accept()
        await until(lambda: has(office, id, "refused"))
        await asyncio.sleep(0.5)  # five looks at what is due
        assert receiver.connections == 1
    assert (await office.look(id)).state.reason == "5.1.1"
    (event,) = await office.outbox(id)
    assert event["headers"]["ce_type"] == "tyrsky.notification.refused.v1"
    assert "@" not in event["body"]


async def has(office: Office, id: UUID, status: str) -> bool:
    return await office.status(id) == status


async def test_what_fails_for_the_moment_is_tried_again(office: Office):
    async with receiving() as receiver, office.sender(receiver.port):
        receiver.at_data = chain(["451 4.7.1 greylisted", "452 4.2.2 full"], repeat(TAKEN))
        id = await office.accept()
        await until(lambda: sent(office, id))
        assert receiver.message_ids == [message_id(id)]
    notification = (await office.look(id)).state
    assert (notification.attempts, notification.unsure, notification.reason) == (3, False, None)


async def test_a_server_that_is_down_gets_the_message_when_it_is_back(office: Office):
    async with receiving() as receiver:
        port = receiver.port
    async with office.sender(port, mail_retry_seconds=0.5):
        id = await office.accept()
        await until(lambda: tried(office, id))
        assert (await office.look(id)).state.reason == "connection-failed"
        async with receiving(port=port) as receiver:
            await until(lambda: sent(office, id))
            assert receiver.message_ids == [message_id(id)]


async def tried(office: Office, id: UUID) -> bool:
    return (await office.look(id)).state.reason is not None


@pytest.mark.parametrize("silence", [HANG, GONE_AFTER_TAKING])
async def test_when_no_answer_comes_it_is_unsure_and_the_same_message_is_sent_again(office: Office, silence: str):
    async with receiving() as receiver, office.sender(receiver.port, smtp_seconds=0.5):
        receiver.at_data = chain([silence], repeat(TAKEN))
        id = await office.accept()
        await until(lambda: sent(office, id))
        assert set(receiver.message_ids) == {message_id(id)}
        assert len({envelope.content for envelope in receiver.taken}) == 1
    assert (await office.look(id)).state.unsure


async def test_of_several_senders_each_message_gets_one(office: Office, mongo_uri: str):
    async with (
        receiving() as receiver,
        AsyncMongoClient[Document](mongo_uri, tz_aware=True) as one,
        AsyncMongoClient[Document](mongo_uri, tz_aware=True) as two,
        office.sender(receiver.port, one, mail_poll_seconds=60) as first,
        office.sender(receiver.port, two, mail_poll_seconds=60) as second,
    ):
        await asyncio.sleep(0.2)  # both have looked, and rest
        ids = [await office.accept() for _ in range(20)]
        first.look()
        second.look()  # so that both find the same
        await until(lambda: all_sent(office, ids))
        assert sorted(receiver.message_ids) == sorted(message_id(id) for id in ids)


async def all_sent(office: Office, ids: list[UUID]) -> bool:
    return all([await sent(office, id) for id in ids])


async def test_no_more_are_sent_at_a_time_than_there_are_places(office: Office):
    ids = [await office.accept() for _ in range(12)]
    async with receiving() as receiver, office.sender(receiver.port, mail_at_once=3):
        receiver.delay_seconds = 0.1
        await until(lambda: all_sent(office, ids))
        assert receiver.at_once_most == 3


async def test_what_is_under_way_is_finished_when_the_sender_stops(office: Office):
    async with receiving() as receiver:
        receiver.delay_seconds = 0.5
        async with office.sender(receiver.port):
            id = await office.accept()
            await until(lambda: has(office, id, "sending"))
        assert await sent(office, id)


async def test_when_the_store_goes_away_after_the_message_is_out_it_is_not_sent_twice(office: Office, mongo_uri: str):
    async with receiving() as receiver, line_to(mongo_uri) as line:
        away: AsyncMongoClient[Document] = AsyncMongoClient(
            line.uri, tz_aware=True, serverSelectionTimeoutMS=200, socketTimeoutMS=1000
        )
        async with away, office.sender(receiver.port, away):
            receiver.delay_seconds = 0.5
            id = await office.accept()
            await until(lambda: has(office, id, "sending"))
            line.cut()
            await until(lambda: taken(receiver, 1))
            await asyncio.sleep(0.5)  # the sender wants to write that down, and cannot
            line.mend()
            await until(lambda: sent(office, id))
        assert len(receiver.taken) == 1
    notification = (await office.look(id)).state
    assert (notification.attempts, notification.unsure) == (1, False)


async def taken(receiver: Receiver, count: int) -> bool:
    return len(receiver.taken) == count


async def test_what_is_too_old_is_not_sent(office: Office):
    long_ago = datetime.now(UTC) - timedelta(days=6)
    async with receiving() as receiver, office.sender(receiver.port):
        id = await office.accept(an_invitation(now=long_ago))
        await until(lambda: has(office, id, "expired"))
        assert receiver.connections == 0


async def test_another_deployments_college_is_left_alone(office: Office):
    async with receiving() as receiver, office.sender(receiver.port):
        theirs = await office.accept(college="tredu")
        ours = await office.accept()
        await until(lambda: sent(office, ours))
        assert (await office.look(theirs, college="tredu")).state.status == "accepted"
        assert receiver.message_ids == [message_id(ours)]


async def test_the_lists_and_what_is_due_have_their_indexes(office: Office):
    async with receiving() as receiver, office.sender(receiver.port):
        found = await office.decider.store.collection.index_information()
    keys = {tuple(name for name, _ in index["key"]) for index in found.values()}
    listed = {("college", "state.accepted_at", "_id"), ("college", "state.about")}
    assert keys >= listed | {("state.status", "state.due_at")}


async def test_the_sending_belongs_to_the_trace_of_the_request(office: Office, monkeypatch: pytest.MonkeyPatch):
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(notifications.smtp, "tracer", provider.get_tracer("test"))
    async with receiving() as receiver, office.sender(receiver.port):
        receiver.at_data = chain(["451 4.7.1 not teppo.virtanen@metalli.example, not now"], repeat(TAKEN))
        id = await office.accept(an_invitation(traceparent=f"00-{'a' * 32}-{'b' * 16}-01"))
        await until(lambda: sent(office, id))
        port = receiver.port
    first, second = spans.get_finished_spans()
    for span in (first, second):
        assert (span.name, span.kind) == ("smtp send", SpanKind.CLIENT)
        assert span.parent is not None
        assert (span.parent.trace_id, span.parent.span_id) == (int("a" * 32, 16), int("b" * 16, 16))
        assert dict(span.attributes or {}).items() >= {"server.address": "127.0.0.1", "server.port": port}.items()
        assert "virtanen" not in span.to_json().lower()
    assert (first.status.is_ok, second.status.is_ok) == (False, True)
    (event,) = await office.outbox(id)
    assert event["headers"]["ce_traceparent"].split("-")[1] == "a" * 32


async def test_nobody_is_named_in_the_log(office: Office, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG, logger="notifications")
    caplog.set_level(logging.DEBUG, logger="tyrsky")
    async with receiving() as receiver, office.sender(receiver.port):
        receiver.at_recipient = chain(["451 4.2.1 teppo.virtanen@metalli.example is busy"], repeat(TAKEN))
        id = await office.accept()
        await until(lambda: sent(office, id))
    assert str(id) in caplog.text
    assert not re.search("virtanen|@", caplog.text, re.IGNORECASE)
