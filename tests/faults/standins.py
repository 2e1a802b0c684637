"""What stands for the two ends of a line, in tests of what is between."""

import asyncio

from tests.faults.proxy import Proxy
from tests.tools import free_port


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
