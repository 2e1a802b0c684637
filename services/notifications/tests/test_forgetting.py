"""Whoever is erased in companies is forgotten here: in messages, sent or not, and in requests nobody could take."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from notifications.forgetting import REQUESTS, Forgetting
from notifications.notification import RecordSent, StartSending
from notifications.policies import accept_the_request
from notifications.sending import Sending
from notifications.settings import Settings
from notifications.silence import Silence
from tyrsky.deciding import Decider
from tyrsky.deliveries import Message
from tyrsky.drafting import Ask
from tyrsky.effects import Outcome
from tyrsky.service import Service
from tyrsky_contracts.contacts import ContactErased, ContactObjected
from tyrsky_contracts.event import Envelope, Event
from tyrsky_contracts.notifications import NotificationRequested
from tyrsky_contracts.topics import notification_requests

from .conftest import Office
from .known import an_invitation

pytestmark = pytest.mark.stack

TEPPO, OTHER = uuid4(), uuid4()


class Desk:
    """The service, put together on the office's store, and what happens to it."""

    def __init__(self, office: Office, mongo_uri: str) -> None:
        settings: dict[str, Any] = {"colleges": ["vaao", "sasky"], "oidc_issuer": "http://localhost"}
        self.office = office
        self.service = Service(
            "notifications",
            Settings(**settings, mongo_uri=mongo_uri, mongo_database=office.name),  # pyright: ignore[reportArgumentType]
        )
        silence = Silence(self.service.database)
        self.sending = Sending(Settings(**settings, smtp_port=1, smtp_seconds=1), silence)
        self.service.sends(self.sending)
        self.forgetting = Forgetting(self.service, silence)

    async def told(self, contact: UUID, college: str = "vaao") -> UUID:
        return await self.office.accept(an_invitation(contact_id=contact), college=college)

    async def hears(self, event: Event, college: str = "vaao") -> None:
        about = envelope(event, college)
        for _, id, command in await self.forgetting.policies.commands(event, about):
            await self.service.deciders.run(command, college=college, command_id=id, cause=about)

    async def attempt(self, id: UUID) -> Outcome:
        """At a mail server that nobody runs."""
        return await self.sending.attempt(await self.office.look(id))

    async def erased(self, contact: UUID = TEPPO) -> None:
        await self.hears(ContactErased(contact_id=contact, company_id=uuid4()))

    async def name(self, id: UUID, college: str = "vaao") -> str:
        return (await self.office.look(id, college=college)).state.to_name


def envelope(event: Event, college: str) -> Envelope:
    return Envelope(
        id=uuid4(),
        type=event.type,
        source=f"/colleges/{college}/contacts",
        subject=str(uuid4()),
        time=datetime.now(UTC),
        college=college,
        sequence=3,
        correlationid="c",
        causationid="c",
    )


def requested(contact: UUID) -> NotificationRequested:
    fields = an_invitation(contact_id=contact).model_dump(include={*NotificationRequested.model_fields})
    return NotificationRequested.model_validate(fields)


@pytest.fixture
def desk(office: Office, mongo_uri: str) -> Desk:
    return Desk(office, mongo_uri)


def test_a_request_says_whom_it_is_for():
    event = requested(TEPPO)
    assert accept_the_request(event, envelope(event, "vaao")).contact_id == TEPPO


async def test_messages_to_who_was_erased_are_to_nobody(desk: Desk):
    waits, of_other = await desk.told(TEPPO), await desk.told(OTHER)
    in_other_college = await desk.told(TEPPO, college="sasky")
    await desk.erased()
    assert (await desk.name(waits), await desk.office.status(waits)) == ("", "refused")
    assert (await desk.name(of_other), await desk.office.status(of_other)) == ("Teppo Virtanen", "accepted")
    assert await desk.name(in_other_college, "sasky") == "Teppo Virtanen"
    document = str(await desk.service.database["notifications"].find_one({"_id": str(waits)})).lower()
    assert "teppo" not in document
    assert [each["topic"] for each in await desk.office.outbox(waits)] == ["notifications"]


async def test_to_hear_it_twice_is_once(desk: Desk):
    id = await desk.told(TEPPO)
    await desk.erased()
    version = (await desk.office.look(id)).version
    await desk.erased()
    assert (await desk.office.look(id)).version == version


