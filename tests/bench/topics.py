"""What is on a topic: read whole by the bare client, to be compared with what was acknowledged."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from tests.bench.bench import check

READ_ON_SECONDS = 0.5
"""After the last that was expected: whether one comes that was not."""


@dataclass(frozen=True, slots=True)
class Published:
    """An event as a reader of the topic sees it."""

    key: str
    sequence: int
    type: str
    body: bytes


async def read_all(bootstrap: str, topic: str) -> list[Published]:
    """All events of a topic, each key's in their order, until none comes any more."""
    consumer = AIOKafkaConsumer(  # without a group it has every partition
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        check(bool(ends), f"nothing is known of {topic}")
        found: list[Published] = []
        async with asyncio.timeout(120):
            while True:
                got = await consumer.getmany(timeout_ms=int(READ_ON_SECONDS * 1000))
                found += [published(record) for records in got.values() for record in records]
                if not got and all([await consumer.position(at) >= end for at, end in ends.items()]):
                    return found
    finally:
        await consumer.stop()


def published(record: "ConsumerRecord[bytes, bytes]") -> Published:
    """An event out of a message."""
    headers = dict(record.headers)
    return Published(
        (record.key or b"").decode(),
        int(headers.get("ce_sequence", b"0")),
        headers.get("ce_type", b"").decode(),
        record.value or b"",
    )


def each_once(found: Sequence[tuple[str, int]], expected: Mapping[str, Sequence[int]]) -> None:
    """Of each key exactly the expected sequences came, each once and in their order.

    :raises Wrong: when one is missing, came twice, came out of order, or was never expected.
    """
    came: dict[str, list[int]] = defaultdict(list)
    for key, sequence in found:
        came[key].append(sequence)
    for key in sorted(came.keys() | expected.keys()):
        wanted = list(expected.get(key, ()))
        check(came[key] == wanted, f"of {key} came {came[key][:20]}, and not {wanted[:20]}")
