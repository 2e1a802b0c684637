"""Senders that are killed, with messages in hand."""

import asyncio
import sys
from collections import Counter
from uuid import UUID

import pytest

from .conftest import Office, until
from .receiver import Receiver, receiving

pytestmark = pytest.mark.stack

SENDER = """
import asyncio, sys
from notifications import notification
from notifications.sending import Sending
from notifications.settings import Settings
from notifications.silence import Silence
from pymongo import AsyncMongoClient
from tyrsky import effects
from tyrsky.deciding import Decider
from tyrsky.store import Store
from tyrsky_contracts import topics
from tyrsky_contracts.codec import Codec

uri, database, port = sys.argv[1:]
effects.LEASE_SECONDS_OVER = 0.5

async def main():
    client = AsyncMongoClient(uri, tz_aware=True)
    decider = Decider(Store(client[database], notification.aggregate), Codec(topics.ALL), publish=lambda _: None)
    settings = Settings(
        colleges=["vaao"], oidc_issuer="http://localhost", smtp_port=int(port), smtp_seconds=5, mail_poll_seconds=0.1,
        mail_retry_seconds=0.1,
    )
    await effects.Effects(decider, Sending(settings, Silence(client[database])), settings.colleges).run()

asyncio.run(main())
"""

COUNT = 80
KILLS = 4
PATIENCE_SECONDS = 60  # a process that starts on a busy machine


async def test_nothing_is_lost_and_what_may_have_come_twice_is_known(office: Office, mongo_uri: str):
    ids = [await office.accept() for _ in range(COUNT)]
    async with receiving() as receiver:
        receiver.delay_seconds = 0.03
        for _ in range(KILLS):
            await kill_one_that_has_sent(receiver, 8, mongo_uri, office.name)
        async with office.sender(receiver.port):
            await until(lambda: all_sent(office), seconds=PATIENCE_SECONDS)
    came = Counter(UUID(message_id[1:37]) for message_id in receiver.message_ids)
    assert set(came) == set(ids)
    unsure = {id for id in ids if (await office.look(id)).state.unsure}
    assert {id for id, times in came.items() if times > 1} <= unsure
    # Who was killed held four messages at most.
    assert 0 < len(unsure) <= KILLS * 4
    assert max(came.values()) <= 1 + KILLS


async def kill_one_that_has_sent(receiver: Receiver, count: int, mongo_uri: str, database: str) -> None:
    before = len(receiver.taken)
    sender = await asyncio.create_subprocess_exec(sys.executable, "-c", SENDER, mongo_uri, database, str(receiver.port))

    async def has_sent() -> bool:
        assert sender.returncode is None
        return len(receiver.taken) >= before + count

    try:
        await until(has_sent, seconds=PATIENCE_SECONDS)
    finally:
        sender.kill()
        await sender.wait()


async def all_sent(office: Office) -> bool:
    return await office.decider.store.collection.count_documents({"state.status": "sent"}) == COUNT
