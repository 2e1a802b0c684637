"""How FastStream gets at messages: as they came, in batches, and without a rest between two polls."""

from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage

WAIT_MS = 200
"""How long one poll waits for messages; it ends with the first that come."""

Record = ConsumerRecord[bytes, bytes]


async def poll(records_max: int, consumer: AIOKafkaConsumer) -> tuple[Record, ...]:
    """In place of FastStream's own, which sleeps after a poll without messages: for as long as it has listened it is
    deaf, and that was most of a message's latency."""
    found = await consumer.getmany(timeout_ms=WAIT_MS, max_records=records_max)
    return tuple(chain.from_iterable(found.values()))


async def unread(records: tuple[Record, ...]) -> KafkaMessage:
    """In place of FastStream's parser, which gives up on a batch when one header is not text."""
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def records(message: Any) -> Any:
    """In place of its decoder."""
    return message.raw_message
