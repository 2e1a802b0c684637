"""What stands for the two ends of a line, in tests of what is between."""

import asyncio
import socket

from tests.faults.proxy import Proxy


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Echo:
    """A server that answers with what it was asked, and remembers it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.heard: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            self.heard.append(chunk)
            writer.write(chunk)
        writer.close()


class Line:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, between: Proxy) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", between.port))

    async def ask(self, text: bytes) -> bytes:
        self.writer.write(text)
        return await self.reader.read(65_536)
