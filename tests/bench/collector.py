"""Takes the spans that a service exports, in Zipkin's form, and keeps them unread until somebody asks."""

import asyncio
import json
from typing import Any, Self

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


class Collector:
    """A collector of the benchmark's own: a real one would take a share of the cores that are measured."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/api/v2/spans"

    def spans(self) -> list[dict[str, Any]]:
        """All spans so far."""
        return [span for body in self._bodies for span in json.loads(body)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                self._bodies.append(await reader.readexactly(length))
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
