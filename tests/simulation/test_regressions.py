"""What the simulation has found in the kit, once each, and the seeds that once went wrong."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo.errors import AutoReconnect
from tyrsky import kafka_log
from tyrsky.clearing import Clearer
from tyrsky.kafka_log import KafkaLog
from tyrsky.receipts import Receipt
from tyrsky.remembering import KEPT, Remembered

from tests.simulation.broker import Broker
from tests.simulation.clock import now, simulated
from tests.simulation.consumer import MemoryConsumer
from tests.simulation.loop import Loop
from tests.simulation.network import Direct, Work
from tests.simulation.plans import MORE_OF
from tests.simulation.producer import MemoryProducer
from tests.simulation.store import Server
from tests.simulation.world import World

SEEDS = 30


def test_old_answers_go_although_the_machine_has_just_begun() -> None:
    """The loop's time begins with the machine: the first sweep came when that had been up for an hour."""
    loop = Loop("old answers")

    async def sweep() -> int:
        database: Any = Server().client()["x"]
        await database["answers"].insert_one({"_id": "old", "at": now() - KEPT - timedelta(minutes=1)})
        remembered = Remembered(database)
        running = asyncio.create_task(remembered.run())
        remembered.keep(Receipt(str(uuid4()), "new", 1, None))
        await asyncio.sleep(10)
        running.cancel()
        return await database["answers"].count_documents({"_id": "old"})

    with simulated(loop, "old answers"):
        assert loop.run(sweep()) == 0


def test_who_stops_while_a_clearing_fails_leaves_to_others_what_it_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its holder was forgotten, and with it where to look: all that it had not cleared was published again."""
    clear: Any = Clearer.clear
    stopped = 0

    async def failing(self: Any, name: str, claims: Any) -> None:
        nonlocal stopped
        if self._relay._stopping:
            stopped += 1
            raise AutoReconnect("the store is away as the service stops")
        await clear(self, name, claims)

    monkeypatch.setattr(Clearer, "clear", failing)
    for seed in range(SEEDS):
        World(seed, more_of=MORE_OF["forgets a holder that lost track"]).run()
    assert stopped


@pytest.mark.slow
def test_a_clearing_that_fails_is_not_forgotten_by_one_after_it_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second moved on the place from which others look, past what the first had published and not cleared."""
    clear: Any = Clearer.clear
    dice = Random(1)
    failed = 0

    async def unlucky(self: Any, name: str, claims: Any) -> None:
        nonlocal failed
        if dice.random() < 0.05:
            failed += 1
            await asyncio.sleep(1)  # others are published meanwhile
            raise AutoReconnect("the store did not answer")
        await clear(self, name, claims)

    monkeypatch.setattr(Clearer, "clear", unlucky)
    for seed in range(SEEDS):
        World(seed, more_of={"rooms": 4, "customers": 9, "wishes": 3, "instances": 2, "faults": ()}).run()
    assert failed


class Busy(Direct):
    """Kafka answers late what topics there are, and all else at once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def call(self, name: str, works: Sequence[Work], lost: Callable[[], Exception]) -> list[Any]:
        await asyncio.sleep(self._seconds if name in {"kafka.metadata", "kafka.topics"} else 0)
        return await super().call(name, works, lost)


@pytest.mark.parametrize(
    ("seconds", "topic", "begins"),
    [
        (0, "rooms", {("rooms", 0): 0}),
        (2, "rooms", {("rooms", 0): 0}),
        (2, "trays", None),
        (60, "rooms", TimeoutError),
        (60, "trays", TimeoutError),
    ],
)
def test_a_topic_is_not_there_when_kafka_says_so(seconds: float, topic: str, begins: Any) -> None:
    """A busy Kafka's topics were not there, for as long as it was busy: no event was published."""
    loop, broker = Loop("a busy Kafka"), Broker()
    broker.create("rooms", 1)

    async def ask() -> Any:
        sender = await KafkaLog("simulated", "a test").open("a holder")
        began = loop.time()
        try:
            return await sender.begins(topic)
        except TimeoutError:
            return TimeoutError
        finally:
            assert loop.time() - began <= kafka_log.SEND_SECONDS

    network = Busy(seconds)
    clients: dict[Any, Any] = {
        AIOKafkaProducer: partial(MemoryProducer, broker, network),
        AIOKafkaConsumer: partial(MemoryConsumer, broker, network),
    }
    with simulated(loop, "a busy Kafka", clients):
        assert loop.run(ask()) == begins


def test_the_reading_at_a_takeover_has_an_end_though_others_publish_on() -> None:
    """One partition could not be read to its end; each record of another put the end off, for ever."""
    loop, broker = Loop("a reading without an end"), Broker()
    broker.create("rooms", 2)

    async def publish(partition: int, *, transactional_id: str | None = None) -> None:
        options: Any = {"transactional_id": transactional_id, "transaction_timeout_ms": 3_600_000}
        producer: Any = MemoryProducer(broker, Direct(), enable_idempotence=True, **options)
        await producer.start()
        if transactional_id:
            await producer.begin_transaction()
            await producer.send_and_wait("rooms", b"open", partition=partition)
            return
        while True:
            await producer.send_and_wait("rooms", b"more", partition=partition)
            await asyncio.sleep(kafka_log.READ_SECONDS / 3)

    async def reading() -> float:
        await publish(0, transactional_id="nobody ends it")
        going_on = asyncio.create_task(publish(1))
        await asyncio.sleep(1)
        began = loop.time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(600):
                await KafkaLog("simulated", "a test").seen({("rooms", 0): 0, ("rooms", 1): 0})
        going_on.cancel()
        return loop.time() - began

    with simulated(loop, "a reading", {AIOKafkaConsumer: partial(MemoryConsumer, broker, Direct())}):
        assert loop.run(reading()) < 3 * kafka_log.READ_SECONDS
