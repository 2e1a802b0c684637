"""Transactions leave marks in a topic, which take offsets and are no messages: they are no lag either."""

# pyright: reportPrivateUsage=false

from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from .rig import KAFKA, Effects, Rig, until

pytestmark = pytest.mark.stack


async def test_marks_and_what_was_taken_back_are_no_lag(rig: Rig):
    policies = rig.policies(Effects(rig.database))
    producer = AIOKafkaProducer(bootstrap_servers=KAFKA, transactional_id=f"marks-{uuid4()}")
    await producer.start()
    async with rig.instance(policies):
        async with producer.transaction():
            headers, body = rig.next("a")
            await producer.send_and_wait(rig.topic.name, body, key=b"a", partition=0, headers=headers)
        await until(lambda: rig.caught_up(policies.group))
        # In a partition of its own nothing comes behind that would take the group over it.
        await producer.begin_transaction()
        headers, body = rig.next("b")
        await producer.send_and_wait(rig.topic.name, body, key=b"b", partition=1, headers=headers)
        await producer.abort_transaction()
        await until(lambda: rig.caught_up(policies.group))
    await producer.stop()


async def test_what_a_producer_took_back_reaches_nobody(rig: Rig):
    effects = Effects(rig.database)
    producer = AIOKafkaProducer(bootstrap_servers=KAFKA, transactional_id=f"marks-{uuid4()}")
    await producer.start()
    try:
        async with rig.instance(rig.policies(effects)):
            await producer.begin_transaction()
            await _send(rig, producer)
            await producer.abort_transaction()
            async with producer.transaction():
                await _send(rig, producer)
            await until(lambda: effects.of("a"))
        assert effects.of("a") == [2]
    finally:
        await producer.stop()


async def _send(rig: Rig, producer: AIOKafkaProducer) -> None:
    headers, body = rig.next("a")
    await producer.send_and_wait(rig.topic.name, body, key=b"a", partition=0, headers=headers)
