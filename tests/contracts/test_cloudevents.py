"""Whoever has the CloudEvents SDK, in any language, can read what lies in Kafka."""

import json
import os
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat
from tyrsky_contracts.codec import encode
from tyrsky_contracts.companies import VisitCancelled
from tyrsky_contracts.event import Envelope

BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP", "127.0.0.1:19092")
VISIT = uuid4()

EVENT = VisitCancelled(visit_id=VISIT, company_id=uuid4(), business_id="1234567-1")
ABOUT = Envelope(
    id=uuid4(),
    type=EVENT.type,
    source="/colleges/vaao/visits",
    subject=str(VISIT),
    time=datetime(2026, 9, 1, 12, 30, tzinfo=UTC),
    college="vaao",
    sequence=2,
    correlationid="request-1",
    causationid="command-1",
    dataschema="urn:example:schema",
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    partitionkey="0100130-4",
)


@pytest.mark.stack
async def test_the_cloudevents_sdk_reads_every_attribute_of_a_message_in_kafka():
    topic = f"test-{uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
        message = await _through_kafka(topic)
    finally:
        await admin.delete_topics([topic])
        await admin.close()

    event = from_binary_event(message, JSONFormat())
    assert event.get_specversion() == "1.0"
    assert event.get_id() == str(ABOUT.id)
    assert event.get_type() == "tyrsky.visit.cancelled.v1"
    assert event.get_source() == "/colleges/vaao/visits"
    assert event.get_subject() == str(VISIT)
    assert event.get_time() == ABOUT.time
    assert event.get_datacontenttype() == "application/json"
    assert event.get_dataschema() == "urn:example:schema"
    assert {name: event.get_extension(name) for name in ("college", "sequence", "correlationid", "causationid")} == {
        "college": "vaao",
        "sequence": "2",
        "correlationid": "request-1",
        "causationid": "command-1",
    }
    assert event.get_extension("traceparent") == ABOUT.traceparent
    assert event.get_data() == json.loads(EVENT.model_dump_json())


async def _through_kafka(topic: str) -> KafkaMessage:
    headers, body = encode(EVENT, ABOUT)
    async with AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, body, key=str(VISIT).encode(), headers=headers)
    async with AIOKafkaConsumer(bootstrap_servers=BOOTSTRAP) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        read = await consumer.getone()
    assert read.value is not None
    return KafkaMessage(headers=dict(read.headers), key=read.key, value=read.value)


def test_the_sdk_finds_nothing_missing_in_the_envelope():
    headers, body = encode(EVENT, ABOUT)
    event = from_binary_event(KafkaMessage(headers=dict(headers), key=None, value=body), JSONFormat())
    assert set(event.get_attributes()) == {*Envelope.model_fields, "datacontenttype"}
