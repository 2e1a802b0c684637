"""What an end-to-end test does to the running platform: it is a person at a college, and looks where people look."""

import asyncio
import email
import email.message
import email.policy
import imaplib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx2
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from companies import testing

T = TypeVar("T")

MUNICIPALITY = "908"  # Valkeakoski
PASSWORD = "demo"


def setting(name: str) -> str:
    """Where a part is; ``make test`` says it."""
    return os.environ[name]


def business_id() -> str:
    """A made-up business id, another each time."""
    return testing.business_id(secrets.randbelow(400_000))


def record(id: str, name: str) -> dict[str, Any]:
    """A made-up company as the register's open data has it."""
    return testing.record(
        businessId={"value": id, "registrationDate": "2019-05-06", "source": "3"},
        names=[{"name": name, "type": "1", "registrationDate": "2019-05-06", "version": 1, "source": "1"}],
    )


def import_register(folder: Path, *records: dict[str, Any]) -> str:
    """``tyrsky register import``, as an operator runs it; what it printed."""
    file = folder / f"register-{uuid4().hex[:8]}.json"
    file.write_text(json.dumps({"companies": list(records)}))
    done = run_import(file)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_import(file: Path) -> subprocess.CompletedProcess[str]:
    """``tyrsky register import`` of a file, however it ends."""
    return subprocess.run(
        [Path(sys.executable).with_name("tyrsky"), "register", "import", file],
        env={**os.environ, "MONGO_DATABASE": "companies"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def token(user: str) -> str:
    """An access token from the real identity provider."""
    answer = httpx2.post(
        f"{setting('OIDC_ISSUER')}/protocol/openid-connect/token",
        data={"grant_type": "password", "client_id": "tyrsky-cli", "username": user, "password": PASSWORD},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def traceparent() -> str:
    """A trace that the test begins, so that it knows it again."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


class Person:
    """Somebody with a log-in, in front of the gateway."""

    def __init__(self, user: str) -> None:
        self.http = httpx2.AsyncClient(
            base_url=setting("GATEWAY_URL"), headers={"Authorization": f"Bearer {token(user)}"}, timeout=30
        )

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.http.get(path, headers=headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        sent = {"Idempotency-Key": str(uuid4())} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, json=body, headers=sent)

    async def made(self, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """What a POST made; the test fails when it was refused."""
        answer = await self.post(path, body, **headers)
        assert answer.status_code in {200, 201}, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def company_with_contact(self, business_id: str, contact: dict[str, Any]) -> tuple[str, str]:
        """Ids of a company that was registered, and of its contact."""
        company = (await self.made("/companies", {"business_id": business_id}))["id"]
        return company, (await self.made(f"/companies/{company}/contacts", contact))["id"]

    async def plan(
        self, company: str, contact: str, *, starts_at: datetime | None = None, **headers: str
    ) -> httpx2.Response:
        """Plan a visit of an hour, a week from now unless said otherwise."""
        starts_at = starts_at or datetime.now(UTC) + timedelta(days=7)
        body = {
            "contact_id": contact,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        }
        return await self.post(f"/companies/{company}/visits", body, **headers)


async def eventually(look: Callable[[], Awaitable[T | None]], *, seconds: float = 60) -> T:
    """What is seen at last."""
    async with asyncio.timeout(seconds):
        while not (seen := await look()):
            await asyncio.sleep(0.3)
        return seen


def mails(address: str) -> list[email.message.EmailMessage]:
    """What is in somebody's mailbox."""
    with imaplib.IMAP4(setting("IMAP_HOST"), int(setting("IMAP_PORT")), timeout=20) as box:
        box.login(address, PASSWORD)
        box.select("INBOX", readonly=True)
        numbers = box.search(None, "ALL")[1][0].split()
        found: list[email.message.EmailMessage] = []
        for number in numbers:
            # While mails come in, lines about flags may stand between; the message is the pair.
            raw = next(part[1] for part in box.fetch(number.decode(), "(RFC822)")[1] if isinstance(part, tuple))
            found.append(email.message_from_bytes(raw, policy=email.policy.default))
        return found


async def messages(topic: str, subjects: Sequence[str], count: int) -> list[Any]:
    """The first ``count`` messages of a topic that are about these aggregates."""
    consumer = AIOKafkaConsumer(topic, **_reading())
    await consumer.start()
    found: list[Any] = []
    try:
        async with asyncio.timeout(30):
            while len(found) < count:
                message = await consumer.getone()
                if (message.key or b"").decode() in subjects:
                    found.append(message)
    finally:
        await consumer.stop()
    return found


async def all_messages(topic: str, subjects: Sequence[str]) -> dict[str, list[int]]:
    """The sequences of each of these aggregates, as the topic has them now, from its first message to its last."""
    consumer = AIOKafkaConsumer(**_reading())
    await consumer.start()
    found: dict[str, list[int]] = {}
    try:
        partitions = [TopicPartition(topic, number) for number in await _partitions(topic)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        async with asyncio.timeout(60):
            while any([await consumer.position(at) < ends[at] for at in partitions]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    for message in batch:
                        key = (message.key or b"").decode()
                        if key in subjects:
                            found.setdefault(key, []).append(int(dict(message.headers)["ce_sequence"]))
    finally:
        await consumer.stop()
    return found


def _reading() -> dict[str, Any]:
    """From the first message on, and only what was committed: a relay that died may have left more."""
    bootstrap = setting("KAFKA_BOOTSTRAP")
    return {"bootstrap_servers": bootstrap, "auto_offset_reset": "earliest", "isolation_level": "read_committed"}


async def _partitions(topic: str) -> Sequence[int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=setting("KAFKA_BOOTSTRAP"))
    await admin.start()
    try:
        [described] = await admin.describe_topics([topic])
        return [each["partition"] for each in described["partitions"]]
    finally:
        await admin.close()


async def spans(trace_id: str) -> list[dict[str, Any]]:
    """What the collector received of a trace."""
    async with httpx2.AsyncClient(base_url=setting("ZIPKIN_URL"), timeout=20) as zipkin:
        answer = await zipkin.get(f"/api/v2/trace/{trace_id}")
        return answer.json() if answer.status_code == 200 else []
