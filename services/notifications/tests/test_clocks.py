"""Senders whose clocks are ten minutes apart: nothing waits for ten minutes, and nothing is sent twice."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from uuid import UUID, uuid4

import pytest
import time_machine
from notifications.notification import StartSending
from tyrsky import effects
from tyrsky.drafting import Ask

from .conftest import Office, until
from .receiver import HANG, TAKEN, receiving

pytestmark = pytest.mark.stack

TEN_MINUTES = timedelta(minutes=10)


async def sent(office: Office, id: UUID) -> bool:
    return await office.status(id) == "sent"


async def sending(office: Office, id: UUID) -> bool:
    return await office.status(id) == "sending"


async def test_what_another_is_sending_is_left_to_it_though_its_clock_is_behind(office: Office) -> None:
    async with receiving() as receiver, office.sender(receiver.port, smtp_seconds=2):
        receiver.at_data = chain([HANG], repeat(TAKEN))
        with time_machine.travel(datetime.now(UTC) - TEN_MINUTES, tick=True):
            id = await office.accept()
            await until(lambda: sending(office, id))
        async with office.sender(receiver.port, office.client):
            await asyncio.sleep(1)  # it looks ten times
            found = (await office.look(id)).state
            assert (found.status, found.attempts, found.unsure) == ("sending", 1, False)


async def test_what_died_with_a_clock_that_was_ahead_is_sent_soon(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "LEASE_SECONDS_OVER", 0.5)
    ahead = datetime.now(UTC) + TEN_MINUTES
    with time_machine.travel(ahead, tick=True):
        id = await office.accept()
    start = StartSending(notification_id=id, now=ahead, attempt=1, lease_until=ahead + timedelta(seconds=42))
    await office.decider.carry_out(Ask(start, uuid4(), "vaao"))
    async with receiving() as receiver, office.sender(receiver.port, smtp_seconds=1):
        await until(lambda: sent(office, id), seconds=15)
    found = (await office.look(id)).state
    assert (found.attempts, found.unsure) == (2, True)


async def test_what_was_accepted_by_a_clock_that_was_ahead_is_sent_at_once(office: Office) -> None:
    with time_machine.travel(datetime.now(UTC) + TEN_MINUTES, tick=True):
        id = await office.accept()
    async with receiving() as receiver, office.sender(receiver.port):
        await until(lambda: sent(office, id), seconds=10)
        assert len(receiver.message_ids) == 1
