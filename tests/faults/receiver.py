"""The other end of the webhooks: takes every call, and writes it into the ledger before it answers."""

import asyncio
from contextlib import suppress

from tests.faults.ledger import Ledger

HOST = "127.0.0.1"
HEAD_BYTES_MAX = 65_536


class Receiver:
    """A small HTTP server; who calls twice with one ``webhook-id`` is heard twice, and told apart later."""

    def __init__(self, port: int, ledger: Ledger) -> None:
        self._port = port
        self._ledger = ledger
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, HOST, self._port, limit=HEAD_BYTES_MAX)

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while await self._take(reader, writer):
                    pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = [line.partition(":") for line in head.split("\r\n")[1:] if line]
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self._ledger.noted("webhook", id=headers.get("webhook-id", ""), body=body.decode(errors="replace"))
        writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return headers.get("connection", "").lower() != "close"
