"""Health: what is missing is named, and waited for."""

import asyncio
import logging
from typing import Any, cast
from unittest.mock import MagicMock

import httpx2
import pytest
from fastapi import FastAPI
from tyrsky import health, service
from tyrsky.health import Health, PartsMissing
from tyrsky.service import Service
from tyrsky.settings import Settings


async def ok() -> None:
    """A part that answers."""


async def away() -> None:
    raise ConnectionRefusedError("at 10.0.0.1, password x")


async def hangs() -> None:
    await asyncio.sleep(60)


def client_of(parts: Health) -> httpx2.AsyncClient:
    app = FastAPI()
    health.install(app, parts)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test")


async def test_ready_names_each_part():
    parts = Health()
    parts.part("mongo", ok)
    parts.part("kafka", away)
    async with client_of(parts) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {
            "status": "not-ready",
            "parts": {"mongo": "ok", "kafka": "ConnectionRefusedError"},
            "pauses": {},
        }
        assert (await client.get("/livez")).status_code == 200


async def test_ready():
    parts = Health()
    parts.part("mongo", ok)
    async with client_of(parts) as client:
        assert (await client.get("/readyz")).json() == {"status": "ready", "parts": {"mongo": "ok"}, "pauses": {}}


async def test_a_group_that_pauses_is_told_and_the_service_is_ready_all_the_same():
    parts = Health(pauses=lambda: {"companies-reach": "TimeoutError"})
    async with client_of(parts) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["pauses"]) == (200, {"companies-reach": "TimeoutError"})


async def test_outside_nobody_is_told_of_groups():
    parts = Health(pauses=lambda: {"companies-reach": "TimeoutError"})
    async with client_of(parts) as client:
        answer = await client.get("/readyz", headers={"X-Forwarded-For": "192.0.2.1"})
    assert answer.json() == {"status": "ready", "parts": {}}


async def test_however_many_look_the_parts_are_asked_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.3)
    asked = 0

    async def slow() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.05)
        if asked > 1:
            raise ConnectionRefusedError

    parts = Health()
    parts.part("kafka", slow)
    async with client_of(parts) as client:
        impatient = asyncio.create_task(client.get("/readyz"))
        await asyncio.sleep(0.01)
        looks = [asyncio.create_task(client.get("/readyz")) for _ in range(50)]
        await asyncio.sleep(0.01)
        impatient.cancel()  # takes nobody's answer along
        assert {(await look).status_code for look in looks} == {200}
        assert (await client.get("/readyz")).status_code == 200
        assert asked == 1
        await asyncio.sleep(0.4)
        assert (await client.get("/readyz")).status_code == 503
        assert asked == 2
    await parts.close()


async def test_a_part_that_hangs_is_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)
    parts = Health()
    parts.part("kafka", hangs)
    assert await parts.missing() == {"kafka": "TimeoutError"}


async def test_the_start_waits_and_says_what_for(caplog: pytest.LogCaptureFixture):
    here = asyncio.Event()

    async def late() -> None:
        if not here.is_set():
            raise ConnectionRefusedError

    parts = Health()
    parts.part("mongo", ok, at="127.0.0.1:17017")
    parts.part("kafka", late, at="127.0.0.1:19092")
    asyncio.get_running_loop().call_later(0.1, here.set)
    with caplog.at_level(logging.INFO):
        await parts.wait(5)
    assert [record.getMessage() for record in caplog.records] == [
        "waiting for kafka at 127.0.0.1:19092 (ConnectionRefusedError)"
    ]


async def test_the_start_gives_up_and_says_on_what():
    parts = Health()
    parts.part("kafka", away, at="127.0.0.1:19092")
    with pytest.raises(PartsMissing, match=r"kafka at 127\.0\.0\.1:19092 \(ConnectionRefusedError\)"):
        await parts.wait(0.2)


async def test_the_store_is_asked_over_a_connection_that_no_request_has(monkeypatch: pytest.MonkeyPatch):
    """The requests' are all taken where there is much to do: they hang here."""
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.2)
    made: list[tuple[str, int]] = []

    def client(name: str, settings: Settings, *, connections: int = 50) -> Any:
        made.append((name, connections))
        found = MagicMock()
        found.__getitem__.return_value.command = hangs_at if len(made) == 1 else pong
        return found

    async def hangs_at(_: str) -> None:
        await hangs()

    async def pong(_: str) -> None:
        """At once."""

    monkeypatch.setattr(service, "mongo_client", client)
    settings = cast("Any", Settings)(colleges=["vaao"], oidc_issuer="http://127.0.0.1:9", kafka_bootstrap="127.0.0.1:9")
    whole = Service("tryout", settings)
    whole.asgi()
    assert "mongo" not in await whole.health.missing()
    assert made == [("tryout", 50), ("tryout-health", 1)]
