"""A network that loses answers where a contract's test wants it: in memory, or before Kafka, a proxy of the rig's."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from aiokafka import client

from tests.faults.proxy import HOST, Proxy
from tests.faults.wire import KafkaTalk
from tests.simulation.network import Work
from tests.tools import free_port

KINDS = {
    "Produce": (0, "produce"),
    "Fetch": (1, "fetch"),
    "ListOffsets": (2, "end_offsets"),
    "OffsetCommit": (8, "commit"),
    "OffsetFetch": (9, "committed"),
    "EndTxn": (26, "end"),
}
"""Requests by Kafka's names: the number of the interface, and what the log in memory calls it."""

Count = Callable[[], int]


class Losing:
    """No network, but for answers that are lost."""

    def __init__(self) -> None:
        self._to_lose = Counter[str]()

    async def call(self, name: str, works: Sequence[Work], lost: Callable[[], Exception]) -> list[Any]:
        await asyncio.sleep(0)
        done = [work() for work in works]  # also those that are added meanwhile
        if self._to_lose[name]:
            self._to_lose[name] -= 1
            raise lost()
        return done

    def lose(self, kind: str, times: int) -> Count:
        """The next answers of that kind; tells how many are still to be lost."""
        name = f"kafka.{KINDS[kind][1]}"
        self._to_lose[name] = times
        return lambda: self._to_lose[name]


@asynccontextmanager
async def losing(bootstrap: str, kind: str, times: int) -> AsyncGenerator[Count]:
    """The same of clients that connect to Kafka meanwhile: all their ways lead through the proxy, whatever address
    Kafka tells them. It has to be a single broker."""
    host, _, port = bootstrap.partition(":")
    proxy = Proxy("contract-kafka", free_port(), (host, int(port)), partial(KafkaTalk, {KINDS[kind][0]: kind}))
    connect = client.create_conn

    async def through(_: str, __: int, **options: Any) -> Any:
        return await connect(HOST, proxy.port, **options)

    await proxy.start()
    try:
        with patch.object(client, "create_conn", through):
            proxy.cut_answers({kind: times})
            yield lambda: proxy.cuts_left
    finally:
        await proxy.close()
