"""The latest events of a topic, for whoever wants to see them; nothing is committed, and no group is joined."""

# pyright: reportPrivateImportUsage=false
# The client's public names are in confluent_kafka, which has no __all__ to say so.

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

ANSWER_SECONDS = 10
SILENCE_SECONDS = 5
"""How long Kafka may deliver nothing before what came is taken for all."""

Json = dict[str, Any]


def reader(client: Mapping[str, Any]) -> Consumer:
    """A consumer for :func:`latest`, with the client's settings; the group is a name alone."""
    return Consumer(
        {
            **client,
            "group.id": "tyrsky-topics-read",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )


def latest(consumer: Consumer, topic: str, count: int) -> Iterator[Json]:
    """The latest events of all partitions together, the oldest first: CloudEvents in JSON.

    :raises confluent_kafka.KafkaException: when Kafka does not answer, or there is no such topic.
    """
    ends = _ends(consumer, topic)
    # Twice as many offsets: a transaction's mark has one too.
    consumer.assign([TopicPartition(topic, at, max(low, end - 2 * count)) for at, (low, end) in ends.items()])
    waiting, found = set(ends), list[Message]()
    silent_since = time.monotonic()
    while waiting and time.monotonic() - silent_since < SILENCE_SECONDS:
        message = consumer.poll(0.2)
        if message is None:
            continue
        silent_since = time.monotonic()
        match message.error():
            case None:
                found.append(message)
            case error if error.code() == KafkaError._PARTITION_EOF:
                waiting.discard(message.partition())
            case error:
                raise KafkaException(error)
    found.sort(key=lambda message: (message.timestamp()[1], message.partition() or 0, message.offset() or 0))
    return (_as_json(message) for message in found[-count:])


def _ends(consumer: Consumer, topic: str) -> dict[int, tuple[int, int]]:
    about = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
    if about.error:
        raise KafkaException(about.error)
    places = [TopicPartition(topic, number) for number in about.partitions]
    return {place.partition: consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS) for place in places}


def _as_json(message: Message) -> Json:
    """A CloudEvent in JSON; a message that is none is shown as far as it can be."""
    headers: list[tuple[str, bytes]] = message.headers() or []  # pyright: ignore[reportAssignmentType] - of our making
    event: Json = {name.removeprefix("ce_"): (value or b"").decode("utf-8", "replace") for name, value in headers}
    body = message.value() or b""
    try:
        return event | {"data": json.loads(body)}
    except ValueError:
        return event | {"data": body.decode("utf-8", "replace")}
