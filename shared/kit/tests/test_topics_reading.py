"""The latest events of a topic, as ``tyrsky topics read`` shows them; and a college's own topics."""

import json
import os
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner
from tyrsky import topics_cli

BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP", "127.0.0.1:19092")
ENV = {"KAFKA_BOOTSTRAP": BOOTSTRAP, "OWN_SERVICES": ""}


@pytest.fixture
async def topic() -> AsyncIterator[str]:
    name = f"kit-read-{uuid4().hex[:12]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=3, replication_factor=1)])
        yield name
        await admin.delete_topics([name])
    finally:
        await admin.close()


async def publish(topic: str, *numbers: int) -> None:
    """One transaction each, as the relay does: its mark takes an offset of its own."""
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, transactional_id=topic)
    async with producer:
        for number in numbers:
            async with producer.transaction():
                await producer.send_and_wait(
                    topic, json.dumps({"number": number}).encode(), partition=number % 2, timestamp_ms=1_000 + number,
                    headers=[("ce_sequence", str(number).encode())],
                )  # fmt: skip


def told(*arguments: str, **env: str) -> tuple[int, str]:
    result = CliRunner().invoke(topics_cli.app, [*arguments], env={**ENV, **env})
    return result.exit_code, result.output


@pytest.mark.stack
async def test_the_latest_events_of_all_partitions_come_in_the_order_of_their_time(topic: str):
    assert told("read", topic) == (0, "")
    await publish(topic, 1, 2, 3, 4, 5)
    code, output = told("read", topic, "--last", "3")
    assert code == 0
    assert [json.loads(line) for line in output.splitlines()] == [
        {"sequence": str(number), "data": {"number": number}} for number in (3, 4, 5)
    ]


@pytest.mark.stack
def test_a_topic_that_is_not_there_is_named_as_such():
    code, output = told("read", "nobody-made-this")
    assert code == 1
    assert "Unknown topic" in output


def test_a_service_without_topics_is_named():
    code, output = told("apply", OWN_SERVICES='["nowhere"]')
    assert (code, output) == (1, "OWN_SERVICES: nowhere has no topics here: No module named 'nowhere'\n")
