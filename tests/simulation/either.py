"""A log for the contract's tests: the one in memory on a simulated loop, or Kafka; both through aiokafka's face."""

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from tyrsky.consuming import kafka_broker
from tyrsky.watching import Offsets

from shared.kit.tests.core.unmarked import unmarked
from tests.simulation.broker import Broker
from tests.simulation.consumer import MemoryConsumer
from tests.simulation.loop import Loop
from tests.simulation.losing import Count, Losing, losing
from tests.simulation.producer import MemoryProducer
from tests.simulation.standins import MemoryBroker, MemoryOffsets

Test = Callable[["Kafka"], Coroutine[Any, Any, None]]


class Kafka:
    """A log, in memory or real, with a topic of two partitions."""

    def __init__(self, bootstrap: str | None) -> None:
        self.topic = f"contract-{uuid4().hex[:12]}"
        self.group = f"group-{uuid4().hex[:12]}"
        self.bootstrap = bootstrap
        self._broker, self._network = Broker(session_seconds=6, rebalance_seconds=6), Losing()

    def run(self, test: Test) -> None:
        """On a loop of its own: a simulated one for the log in memory."""
        if self.bootstrap is None:
            self._broker.create(self.topic, 2)
            Loop(self.topic).run(test(self))
        else:
            asyncio.run(self._on_kafka(test))

    async def _on_kafka(self, test: Test) -> None:
        assert self.bootstrap
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(self.topic, num_partitions=2, replication_factor=1)])
            await test(self)
            await admin.delete_topics([self.topic])
        finally:
            await admin.close()

    def at(self, partition: int = 0) -> TopicPartition:
        return TopicPartition(self.topic, partition)

    @asynccontextmanager
    async def producer(self, transactional_id: str | None = None, **more: Any) -> AsyncGenerator[Any]:
        options: dict[str, Any] = {
            "transactional_id": transactional_id and f"{self.topic}-{transactional_id}",
            "enable_idempotence": True,
            "linger_ms": 2,
            **more,
        }
        producer: Any = (
            AIOKafkaProducer(bootstrap_servers=self.bootstrap, **options)
            if self.bootstrap
            else MemoryProducer(self._broker, self._network, **options)
        )
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    @asynccontextmanager
    async def consumer(self, *topics: str, **options: Any) -> AsyncGenerator[Any]:
        options = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **options}
        times = {"session_timeout_ms": 6000, "rebalance_timeout_ms": 6000, "heartbeat_interval_ms": 500}
        consumer: Any = (
            AIOKafkaConsumer(*topics, bootstrap_servers=self.bootstrap, **times, **options)
            if self.bootstrap
            else MemoryConsumer(self._broker, self._network, *topics, **options)
        )
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()

    @asynccontextmanager
    async def offsets(self) -> AsyncGenerator[Offsets]:
        """The kit's way to ask where groups are."""
        offsets = Offsets(self.bootstrap) if self.bootstrap else MemoryOffsets(self._broker, self._network)
        try:
            yield offsets
        finally:
            await offsets.close()

    def faststream(self) -> Any:
        """FastStream's broker as the kit sets it up, or what stands in for it."""
        if self.bootstrap:
            return kafka_broker(self.bootstrap, stop_seconds=2)
        return MemoryBroker(functools.partial(MemoryConsumer, self._broker, self._network))

    @asynccontextmanager
    async def leaves_out(self, producer: Any) -> AsyncGenerator[None]:
        """The end of the producer's next transaction is left out of its partitions."""
        if self.bootstrap:
            async with unmarked(self.bootstrap, [producer]):
                yield
        else:
            self._broker.leaves_out = lambda _: True
            yield
            self._broker.leaves_out = None

    @asynccontextmanager
    async def loses(self, kind: str, times: int) -> AsyncGenerator[Count]:
        """Answers of a kind are carried out and not told, of clients that are made meanwhile; tells how many are left
        to be lost."""
        if self.bootstrap:
            async with losing(self.bootstrap, kind, times) as left:
                yield left
        else:
            yield self._network.lose(kind, times)

    async def takes_at_most(self, size: int) -> None:
        """In bytes, of a message or a few of them."""
        if self.bootstrap:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            bound = ConfigResource(ConfigResourceType.TOPIC, self.topic, {"max.message.bytes": str(size)})
            await admin.alter_configs([bound])
            await admin.close()
        else:
            self._broker.bytes_max = size

    async def dies(self, producer: Any) -> None:
        """As a producer's process does: nothing is ended, nothing is sent any more."""
        await producer._sender.close()

    async def read(self, *, committed: bool = True, partition: int = 0) -> list[str]:
        """What a reader sees up to the end."""
        level = "read_committed" if committed else "read_uncommitted"
        async with self.consumer(isolation_level=level) as consumer:
            at = self.at(partition)
            consumer.assign([at])
            await consumer.seek_to_beginning(at)
            end = (await consumer.end_offsets([at]))[at]
            seen: list[str] = []
            async with asyncio.timeout(20):
                while await consumer.position(at) < end:
                    for record in (await consumer.getmany(timeout_ms=200)).get(at, []):
                        seen.append(record.value.decode())
            return seen


def contract(test: Test) -> Callable[[Kafka], None]:
    """Run it on the loop of the log that it is for."""

    @functools.wraps(test)
    def run(kafka: Kafka) -> None:
        kafka.run(test)

    run.__dict__.pop("__wrapped__", None)
    return run
