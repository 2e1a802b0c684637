"""What was in hand while the partitions were shared out anew is not committed afterwards; no server."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from tyrsky import consuming
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.consuming import Consumer, kafka_broker
from tyrsky.deliveries import Edition, Message
from tyrsky.inbox import Inbox
from tyrsky.policies import PolicyReaction
from tyrsky_contracts import topics
from tyrsky_contracts.codec import Codec

from .rig import noting

AT = TopicPartition("companies", 0)
NOBODY: Any = None


class Client:
    """A consumer that Kafka lets commit whatever it says."""

    def __init__(self) -> None:
        self.committed: dict[TopicPartition, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return {AT}

    async def position(self, at: TopicPartition) -> int:
        return 3

    async def commit(self, offsets: Mapping[TopicPartition, tuple[int, str]]) -> None:
        self.committed |= {at: offset for at, (offset, _) in offsets.items()}


class Slow(Inbox):
    """Its batch lasts until it is told that it may end."""

    def __init__(self) -> None:
        super().__init__(PolicyReaction(noting(), NOBODY, ["vaao"]), NOBODY, Codec(topics.ALL), ConsumerSettings())
        self.began, self.may_end = asyncio.Event(), asyncio.Event()

    async def take(self, messages: Iterable[Message], edition: Edition) -> None:
        self.began.set()
        await self.may_end.wait()


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def inbox() -> Slow:
    return Slow()


@pytest.fixture
def consumer(client: Client, inbox: Slow, monkeypatch: pytest.MonkeyPatch) -> Consumer:
    monkeypatch.setattr(consuming, "REBALANCE_SECONDS", 0.03)
    consumer = Consumer(kafka_broker("127.0.0.1:9", stop_seconds=1), inbox, NOBODY, ConsumerSettings())
    monkeypatch.setattr(type(consumer._subscriber), "consumer", client, raising=False)
    return consumer


def batch() -> tuple[Any, ...]:
    made: Any = ConsumerRecord(AT.topic, AT.partition, 2, 0, 0, b"k", b"{}", None, 1, 2, ())
    return (made,)


async def test_a_batch_is_committed_before_others_get_its_partitions(
    client: Client, inbox: Slow, consumer: Consumer
) -> None:
    inbox.may_end.set()
    await consumer._take(batch())
    assert client.committed == {AT: 3}


async def test_one_that_was_in_hand_for_too_long_is_not_committed_under_the_new_name(
    client: Client, inbox: Slow, consumer: Consumer
) -> None:
    taking = asyncio.create_task(consumer._take(batch()))
    await inbox.began.wait()
    await consumer.on_partitions_revoked([AT])
    await consumer.on_partitions_assigned([AT])
    inbox.may_end.set()
    await taking
    assert not client.committed  # it comes again, and changes nothing


async def test_nor_is_one_that_comes_while_it_is_shared_out_nor_an_end_without_messages(
    client: Client, inbox: Slow, consumer: Consumer
) -> None:
    inbox.may_end.set()
    await consumer.on_partitions_revoked([AT])
    await consumer._take(batch())
    await consumer.pass_over({(AT.topic, AT.partition): 9})
    assert not client.committed
    await consumer.on_partitions_assigned([AT])
    await consumer._take(batch())
    assert client.committed == {AT: 3}
    await consumer.pass_over({(AT.topic, AT.partition): 9})
    assert client.committed == {AT: 9}
