"""What becomes of those who die or freeze: the log in memory does with them what Kafka does."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from tests.simulation.either import Kafka, contract
from tests.simulation.member import another

PATIENCE_SECONDS = 40
"""Kafka looks for transactions that took too long every ten seconds, and for members every six here."""

READER: dict[str, Any] = {"isolation_level": "read_committed"}


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    return Kafka(os.environ["KAFKA_BOOTSTRAP"] if request.param == "kafka" else None)


async def until(condition: Callable[[], bool], consumer: Any = None) -> None:
    """Wait; a consumer that is not polled does not take part."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            if consumer:
                await consumer.getmany(timeout_ms=50)
            await asyncio.sleep(0.05)


async def say(kafka: Kafka, producer: Any, value: str, partition: int = 0) -> None:
    await producer.send_and_wait(kafka.topic, value.encode(), key=b"key", partition=partition)


@contract
async def test_what_a_dead_producer_left_open_is_taken_back_by_itself_and_readers_go_on(kafka: Kafka) -> None:
    async with (
        kafka.producer("dies", transaction_timeout_ms=1_000) as dead,
        kafka.producer() as other,
        kafka.consumer(**READER) as reader,
    ):
        reader.assign([kafka.at()])
        await dead.begin_transaction()
        await say(kafka, dead, "never")
        await kafka.dies(dead)
        await say(kafka, other, "waits")
        assert await reader.end_offsets([kafka.at()]) == {kafka.at(): 0}
        batch: list[Any] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not batch:
                batch += (await reader.getmany(timeout_ms=200)).get(kafka.at(), [])
        assert [each.value for each in batch] == [b"waits"]
        assert await reader.end_offsets([kafka.at()]) == {kafka.at(): 3}  # the mark has an offset


@contract
async def test_who_took_too_long_commits_nothing_more(kafka: Kafka) -> None:
    async with kafka.producer("slow", transaction_timeout_ms=1_000) as slow:
        await slow.begin_transaction()
        await say(kafka, slow, "never")
        async with kafka.consumer(**READER) as reader, asyncio.timeout(PATIENCE_SECONDS):
            while (await reader.end_offsets([kafka.at()]))[kafka.at()] != 2:
                await asyncio.sleep(0.1)
        with pytest.raises(KafkaError):
            await slow.commit_transaction()
    assert await kafka.read() == []


@contract
async def test_a_frozen_member_is_out_and_finds_that_when_it_goes_on(kafka: Kafka) -> None:
    async with another(kafka) as member:
        await until(lambda: member.said == ["has 0,1"])
        async with kafka.consumer(group_id=kafka.group, **READER) as consumer:
            consumer.subscribe([kafka.topic])
            await until(lambda: len(consumer.assignment()) == 1 and len(member.said) > 1, consumer)
            member.freeze()
            told = len(member.said)
            await until(lambda: len(consumer.assignment()) == 2, consumer)
            await consumer.commit(dict.fromkeys(consumer.assignment(), (0, "mine")))
            member.thaw()
            await until(lambda: len(consumer.assignment()) == 1, consumer)
            (mine,) = consumer.assignment()
            await until(lambda: member.said[-1] == f"has {1 - mine.partition}", consumer)
            assert "refused" in member.said[told:]


@contract
async def test_what_was_not_committed_comes_again_after_a_rebalance_to_whoever_has_it_now(kafka: Kafka) -> None:
    async with kafka.producer() as producer:
        for partition in range(2):
            for value in ("a", "b", "c"):
                await say(kafka, producer, value, partition)
    async with kafka.consumer(group_id=kafka.group, **READER) as first:
        first.subscribe([kafka.topic])
        seen: dict[TopicPartition, list[bytes]] = {}
        await _read(seen, 6, first)
        await first.commit({kafka.at(0): (1, ""), kafka.at(1): (1, "")})  # and not what came behind
        async with kafka.consumer(group_id=kafka.group, **READER) as second:
            second.subscribe([kafka.topic])
            again: dict[TopicPartition, list[bytes]] = {}
            await _read(again, 4, first, second)
            assert len(first.assignment()) == len(second.assignment()) == 1
            assert again == {kafka.at(0): [b"b", b"c"], kafka.at(1): [b"b", b"c"]}


async def _read(seen: dict[TopicPartition, list[bytes]], count: int, *consumers: Any) -> None:
    """So many messages, by whoever gets them, and no more."""

    async def poll(seconds: float) -> None:
        for consumer in consumers:
            for at, batch in (await consumer.getmany(timeout_ms=50)).items():
                seen.setdefault(at, []).extend(each.value for each in batch)
        await asyncio.sleep(seconds)

    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum(len(values) for values in seen.values()) < count:
            await poll(0.05)
    for _ in range(5):
        await poll(0.05)
