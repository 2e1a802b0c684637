"""A wire between a service and the store, that a test can cut."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from .rig import MONGO


class Proxy:
    """A wire to the store that can be cut, or go silent, or be slow with commands of one name."""

    def __init__(self) -> None:
        self.silent = False
        self.slow: dict[bytes, float] = {}
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self.silent = False
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Refuse connections, and end those that there are."""
        assert self._server
        self._server.close()
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = MONGO.removeprefix("mongodb://").split("/")[0].split(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer), return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await asyncio.sleep(max((seconds for name, seconds in self.slow.items() if name in data), default=0))
            if not self.silent:
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    await proxy.open()
    yield proxy
    await proxy.cut()
