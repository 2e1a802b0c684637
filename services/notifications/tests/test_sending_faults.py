"""What goes wrong on our side: addresses that are none, documents that cannot be read, rivals for a document."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from notifications.notification import Notification
from tyrsky import deciding
from tyrsky.store import Change, Document, Saved

from .conftest import Office, until
from .known import an_invitation
from .receiver import receiving

pytestmark = pytest.mark.stack


async def sent(office: Office, id: UUID) -> bool:
    return await has(office, id, "sent")


async def has(office: Office, id: UUID, status: str) -> bool:
    return await office.status(id) == status


async def all_sent(office: Office, ids: list[UUID]) -> bool:
    return all([await sent(office, id) for id in ids])


async def test_a_domain_of_letters_gets_its_mail(office: Office):
    async with receiving() as receiver, office.sender(receiver.port):
        id = await office.accept(an_invitation(to_email="info@hämeenlinna.fi"))
        await until(lambda: sent(office, id))
        (taken,) = receiver.taken
    assert taken.rcpt_tos == ["info@xn--hmeenlinna-q5a.fi"]
    assert isinstance(taken.content, bytes)
    assert b"To: Teppo Virtanen <info@xn--hmeenlinna-q5a.fi>\r\n" in taken.content


async def test_an_address_that_is_none_any_more_is_refused(office: Office):
    id = await office.accept()
    await change(office, id, {"state.to_email": "jörg@metalli.example"})
    async with receiving() as receiver, office.sender(receiver.port):
        await until(lambda: has(office, id, "refused"))
        assert receiver.connections == 0
    assert (await office.look(id)).state.reason == "address-malformed"


async def change(office: Office, id: UUID, fields: Document) -> None:
    await office.decider.store.collection.update_one({"_id": str(id)}, {"$set": fields})


async def test_documents_that_cannot_be_read_hold_up_nobody(office: Office, caplog: pytest.LogCaptureFixture):
    broken = [await office.accept() for _ in range(12)]
    for id in broken:
        await change(office, id, {"state.kind": "unheard-of"})
    good = [await office.accept() for _ in range(3)]
    # As long as nobody wakes it, it would look again after a minute; what broke off rests longer.
    async with (
        receiving() as receiver,
        office.sender(receiver.port, mail_at_once=2, mail_poll_seconds=60, mail_retry_seconds=60),
    ):
        await until(lambda: all_sent(office, good), seconds=5)
    told = [record.getMessage() for record in caplog.records if record.name == "tyrsky.effects"]
    assert sorted(told) == sorted(f"notification {id}: an attempt broke off: ValidationError" for id in broken)


async def test_what_broke_off_is_sent_when_it_can_be_read(office: Office):
    id = await office.accept()
    await change(office, id, {"state.kind": "unheard-of"})
    async with receiving() as receiver, office.sender(receiver.port):
        await asyncio.sleep(0.5)
        await change(office, id, {"state.kind": "visit-invitation"})
        await until(lambda: sent(office, id))
        assert receiver.message_ids == [f"<{id}@tyrsky.example>"]


async def test_what_became_of_it_is_written_down_though_others_want_the_notification(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    store, rivals = office.decider.store, [1, 2, 3]
    save = store.save

    async def be_slower_than_a_rival(college: str, id: UUID, before: Any, after: Change[Notification]) -> Saved:
        if after.state.ended_at and rivals:
            await store.collection.update_one({"_id": str(id)}, {"$inc": {"version": rivals.pop()}})
        return await save(college, id, before, after)

    monkeypatch.setattr(store, "save", be_slower_than_a_rival)
    monkeypatch.setattr(deciding, "CONFLICTS_MAX", 1)  # so that each of them makes it busy
    async with receiving() as receiver, office.sender(receiver.port):
        id = await office.accept()
        await until(lambda: sent(office, id))
        assert (receiver.message_ids, rivals) == ([f"<{id}@tyrsky.example>"], [])
