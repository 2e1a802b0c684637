"""What stands in for FastStream and Kafka's administration does what they do, as far as the kit uses them.

The same tests on both, of the kit's own :class:`tyrsky.consuming.Consumer` and :class:`tyrsky.watching.Offsets`.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.errors import AutoReconnect
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.consuming import Consumer
from tyrsky.deliveries import Edition, Message
from tyrsky.watching import Place

from tests.simulation.either import Kafka, contract

PATIENCE_SECONDS = 30
SETTINGS = ConsumerSettings(consumer_batch_max=2, consumer_pause_seconds_max=0.2)


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    return Kafka(os.environ["KAFKA_BOOTSTRAP"] if request.param == "kafka" else None)


class Noting:
    """An inbox that notes what it is given, batch by batch, and fails as often as it is told to."""

    def __init__(self, kafka: Kafka) -> None:
        self.topics = {kafka.topic: None}
        self.batches: list[list[str]] = []
        self.fails = 0
        self.at_work = 0
        self.reaction = SimpleNamespace(group=kafka.group, edition=self._edition)

    async def _edition(self) -> Edition:
        return Edition()

    async def take(self, messages: Iterable[Message], edition: Edition) -> None:
        """Note them, one batch at a time."""
        self.at_work += 1
        assert self.at_work == 1
        self.batches.append([(message.body or b"").decode() for message in messages])
        await asyncio.sleep(0.01)
        self.at_work -= 1
        if self.fails:
            self.fails -= 1
            raise AutoReconnect("the store is away")

    @property
    def taken(self) -> list[str]:
        """All of it."""
        return [each for batch in self.batches for each in batch]


@asynccontextmanager
async def consuming(kafka: Kafka, inbox: Noting) -> AsyncGenerator[Consumer]:
    """The kit's consumer, started as a service starts it."""
    nobody: Any = None
    broker, given = kafka.faststream(), inbox
    consumer = Consumer(broker, given, nobody, SETTINGS)  # pyright: ignore[reportArgumentType]
    await broker.start()
    try:
        yield consumer
    finally:
        await consumer.stop()
        await broker.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


async def places(kafka: Kafka) -> list[tuple[int, str, int]]:
    """Where the group is: what is committed, its note, and the end of each partition."""
    async with kafka.offsets() as offsets:
        found = await offsets.of(kafka.group, [kafka.topic])
    assert {each.first for each in found.values()} == {0}
    return [(at.committed, at.metadata, at.end) for _, at in sorted(found.items())]


async def committed(kafka: Kafka, offset: int) -> None:
    """Wait until the group is behind the last message of its first partition; or behind the mark after that, as the
    reader happens to have got. The kit's watchdog sees to the mark."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await places(kafka))[0][0] not in (offset, offset + 1):
            await asyncio.sleep(0.05)


async def send(kafka: Kafka, values: str, *, partition: int = 0, takes_back: bool = False) -> None:
    """So many messages in one transaction, whose mark takes an offset too."""
    async with kafka.producer("sends") as producer:
        await producer.begin_transaction()
        for value in values:
            await producer.send_and_wait(kafka.topic, value.encode(), key=b"key", partition=partition)
        await (producer.abort_transaction() if takes_back else producer.commit_transaction())


@contract
async def test_all_is_handed_over_in_order_in_small_batches_and_committed(kafka: Kafka) -> None:
    inbox = Noting(kafka)
    await send(kafka, "abcde")
    async with consuming(kafka, inbox) as consumer:
        await until(lambda: inbox.taken == list("abcde"))
        await committed(kafka, 5)
        assert consumer.assigned == {(kafka.topic, 0), (kafka.topic, 1)}
        await send(kafka, "f")
        await until(lambda: inbox.taken == list("abcdef"))
        await committed(kafka, 7)
    assert consumer.assigned == set()
    assert all(len(batch) <= SETTINGS.consumer_batch_max for batch in inbox.batches)
    (first, note, end), second = await places(kafka)
    assert (first in (7, 8), note, end, second) == (True, "0", 8, (-1, "", 0))


@contract
async def test_what_could_not_be_finished_comes_again_and_nothing_behind_it_first(kafka: Kafka) -> None:
    inbox = Noting(kafka)
    inbox.fails = 2
    await send(kafka, "abcd")
    async with consuming(kafka, inbox):
        await until(lambda: inbox.taken[-1:] == ["d"])
        await committed(kafka, 4)
    assert inbox.batches[0] == inbox.batches[1][: len(inbox.batches[0])]
    done = [each for batch in inbox.batches[2:] for each in batch]
    assert done == list("abcd")


@contract
async def test_who_is_built_anew_or_comes_next_goes_on_where_it_was_committed(kafka: Kafka) -> None:
    inbox, later = Noting(kafka), Noting(kafka)
    await send(kafka, "ab")
    async with consuming(kafka, inbox) as consumer:
        await until(lambda: inbox.taken == ["a", "b"])
        await committed(kafka, 2)
        await consumer.rebuild()
        await send(kafka, "c")
        await until(lambda: inbox.taken == ["a", "b", "c"])
        await committed(kafka, 4)
    await send(kafka, "d")
    async with consuming(kafka, later):
        await until(lambda: later.taken == ["d"])


@contract
async def test_where_a_group_is_that_never_was_and_what_readers_may_see(kafka: Kafka) -> None:
    await send(kafka, "ab")
    async with kafka.producer("open") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(kafka.topic, b"c", key=b"key", partition=0)
        assert await places(kafka) == [(-1, "", 3), (-1, "", 0)]  # the end is before what is open
        await producer.abort_transaction()
    async with kafka.offsets() as offsets:
        assert await offsets.of(kafka.group, []) == {}
        assert await offsets.of(kafka.group, ["there-is-no-such-topic"]) == {}


@contract
async def test_a_lag_without_messages_is_told_from_one_with_some(kafka: Kafka) -> None:
    await send(kafka, "a")
    await send(kafka, "b", takes_back=True)
    await send(kafka, "c", partition=1)
    async with kafka.offsets() as offsets:
        found = await offsets.of(kafka.group, [kafka.topic])
        lagging = {at: Place(1, "", place.end, 0) for at, place in found.items() if at[1] == 0}
        assert await offsets.hollow(lagging) == {(kafka.topic, 0)}
        assert await offsets.hollow(found) == set()


@contract
async def test_what_the_watchdog_found_hollow_is_passed_over(kafka: Kafka) -> None:
    inbox = Noting(kafka)
    async with consuming(kafka, inbox) as consumer:
        await until(lambda: len(consumer.assigned) == 2)
        await send(kafka, "a", takes_back=True)
        assert (await places(kafka))[0] == (-1, "", 2)
        await consumer.pass_over({(kafka.topic, 0): 2})
        assert (await places(kafka))[0] == (2, "0", 2)
    assert inbox.taken == []
