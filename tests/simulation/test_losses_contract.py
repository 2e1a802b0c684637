"""What aiokafka's clients make of a connection that breaks after a request was carried out, and of what is not taken;
and those in memory too."""

import asyncio
import os
from typing import Any

import pytest
from tyrsky.kafka_log import KafkaSender
from tyrsky.producing import Message, NotTaken

from tests.simulation.either import Kafka, contract

READER: dict[str, Any] = {"isolation_level": "read_committed"}
PATIENCE_SECONDS = 40


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    return Kafka(os.environ["KAFKA_BOOTSTRAP"] if request.param == "kafka" else None)


async def say(kafka: Kafka, producer: Any, *values: str) -> None:
    for value in values:
        await producer.send_and_wait(kafka.topic, value.encode(), key=b"key", partition=0)


async def polled(consumer: Any, kafka: Kafka, count: int) -> list[bytes]:
    found: list[bytes] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(found) < count:
            found += [each.value for each in (await consumer.getmany(timeout_ms=200)).get(kafka.at(), [])]
    return found


@contract
async def test_a_commit_that_is_not_answered_is_made_again_and_nobody_hears_of_it(kafka: Kafka) -> None:
    async with kafka.producer() as producer:
        await say(kafka, producer, "a", "b")
    async with kafka.loses("OffsetCommit", 2) as left, kafka.consumer(group_id=kafka.group, **READER) as consumer:
        consumer.subscribe([kafka.topic])
        assert await polled(consumer, kafka, 2) == [b"a", b"b"]
        await consumer.commit({kafka.at(): (2, "note")})
        assert left() == 0
        assert await consumer.committed(kafka.at()) == 2


@contract
async def test_where_a_group_is_and_where_a_topic_ends_is_asked_again(kafka: Kafka) -> None:
    async with kafka.producer() as producer:
        await say(kafka, producer, "a")
    for kind in ("OffsetFetch", "ListOffsets"):
        async with kafka.loses(kind, 1) as left, kafka.consumer(group_id=kafka.group, **READER) as consumer:
            consumer.assign([kafka.at()])
            assert await consumer.committed(kafka.at()) is None
            assert await consumer.end_offsets([kafka.at()]) == {kafka.at(): 1}
            assert left() == 0


@contract
async def test_reading_goes_on_without_a_gap_or_a_repeat(kafka: Kafka) -> None:
    async with kafka.producer() as producer:
        await say(kafka, producer, "a", "b", "c")
    async with kafka.loses("Fetch", 2) as left, kafka.consumer(**READER) as consumer:
        consumer.assign([kafka.at()])
        await consumer.seek_to_beginning(kafka.at())
        assert await polled(consumer, kafka, 3) == [b"a", b"b", b"c"]
        assert left() == 0


@contract
async def test_what_is_produced_is_there_once(kafka: Kafka) -> None:
    async with kafka.loses("Produce", 1) as left, kafka.producer() as producer:
        await say(kafka, producer, "a", "b")
        assert left() == 0
    assert await kafka.read() == ["a", "b"]


@contract
async def test_a_transaction_whose_end_is_not_answered_is_seen_once(kafka: Kafka) -> None:
    async with kafka.loses("EndTxn", 1) as left, kafka.producer("one") as producer:
        for value in ("a", "b"):
            await producer.begin_transaction()
            await say(kafka, producer, value)
            await producer.commit_transaction()
        assert left() == 0
    assert await kafka.read() == ["a", "b"]


@contract
async def test_what_is_too_large_is_named(kafka: Kafka) -> None:
    """One message at the client already, at ten bytes less by the broker; what goes in the same batch with it."""

    def message(key: str, size: int) -> Message:
        return Message(kafka.topic, key.encode(), b"x" * size, [])

    async def refused(*messages: Message) -> set[bytes]:
        id = f"{len(tried)}"
        tried.append(id)
        async with kafka.producer(id) as producer, kafka.consumer() as consumer:
            with pytest.raises(NotTaken, match="MessageSizeTooLarge") as error:
                await KafkaSender([producer], consumer).send(messages)
        return {key for topic, key in error.value.which if topic == kafka.topic}

    tried: list[str] = []
    async with kafka.producer() as producer:
        at = {key: (await producer.send_and_wait(kafka.topic, b"", key=key.encode())).partition for key in "abcdefgh"}
    one, other = (next(key for key in at if at[key] == number) for number in (0, 1))
    assert await refused(message(one, 10), message(other, 2**20 + 1)) == {other.encode()}
    await kafka.takes_at_most(5_000)
    assert await refused(message(one, 10), message(other, 6_000)) == {other.encode()}
    assert await refused(message(other, 6_000), message(one, 6_000)) == {one.encode(), other.encode()}
    async with kafka.producer("well") as producer, kafka.consumer() as consumer:
        assert len(await KafkaSender([producer], consumer).send([message(one, 4_000), message(other, 10)])) == 2
