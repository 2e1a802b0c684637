"""Transactions whose end a real Kafka leaves out of their partitions, brought about at will."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

UNMARKED = "a setting of the broker's"
"""The group of the tests that use this: one after the other."""

VERIFICATION = "transaction.partition.verification.enable"


@asynccontextmanager
async def unmarked(bootstrap: str, producers: Iterable[Any]) -> AsyncGenerator[None]:
    """What these producers of aiokafka's commit meanwhile is told to be well, and hangs: Kafka is not told of the
    partitions before they are written to, which it accepts for as long as it does not verify that."""
    await _set(bootstrap, {VERIFICATION: "false"})
    managers = [producer._txn_manager for producer in producers]

    def tell_nobody(_: TopicPartition) -> None:
        """Kafka hears of the partition by what is written to it."""

    try:
        for manager in managers:
            manager.maybe_add_partition_to_txn = tell_nobody
        yield
    finally:
        for manager in managers:
            del manager.maybe_add_partition_to_txn
        await _set(bootstrap, {})


async def _set(bootstrap: str, settings: dict[str, str]) -> None:
    """Exactly these settings over what the one broker was started with; it applies them soon after it has answered."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        wanted = settings.get(VERIFICATION, "true")
        answers: list[Any] = await admin.alter_configs(
            [ConfigResource(ConfigResourceType.BROKER, "1", configs=settings)]
        )
        assert all(code == 0 for answer in answers for code, *_ in answer.resources), answers
        async with asyncio.timeout(10):
            while await _is(admin) != wanted:
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def _is(admin: AIOKafkaAdminClient) -> str:
    """What the broker goes by."""
    asked = ConfigResource(ConfigResourceType.BROKER, "1", configs={VERIFICATION: None})
    answers: list[Any] = await admin.describe_configs([asked])
    [(*_, entries)] = answers[0].resources
    return entries[0][1]
