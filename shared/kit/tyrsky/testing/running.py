"""A whole service under test: as its ``main.py`` puts it together, on the real store and Kafka, in this process.

async with running("seats", webhook_url=receiver.url) as seats:
    answer = await seats.post("/rooms", {"seats": 2})
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec, module_from_spec
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import httpx2
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tyrsky.auth import Role
from tyrsky.service import Service
from tyrsky.testing.tokens import Authority

COLLEGES = ("vaao", "sasky")


class Running:
    """The service, and people who call it."""

    def __init__(self, service: Service, http: httpx2.AsyncClient, authority: Authority) -> None:
        self.service = service
        self.http = http
        self._authority = authority

    async def get(self, path: str, *, college: str = "vaao", role: Role = "outreach") -> httpx2.Response:
        """Ask, as somebody of a college with a role."""
        return await self.http.get(path, headers=self._authority.headers(college, [role]))

    async def post(
        self, path: str, body: Any = None, *, key: str = "", college: str = "vaao", role: Role = "outreach"
    ) -> httpx2.Response:
        """Wish something; another ``key`` is another wish, and without one it is a wish of its own."""
        headers = self._authority.headers(college, [role]) | {"Idempotency-Key": key or uuid4().hex}
        return await self.http.post(path, json=body, headers=headers)


@asynccontextmanager
async def running(package: str, **environment: object) -> AsyncGenerator[Running]:
    """A service at work, in a database that is gone afterwards. ``environment`` are its settings, as their fields are
    called; MONGO_URI and KAFKA_BOOTSTRAP say where the servers are."""
    with Authority() as authority:
        base: dict[str, object] = {
            "colleges": json.dumps(COLLEGES),
            "oidc_issuer": authority.issuer,
            "mongo_database": f"trial-{package}-{uuid4().hex[:12]}",
        }
        service = _put_together(package, base | environment)
        await _make_topics(service)
        transport = httpx2.ASGITransport(app=service.app)
        async with (
            service.app.router.lifespan_context(service.app),
            httpx2.AsyncClient(transport=transport, base_url=f"http://{package}.test") as http,
        ):
            try:
                yield Running(service, http, authority)
            finally:
                await service.client.drop_database(service.database.name)


def _put_together(package: str, environment: dict[str, object]) -> Service:
    """``main.py``, carried out anew: its settings are those of the moment."""
    found = find_spec(f"{package}.main")
    assert found is not None, f"there is no {package}.main"
    assert found.loader is not None
    main = module_from_spec(found)
    with patch.dict(os.environ, {name.upper(): str(value) for name, value in environment.items()}):
        found.loader.exec_module(main)
    return main.service


async def _make_topics(service: Service) -> None:
    """The service's own topics, as far as they are not there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=service.settings.kafka_bootstrap)
    await admin.start()
    try:
        missing = {topic.name for topic in service.own_topics} - set(await admin.list_topics())
        if missing:
            await admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1) for name in missing])
    finally:
        await admin.close()


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 30) -> None:
    """Wait until something holds that comes about by events, and so a moment later.

    :raises TimeoutError: when it does not.
    """
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.05)
