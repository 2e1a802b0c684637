"""A group listens all the time: FastStream's own loop sleeps after a poll without messages."""

# pyright: reportPrivateUsage=false

import time
from typing import Any, cast

from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.consuming import Consumer, kafka_broker
from tyrsky.inbox import Inbox
from tyrsky.policies import PolicyReaction
from tyrsky_contracts import topics
from tyrsky_contracts.codec import Codec

from .rig import noting

POLLS = 10


class Quiet:
    """A client to which nothing comes: it does not wait at all here."""

    async def getmany(self, **_: Any) -> dict[Any, Any]:
        return {}


async def test_between_two_polls_without_messages_nobody_sleeps() -> None:
    nobody: Any = None
    settings = ConsumerSettings()
    inbox = Inbox(PolicyReaction(noting(), nobody, ["vaao"]), nobody, Codec(topics.ALL), settings)
    consumer = Consumer(kafka_broker("127.0.0.1:9", stop_seconds=1), inbox, nobody, settings)
    began = time.monotonic()
    for _ in range(POLLS):
        assert not await consumer._subscriber.get_msg(cast("Any", Quiet()))
    assert time.monotonic() - began < POLLS * 0.1  # FastStream's sleeps for 0.2 s
