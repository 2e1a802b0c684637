"""A partner college, at the partner listener: it reads the public topics with its own groups, and nothing else goes."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr
from tyrsky.topics_access import access_changes, user_changes
from tyrsky_contracts import topics
from tyrsky_contracts.codec import encode
from tyrsky_contracts.companies import CompanyRegistered
from tyrsky_contracts.event import Envelope

pytestmark = pytest.mark.stack

BOOTSTRAP = os.environ.get("KAFKA_BOOTSTRAP", "127.0.0.1:19092")
PARTNER_BOOTSTRAP = os.environ.get("KAFKA_PARTNER_BOOTSTRAP", "127.0.0.1:19094")
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "partner" / "read_companies.py"
SECONDS = 30


@dataclass(frozen=True)
class Partner:
    """A college that only this test knows."""

    college: str
    password: str

    def login(self, **changes: Any) -> dict[str, Any]:
        return {
            "bootstrap_servers": PARTNER_BOOTSTRAP,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-256",
            "sasl_plain_username": self.college,
            "sasl_plain_password": self.password,
            **changes,
        }


@pytest.fixture
def partner() -> Iterator[Partner]:
    college, password = f"p{uuid4().hex[:12]}", uuid4().hex
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP})
    public = [topic.name for topic in topics.ALL if topic.public]
    given = {college: SecretStr(password)}
    for change in [*user_changes(admin, given, ()), *access_changes(admin, given, public)]:
        change.do()
    yield Partner(college, password)
    for change in [*user_changes(admin, {college: None}, ()), *access_changes(admin, {college: None}, public)]:
        change.do()


@pytest.fixture
async def registered() -> CompanyRegistered:
    """A company that a college took into its care just now; of a college that no deployment here serves."""
    company = uuid4()
    event = CompanyRegistered(company_id=company, business_id="1234567-1", name="Esimerkki Oy")
    envelope = Envelope(
        id=uuid4(),
        type=event.type,
        source="/colleges/elsewhere/companies",
        subject=str(company),
        time=datetime.now(UTC),
        college="elsewhere",
        sequence=1,
        correlationid=str(uuid4()),
        causationid=str(uuid4()),
    )
    headers, body = encode(event, envelope)
    async with AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, enable_idempotence=True) as producer:
        await producer.send_and_wait(topics.companies.name, body, key=str(company).encode(), headers=headers)
    return event


async def test_the_example_reads_the_event(partner: Partner, registered: CompanyRegistered):
    env = {
        **os.environ,
        "COLLEGE": partner.college,
        "PASSWORD": partner.password,
        "KAFKA_PARTNER_BOOTSTRAP": PARTNER_BOOTSTRAP,
    }
    program = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), env=env, stdout=asyncio.subprocess.PIPE, limit=1_000_000
    )
    try:
        event = await asyncio.wait_for(_line_about(program, registered.company_id), SECONDS)
    finally:
        program.kill()
        await program.wait()
    assert event["type"] == "tyrsky.company.registered.v1"
    assert event["college"] == "elsewhere"
    assert event["data"]["name"] == "Esimerkki Oy"


async def _line_about(program: asyncio.subprocess.Process, subject: UUID) -> dict[str, Any]:
    assert program.stdout
    async for line in program.stdout:
        event = json.loads(line)
        if event["subject"] == str(subject):
            return event
    raise AssertionError("the example ended before it saw the event")


def test_the_example_is_short_and_has_nothing_of_tyrsky_s():
    program = EXAMPLE.read_text()
    assert len([line for line in program.splitlines() if line]) <= 30
    assert "import tyrsky" not in program
    assert "from tyrsky" not in program


async def test_a_private_topic_is_refused(partner: Partner):
    with pytest.raises(TopicAuthorizationFailedError):
        await read(partner, "notification-requests", group=f"{partner.college}-reader")


async def test_a_topic_that_begins_as_a_public_one_is_refused(partner: Partner):
    with pytest.raises(TopicAuthorizationFailedError):
        await read(partner, "companies-dlq-companies-policies", group=f"{partner.college}-reader")


@pytest.mark.parametrize("group", ["companies-policies", "tredu-reader", "reader"])
async def test_a_group_of_another_s_is_refused(partner: Partner, group: str):
    with pytest.raises(GroupAuthorizationFailedError):
        await read(partner, "companies", group=group)


@pytest.mark.parametrize("topic", [topic.name for topic in topics.ALL])
async def test_writing_is_refused(partner: Partner, topic: str):
    with pytest.raises(TopicAuthorizationFailedError):
        async with AIOKafkaProducer(**partner.login()) as producer:
            await asyncio.wait_for(producer.send_and_wait(topic, b"{}", key=b"x"), SECONDS)


@pytest.mark.parametrize("changes", [{"sasl_plain_password": "guessed"}, {"sasl_plain_username": "nobody"}])
async def test_a_wrong_log_in_is_refused(partner: Partner, changes: dict[str, str], caplog: pytest.LogCaptureFixture):
    with pytest.raises(KafkaConnectionError):
        await read(partner, "companies", group=f"{partner.college}-reader", **changes)
    assert "SaslAuthenticationFailed" in caplog.text


async def test_no_log_in_is_refused(partner: Partner, caplog: pytest.LogCaptureFixture):
    with pytest.raises(KafkaConnectionError):
        await read(partner, "companies", group=f"{partner.college}-reader", security_protocol="PLAINTEXT")
    assert "closed" in caplog.text


async def read(partner: Partner, topic: str, *, group: str, **changes: str) -> None:
    """Read one message, in the way that is refused."""
    consumer = AIOKafkaConsumer(topic, group_id=group, auto_offset_reset="earliest", **partner.login(**changes))
    try:
        await asyncio.wait_for(consumer.start(), SECONDS)
        await asyncio.wait_for(consumer.getone(), SECONDS)
    finally:
        await consumer.stop()
