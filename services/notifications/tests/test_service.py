"""The whole service: requests from a real Kafka, a real store, a real mail server, and its API."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx2
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from notifications import api, notification
from notifications.notification import Notification, NotificationCommand
from notifications.policies import accept_the_request
from notifications.sending import Sending
from notifications.settings import Settings
from notifications.silence import Silence
from pymongo import AsyncMongoClient
from tyrsky.policies import Policies
from tyrsky.service import Service
from tyrsky.store import Document, Store
from tyrsky.testing.tokens import Authority
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.event import Envelope
from tyrsky_contracts.notifications import (
    NotificationRefused,
    NotificationRequested,
    NotificationSent,
    VisitInvitation,
)
from tyrsky_contracts.topics import Topic

from .conftest import until
from .receiver import HANG, Receiver, receiving

pytestmark = pytest.mark.stack

VISIT = uuid4()


@dataclass
class Place:
    """The service at work, with what is around it."""

    topic: str
    codec: Codec
    producer: AIOKafkaProducer
    bootstrap: str
    receiver: Receiver
    authority: Authority
    web: httpx2.AsyncClient
    store: Store[Notification, NotificationCommand]
    stop: Callable[[], Awaitable[None]]

    async def ask(self, *, college: str = "vaao", id: UUID | None = None, times: int = 1, **other: Any) -> UUID:
        """Request an invitation, ``times`` over; answer with the notification's id."""
        starts_at = datetime.now(UTC) + timedelta(days=14)
        fields: dict[str, Any] = {
            "kind": "visit-invitation",
            "to_email": "teppo.virtanen@metalli.example",
            "to_name": "Teppo Virtanen",
            "language": "sv",
            "about": VISIT,
            "data": VisitInvitation(company_name="X Oy", starts_at=starts_at, ends_at=starts_at + timedelta(hours=1)),
        }
        event = NotificationRequested(**{**fields, **other})
        about = Envelope(
            id=id or uuid4(),
            type=event.type,
            source=f"/colleges/{college}/contacts",
            subject=str(VISIT),
            time=datetime.now(UTC),
            college=college,
            sequence=1,
            correlationid="the-click",
            causationid="x",
        )
        headers, body = self.codec.encode(event, about)
        for _ in range(times):
            await self.producer.send_and_wait(self.topic, body, key=str(VISIT).encode(), headers=headers)
        return uuid5(about.id, "notification")

    async def get(self, path: str, *roles: Any, college: str = "vaao") -> httpx2.Response:
        return await self.web.get(path, headers=self.authority.headers(college, roles or ("outreach",)))

    async def has(self, id: UUID, status: str) -> bool:
        answer = await self.get(f"/notifications/{id}")
        return answer.status_code == 200 and answer.json()["status"] == status

    async def published(self, count: int) -> list[tuple[Any, Envelope]]:
        """What the service told the network, once that is ``count`` events."""
        found: list[tuple[Any, Envelope]] = []
        consumer = AIOKafkaConsumer(self.topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            async with asyncio.timeout(20):
                while len(found) < count:
                    message = await consumer.getone()
                    event, about = self.codec.decode(message.headers, message.value)
                    if not isinstance(event, NotificationRequested):
                        found.append((event, about))
        finally:
            await consumer.stop()
        return found


@pytest.fixture
async def place(mongo_uri: str) -> AsyncIterator[Place]:
    name = f"notifications-{uuid4().hex[:8]}"
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP", "127.0.0.1:19092")
    events = (NotificationRequested, NotificationSent, NotificationRefused)
    topic = Topic(
        name=name, about="A test's.", key="x", events=events, producers=(), consumers=(), retention=None, public=False
    )
    policies = Policies(f"{name}-policies")
    policies.when(NotificationRequested)(accept_the_request)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    with Authority() as authority:
        async with receiving() as receiver:
            settings = Settings(
                colleges=frozenset({"vaao", "sasky"}),
                mongo_uri=mongo_uri,  # pyright: ignore[reportArgumentType] - it becomes a secret
                mongo_database=name,
                kafka_bootstrap=bootstrap,
                oidc_issuer=authority.issuer,
                smtp_port=receiver.port,
                sender_addresses={"vaao": "Valkeakosken ammattiopisto <tyoelama@vaao.example>"},
                smtp_seconds=2,
                stop_seconds=20,
                mail_poll_seconds=60,  # what is sent in these tests is sent because it was accepted
            )
            codec = Codec([topic])
            service = Service("notifications", settings, codec=codec)
            service.serves(api.router)
            service.reacts(policies)
            service.sends(Sending(settings, Silence(service.database)))
            app = service.asgi()
            transport = httpx2.ASGITransport(app)
            async with (
                AsyncMongoClient[Document](mongo_uri) as client,
                httpx2.AsyncClient(transport=transport, base_url="http://test") as web,
                AsyncExitStack() as running,
            ):
                await running.enter_async_context(app.router.lifespan_context(app))
                store = Store(client[name], notification.aggregate)
                yield Place(name, codec, producer, bootstrap, receiver, authority, web, store, running.aclose)
                await running.aclose()
                await client.drop_database(name)
    await producer.stop()
    await admin.delete_topics([name])
    await admin.close()


async def test_a_request_becomes_one_mail_however_often_it_is_delivered(place: Place):
    request = uuid4()
    id = await place.ask(id=request, times=3)
    await until(lambda: place.has(id, "sent"))
    assert await place.ask(id=request, times=2) == id  # once more, when it is over
    last = await place.ask()
    await until(lambda: place.has(last, "sent"))
    assert place.receiver.message_ids == [f"<{id}@vaao.example>", f"<{last}@vaao.example>"]
    (first, about), _ = await place.published(2)
    assert first == NotificationSent(notification_id=id, kind="visit-invitation", about=VISIT, attempts=1)
    assert (about.correlationid, about.causationid, about.college) == ("the-click", str(request), "vaao")


async def test_an_address_that_is_none_is_told_to_the_network_and_seen_in_the_list(place: Place):
    id = await place.ask(to_email="teppo at metalli")
    await until(lambda: place.has(id, "refused"))
    assert (await place.get(f"/notifications/{id}")).json()["reason"] == "address-malformed"
    ((refused, _),) = await place.published(1)
    assert refused.reason == "address-malformed"
    assert place.receiver.connections == 0


async def test_what_was_sent_is_seen_by_the_college_and_the_recipient_by_those_who_contact_people(place: Place):
    id = await place.ask()
    await until(lambda: place.has(id, "sent"))
    path = f"/notifications/{id}"
    for role in ("outreach", "coordinator", "admin"):
        seen = (await place.get(path, role)).json()
        assert seen["to"] == {"name": "Teppo Virtanen", "email": "teppo.virtanen@metalli.example"}
    for place_to_look in (path, "/notifications"):
        answer = await place.get(place_to_look, "operator")
        assert str(id) in answer.text
        assert "irtanen" not in answer.text
        refused = await place.get(place_to_look, "municipal-partner")
        assert (refused.status_code, refused.json()["code"]) == (403, "role-missing")
    seen = (await place.get(path)).json()
    assert (
        seen.items()
        >= {
            "id": str(id),
            "kind": "visit-invitation",
            "about": str(VISIT),
            "language": "sv",
            "status": "sent",
            "attempts": 1,
            "unsure": False,
            "reason": None,
            "next_attempt_at": None,
        }.items()
    )
    assert seen["accepted_at"] <= seen["ended_at"]


async def test_another_colleges_notification_does_not_exist(place: Place):
    id = await place.ask()
    await until(lambda: place.has(id, "sent"))
    answer = await place.get(f"/notifications/{id}", college="sasky")
    assert (answer.status_code, answer.json()["code"]) == (404, "notification-unknown")
    assert (await place.get("/notifications", college="sasky")).json() == {"items": [], "next": None}
    assert (await place.web.get(f"/notifications/{id}")).status_code == 401


async def test_the_list_is_narrowed_sorted_and_read_page_by_page(place: Place):
    good = [await place.ask() for _ in range(3)]
    bad = await place.ask(to_email="none", about=uuid4())
    for id in good:
        await until(lambda id=id: place.has(id, "sent"))
    await until(lambda: place.has(bad, "refused"))

    async def ids(query: str) -> list[str]:
        return [each["id"] for each in (await place.get(f"/notifications?{query}")).json()["items"]]

    assert set(await ids("status=sent")) == {str(id) for id in good}
    assert await ids("status=refused") == [str(bad)]
    assert set(await ids(f"about={VISIT}")) == {str(id) for id in good}
    assert await ids("sort=accepted_at") == list(reversed(await ids("")))
    first = (await place.get("/notifications?limit=3")).json()
    rest = (await place.get(f"/notifications?limit=3&cursor={first['next']}")).json()
    assert {each["id"] for each in first["items"] + rest["items"]} == {str(id) for id in [*good, bad]}
    assert rest["next"] is None
    assert await ids("accepted_from=2020-01-01T00:00:00Z&accepted_before=2020-01-02T00:00:00Z") == []
    wrong = await place.get("/notifications?status=lost")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "request-invalid")


@pytest.mark.parametrize(
    ("name", "moment"),
    [("accepted_from", "0001-01-01T00:00:00%2B14:00"), ("accepted_before", "9999-12-31T23:59:59-14:00")],
)
async def test_a_moment_beyond_the_calendar_is_a_mistake_of_the_caller(place: Place, name: str, moment: str):
    wrong = await place.get(f"/notifications?{name}={moment}")
    assert wrong.status_code == 422
    assert [(each["where"], each["field"]) for each in wrong.json()["errors"]] == [("query", name)]


async def test_what_hangs_at_a_stop_is_given_up_in_time_and_written_down(place: Place):
    place.receiver.at_data = HANG
    id = await place.ask()
    await until(lambda: place.has(id, "sending"))
    await place.stop()
    loaded = await place.store.load("vaao", id)
    assert loaded is not None
    assert (loaded.state.status, loaded.state.reason, loaded.state.unsure) == ("accepted", "timeout", True)
