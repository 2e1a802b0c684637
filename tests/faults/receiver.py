"""The other end of the webhooks: takes every call, and writes it into the ledger before it answers."""

import asyncio
import hmac
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from pydantic import SecretStr
from tyrsky.webhooks import signed, signing_key

from tests.faults.ledger import Ledger

HOST = "127.0.0.1"
HEAD_BYTES_MAX = 65_536


class Receiver:
    """A small HTTP server; who calls twice with one ``webhook-id`` is heard twice, and told apart later."""

    def __init__(self, port: int, ledger: Ledger, secret: str) -> None:
        self._port = port
        self._ledger = ledger
        self._key = signing_key(SecretStr(secret))
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}/"

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
        genuine = self._is_genuine(headers, body)
        id = headers.get("webhook-id", "")
        self._ledger.noted("webhook", id=id, body=body.decode(errors="replace"), genuine=genuine)
        writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return headers.get("connection", "").lower() != "close"

    def _is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether it is signed by the secret. When it says it was is no matter here: clocks jump."""
        told = headers.get("webhook-timestamp", "")
        if not told.isdecimal():
            return False
        expected = signed(self._key, headers.get("webhook-id", ""), datetime.fromtimestamp(int(told), UTC), body)
        return hmac.compare_digest(expected["webhook-signature"], headers.get("webhook-signature", ""))
