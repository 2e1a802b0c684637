"""Services and Kafka are killed while people work: what was answered is kept, is published, and is mailed once."""

import asyncio
import os
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.local.stack import Stack
from deploy.local.supervising import Supervisor

from . import world

pytestmark = pytest.mark.stack

VISITS = 36
VICTIMS = ["companies", "notifications", "kafka"] * 2


def kill(part: str) -> None:
    """kill -9; supervisord starts it again."""
    supervisor = Supervisor(Stack.of("test" if os.environ["TYRSKY_PROFILE"] == "test" else "default"))
    process = supervisor.processes()[part]
    if process.pid:
        os.killpg(os.getpgid(process.pid), signal.SIGKILL)


async def stubbornly(person: world.Person, company: str, contact: str) -> str:
    """Plan a visit as a client does that repeats itself, with the same key, until it is answered."""
    key, starts_at = str(uuid4()), datetime.now(UTC) + timedelta(days=3)
    for _ in range(200):
        try:
            answer = await person.plan(company, contact, starts_at=starts_at, Idempotency_Key=key)
        except httpx2.HTTPError:
            await asyncio.sleep(0.5)
            continue
        if answer.status_code == 201:
            return answer.json()["id"]
        assert answer.status_code in {409, 502, 503, 504}, answer.text
        await asyncio.sleep(0.5)
    raise AssertionError("never answered")


async def test_nothing_is_lost_and_nothing_is_done_twice(tmp_path: Path) -> None:
    person = world.Person("vaao-coordinator")
    id = world.business_id()
    world.import_register(tmp_path, world.record(id, "Sitkeä Oy"))
    address = f"sitkea.{uuid4().hex[:10]}@kone.example"
    company, contact = await person.company_with_contact(
        id, {"name": "Sitkeä Sissi", "email": address, "role": "decision-maker", "language": "fi"}
    )

    async def killer() -> None:
        for victim in VICTIMS:
            await asyncio.sleep(3)
            kill(victim)

    async def work(number: int) -> str:
        await asyncio.sleep(number * 0.5)
        return await stubbornly(person, company, contact)

    killing = asyncio.create_task(killer())
    visits = await asyncio.gather(*(work(number) for number in range(VISITS)))
    await killing
    assert len(set(visits)) == VISITS

    async def all_sent() -> dict[str, dict[str, Any]] | None:
        listed = await person.get("/notifications?limit=200&sort=-accepted_at")
        sent = {item["about"]: item for item in listed.json()["items"] if item["status"] == "sent"}
        return sent if listed.status_code == 200 and sent.keys() >= set(visits) else None

    notes = await world.eventually(all_sent, seconds=150)
    arrived = Counter(mail["Message-ID"] for mail in world.mails(address))
    assert len(arrived) == VISITS
    # Only of what a killed sender could not know may there be two, and they say so: one Message-ID, and `unsure`.
    unsure = sum(notes[visit]["unsure"] for visit in visits)
    assert arrived.total() - VISITS <= unsure
    planned = await world.all_messages("companies", visits)
    assert set(planned) == set(visits)
    for visit in visits:
        assert planned[visit] == sorted(planned[visit])
        assert set(planned[visit]) == {1}
        assert (await person.get(f"/visits/{visit}")).json()["status"] == "planned"