async def test_a_request_that_nobody_could_take_is_dropped(desk: Desk):
    letters, now = desk.service.letters, datetime.now(UTC)
    for offset, contact in enumerate((TEPPO, OTHER)):
        body = requested(contact).model_dump_json().encode()
        message = Message(notification_requests.name, 0, offset, str(contact), (), body)
        await letters.put(REQUESTS, notification_requests, message, KeyError("x"), attempts=3, due_at=now)
    await desk.erased()
    assert [key for _, key in await letters.parked(REQUESTS, [(notification_requests.name, str(TEPPO))])] == []
    assert len(await letters.counts()) == 1


async def test_what_has_ended_for_long_enough_is_to_nobody(desk: Desk):
    decider: Decider[Any, Any] = desk.office.decider
    id, young = await desk.told(TEPPO), await desk.told(OTHER)
    for each in (id, young):
        now = datetime.now(UTC)
        start = StartSending(notification_id=each, now=now, attempt=1, lease_until=now + timedelta(minutes=1))
        await decider.carry_out(Ask(start, uuid4(), "vaao"))
        await decider.carry_out(Ask(RecordSent(notification_id=each, now=now, attempt=1), uuid4(), "vaao"))
    long_ago = datetime.now(UTC) - timedelta(days=1)
    await decider.store.collection.update_one({"_id": str(id)}, {"$set": {"state.forget_at": long_ago}})
    await desk.forgetting.once()
    assert [await desk.name(each) for each in (id, young)] == ["", "Teppo Virtanen"]
    assert await desk.office.status(id) == "sent"


async def test_messages_from_before_get_a_day(desk: Desk):
    notifications = desk.service.database["notifications"]
    await notifications.insert_many(
        [
            {"_id": "ended", "state": {"ended_at": datetime.now(UTC)}},
            {"_id": "waits", "state": {"ended_at": None}},
        ]
    )
    for _ in range(2):
        await desk.forgetting.prepare()
    assert "forget_at" in (await notifications.find_one({"_id": "ended"}) or {})["state"]
    assert "forget_at" not in (await notifications.find_one({"_id": "waits"}) or {})["state"]


async def test_a_request_that_is_read_after_the_erasure_is_not_carried_out_and_forgotten(desk: Desk):
    now = datetime.now(UTC)
    asked = envelope(requested(TEPPO), "vaao").model_copy(update={"time": now - timedelta(minutes=1)})
    await desk.erased()
    late = await desk.office.accept(an_invitation(contact_id=TEPPO, request=asked))
    outcome = await desk.attempt(late)
    assert (outcome.status, outcome.reason) == ("refused", "recipient-erased")
    start = StartSending(notification_id=late, now=now, attempt=1, lease_until=now + timedelta(minutes=1))
    decider: Decider[Any, Any] = desk.office.decider
    await decider.carry_out(Ask(start, uuid4(), "vaao"))
    claimed = await desk.office.look(late)
    await decider.carry_out(Ask(desk.sending.news(claimed, outcome, now, now), uuid4(), "vaao"))
    assert (await desk.name(late), await desk.office.status(late)) == ("", "refused")


async def test_what_waits_when_somebody_objects_is_not_sent_and_what_is_asked_for_later_is(desk: Desk):
    """Who asks later has asked whether they may: the person may have consented since."""
    waits, of_other = await desk.told(TEPPO), await desk.told(OTHER)
    elsewhere = await desk.told(TEPPO, college="sasky")
    for _ in range(2):
        await desk.hears(ContactObjected(contact_id=TEPPO, hash="ab" * 32, at=datetime.now(UTC)))
    soon = datetime.now(UTC) + timedelta(seconds=1)
    later = await desk.office.accept(an_invitation(contact_id=TEPPO, now=soon))
    assert (await desk.attempt(waits)).reason == "recipient-objected"
    assert (await desk.name(waits)) == "Teppo Virtanen"
    for id in (of_other, later):
        assert (await desk.attempt(id)).status == "deferred"  # nobody runs the mail server
    sasky = await desk.office.look(elsewhere, college="sasky")
    assert (await desk.sending.attempt(sasky)).status == "deferred"


async def test_an_objection_heard_twice_or_late_does_not_move_back(desk: Desk):
    silence, now = Silence(desk.service.database), datetime.now(UTC)
    await silence.begin("vaao", TEPPO, "recipient-objected", now + timedelta(minutes=1))
    await silence.begin("vaao", TEPPO, "recipient-objected", now - timedelta(minutes=1))
    assert await silence.about(await desk.office.look(await desk.told(TEPPO))) == "recipient-objected"
