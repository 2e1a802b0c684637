"""What the log in memory promises, it promises as Kafka does: the same tests run on both, through aiokafka's face."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalOperation, IllegalStateError, KafkaError, ProducerFenced
from tyrsky.kafka_log import KafkaSender

from shared.kit.tests.core.unmarked import UNMARKED
from tests.simulation.either import Kafka, contract


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    return Kafka(os.environ["KAFKA_BOOTSTRAP"] if request.param == "kafka" else None)


async def sent(producer: Any, kafka: Kafka, *values: str, partition: int = 0) -> list[Any]:
    futures: list[Awaitable[Any]] = [
        await producer.send(kafka.topic, value.encode(), key=b"key", partition=partition, headers=[("h", b"1")])
        for value in values
    ]
    return [await future for future in futures]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.05)


@contract
async def test_what_is_sent_is_read_in_order_with_its_headers(kafka: Kafka) -> None:
    async with kafka.producer() as producer:
        told = await sent(producer, kafka, "a", "b", "c")
        assert [each.offset for each in told] == [0, 1, 2]
        assert await producer.partitions_for(kafka.topic) == {0, 1}
    async with kafka.consumer(isolation_level="read_committed") as consumer:
        consumer.assign([kafka.at()])
        batch: list[Any] = []
        while len(batch) < 3:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                batch += records
        assert [(each.key, each.value, each.offset) for each in batch] == [
            (b"key", b"a", 0),
            (b"key", b"b", 1),
            (b"key", b"c", 2),
        ]
        assert tuple(batch[0].headers) == (("h", b"1"),)
        assert kafka.topic in await consumer.topics()


@contract
async def test_a_key_has_one_partition(kafka: Kafka) -> None:
    async with kafka.producer() as producer:
        told = [await producer.send_and_wait(kafka.topic, b"x", key=b"same") for _ in range(5)]
    assert len({each.partition for each in told}) == 1


@contract
async def test_a_transaction_is_seen_when_it_is_committed_and_its_mark_takes_an_offset(kafka: Kafka) -> None:
    async with kafka.producer("one") as producer, kafka.consumer(isolation_level="read_committed") as consumer:
        consumer.assign([kafka.at()])
        await producer.begin_transaction()
        await sent(producer, kafka, "a", "b")
        assert await consumer.end_offsets([kafka.at()]) == {kafka.at(): 0}
        assert await consumer.getmany(timeout_ms=300) == {}
        assert await kafka.read(committed=False) == ["a", "b"]
        await producer.commit_transaction()
        await eventually_ends(consumer, kafka, 3)
        found = (await consumer.getmany(timeout_ms=5000))[kafka.at()]
        assert [each.value for each in found] == [b"a", b"b"]
        await producer.begin_transaction()
        await sent(producer, kafka, "c")
        await producer.commit_transaction()
        await eventually_ends(consumer, kafka, 5)
    assert await kafka.read() == ["a", "b", "c"]


async def eventually_ends(consumer: Any, kafka: Kafka, offset: int) -> None:
    """Kafka writes the mark soon after it has answered."""
    async with asyncio.timeout(10):
        while (await consumer.end_offsets([kafka.at()]))[kafka.at()] != offset:
            await asyncio.sleep(0.02)


@contract
async def test_what_is_aborted_is_never_seen(kafka: Kafka) -> None:
    async with kafka.producer("one") as producer:
        await producer.begin_transaction()
        await sent(producer, kafka, "a")
        await producer.abort_transaction()
        await producer.begin_transaction()
        await sent(producer, kafka, "b")
        await producer.commit_transaction()
        async with kafka.consumer(isolation_level="read_committed") as consumer:
            await eventually_ends(consumer, kafka, 4)
    assert await kafka.read() == ["b"]
    assert await kafka.read(committed=False) == ["a", "b"]


@contract
async def test_the_position_lies_behind_marks_and_what_was_aborted_once_it_was_read_over(kafka: Kafka) -> None:
    async with kafka.producer("one") as producer, kafka.consumer(isolation_level="read_committed") as consumer:
        consumer.assign([kafka.at()])
        await producer.begin_transaction()
        await sent(producer, kafka, "a")
        await producer.commit_transaction()
        await eventually_ends(consumer, kafka, 2)
        found = await consumer.getmany(timeout_ms=5000)
        assert [each.offset for each in found[kafka.at()]] == [0]
        await consumer.getmany(timeout_ms=300)
        assert await consumer.position(kafka.at()) == 2
        await producer.begin_transaction()
        await sent(producer, kafka, "b")
        await producer.abort_transaction()
        await eventually_ends(consumer, kafka, 4)
        assert await consumer.getmany(timeout_ms=500) == {}
        assert await consumer.position(kafka.at()) == 4


@contract
async def test_readers_wait_behind_an_open_transaction_and_hear_of_the_end(kafka: Kafka) -> None:
    async with kafka.producer("one") as one, kafka.producer() as other:
        await one.begin_transaction()
        await sent(one, kafka, "a")
        await sent(other, kafka, "b")
        async with kafka.consumer(isolation_level="read_committed") as consumer:
            consumer.assign([kafka.at()])
            assert consumer.highwater(kafka.at()) is None
            async with asyncio.timeout(10):  # Kafka keeps a request for a while when there is nothing to tell
                while consumer.highwater(kafka.at()) is None:
                    assert await consumer.getmany(timeout_ms=100) == {}
            assert consumer.highwater(kafka.at()) == 2
            assert await consumer.position(kafka.at()) == 0
        await one.commit_transaction()
        async with kafka.consumer(isolation_level="read_committed") as consumer:
            await eventually_ends(consumer, kafka, 3)
    assert await kafka.read() == ["a", "b"]


@pytest.mark.xdist_group(UNMARKED)
@contract
async def test_what_was_left_open_holds_readers_up_until_its_id_ends_a_transaction_there(kafka: Kafka) -> None:
    async with kafka.producer("one") as one, kafka.producer() as other:
        async with kafka.leaves_out(one):
            await one.begin_transaction()
            await sent(one, kafka, "a")
            await one.commit_transaction()
        await sent(other, kafka, "b")
        await sent_in_one_transaction(one, kafka, "c", partition=1)
        async with kafka.producer("one") as successor, kafka.consumer(isolation_level="read_committed") as consumer:
            assert await consumer.end_offsets([kafka.at()]) == {kafka.at(): 0}
            await KafkaSender([successor], consumer).end_what_hangs([kafka.at(0), kafka.at(1)])
            await eventually_ends(consumer, kafka, 3)
    assert await kafka.read() == ["a", "b"]
    assert await kafka.read(partition=1) == ["c"]


async def sent_in_one_transaction(producer: Any, kafka: Kafka, value: str, partition: int) -> None:
    await producer.begin_transaction()
    await sent(producer, kafka, value, partition=partition)
    await producer.commit_transaction()


@contract
async def test_who_was_succeeded_is_fenced_and_what_it_had_open_is_aborted(kafka: Kafka) -> None:
    async with kafka.producer("one") as old:
        await old.begin_transaction()
        await sent(old, kafka, "a")
        async with kafka.producer("one") as new:
            await new.begin_transaction()
            await sent(new, kafka, "b")
            await new.commit_transaction()
            with pytest.raises(ProducerFenced):
                await old.commit_transaction()
            async with kafka.consumer(isolation_level="read_committed") as consumer:
                await eventually_ends(consumer, kafka, 4)
    assert await kafka.read() == ["b"]


@contract
async def test_who_was_succeeded_can_send_nothing_any_more(kafka: Kafka) -> None:
    async with kafka.producer("one") as old:
        await old.begin_transaction()
        await sent(old, kafka, "a")
        async with kafka.producer("one"):
            with pytest.raises(KafkaError):
                await sent(old, kafka, "b")
            with pytest.raises(KafkaError):
                await old.commit_transaction()
    assert await kafka.read() == []


@contract
async def test_a_transactional_producer_sends_in_transactions_alone(kafka: Kafka) -> None:
    async with kafka.producer("one") as producer:
        with pytest.raises(IllegalOperation):
            await producer.send(kafka.topic, b"x", key=b"key")


@contract
async def test_a_group_goes_on_where_it_committed_with_its_note(kafka: Kafka) -> None:
    async with kafka.producer() as producer:
        await sent(producer, kafka, "a", "b", "c")
    options = {"group_id": kafka.group, "isolation_level": "read_committed"}
    async with kafka.consumer(kafka.topic, **options) as consumer:
        await until(lambda: len(consumer.assignment()) == 2)
        await consumer.commit({kafka.at(): (2, "note")})
        assert await consumer.committed(kafka.at()) == 2
        with pytest.raises(IllegalStateError):
            await consumer.commit({TopicPartition(kafka.topic, 7): (1, "")})
    async with kafka.consumer(kafka.topic, **options) as consumer:
        await until(lambda: len(consumer.assignment()) == 2)
        found = await consumer.getmany(timeout_ms=10_000)
        assert [each.value for each in found[kafka.at()]] == [b"c"]
        consumer.seek(kafka.at(), 1)
        found = await consumer.getmany(timeout_ms=10_000)
        assert found[kafka.at()][0].value == b"b"
        with pytest.raises(IllegalStateError):
            consumer.seek(TopicPartition(kafka.topic, 7), 1)


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def on_partitions_revoked(self, revoked: Any) -> None:
        self.told.append(f"-{len(list(revoked))}")

    async def on_partitions_assigned(self, assigned: Any) -> None:
        self.told.append(f"+{len(list(assigned))}")


@contract
async def test_members_share_the_partitions_and_who_leaves_gives_them_back(kafka: Kafka) -> None:
    options = {"group_id": kafka.group, "isolation_level": "read_committed"}
    async with kafka.consumer(**options) as first:
        first.subscribe([kafka.topic], listener=listening(first))
        await poll_until(first, lambda: len(first.assignment()) == 2)
        async with kafka.consumer(**options) as second:
            second.subscribe([kafka.topic], listener=listening(second))
            await poll_until(second, lambda: len(second.assignment()) == 1 and len(first.assignment()) == 1)
            assert first.assignment() | second.assignment() == {kafka.at(0), kafka.at(1)}
            (theirs,) = second.assignment()
            with pytest.raises((IllegalStateError, CommitFailedError)):
                await first.commit({theirs: (0, "")})
        await poll_until(first, lambda: len(first.assignment()) == 2)
    told = listening(first).told
    assert [each for each in told if each != "-0"] == ["+2", "-2", "+1", "-1", "+2"]


_listeners: dict[int, Any] = {}


def listening(consumer: Any) -> Any:
    """The one listener of a consumer."""
    if id(consumer) not in _listeners:
        from aiokafka import ConsumerRebalanceListener

        class Both(Listener, ConsumerRebalanceListener):  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

        _listeners[id(consumer)] = Both()
    return _listeners[id(consumer)]


async def poll_until(consumer: Any, condition: Callable[[], bool]) -> None:
    """A consumer that is not polled does not take part."""
    async with asyncio.timeout(30):
        while not condition():
            await consumer.getmany(timeout_ms=100)
            await asyncio.sleep(0.05)
