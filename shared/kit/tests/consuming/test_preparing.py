"""A service that begins: what the store takes long for is waited for."""

import os
from typing import Any, cast
from uuid import uuid4

import pytest
from tyrsky import service
from tyrsky.service import Service
from tyrsky.settings import Settings
from tyrsky.testing.tokens import Authority

from .proxy import Proxy

pytestmark = pytest.mark.stack


async def test_an_index_that_takes_longer_than_any_other_command_is_waited_for(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "SERVER_SECONDS", 1)
    with Authority() as authority:
        settings = cast("Any", Settings)(
            colleges=["vaao"],
            oidc_issuer=authority.issuer,
            mongo_uri=f"mongodb://127.0.0.1:{proxy.port}",
            mongo_database=f"kit_{uuid4().hex[:12]}",
            kafka_bootstrap=os.environ["KAFKA_BOOTSTRAP"],
        )
        tryout = Service("tryout", settings)

        async def prepare() -> None:
            proxy.slow = {b"createIndexes": 2.5}  # the client waits for 2 s else
            await tryout.database["grown"].create_index([("name", 1)])

        tryout.prepares(prepare)
        async with tryout.asgi().router.lifespan_context(tryout.app):
            proxy.slow = {}
            found = await tryout.database["grown"].index_information()
            await tryout.client.drop_database(tryout.database.name)
    assert "name_1" in found
