"""A line to a server, which a test may cut and mend."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from pymongo.uri_parser import parse_uri


class Line:
    """Passes bytes on both ways while it is whole; cut, it refuses and breaks connections."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._whole = True
        self._open: set[asyncio.StreamWriter] = set()
        self.uri = ""

    def cut(self) -> None:
        self._whole = False
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        self._whole = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        server_reader, server_writer = await asyncio.open_connection(*self._to)
        ends = {writer, server_writer}
        self._open |= ends
        try:
            await asyncio.gather(_pass_on(reader, server_writer), _pass_on(server_reader, writer))
        finally:
            self._open -= ends


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def line_to(mongo_uri: str) -> AsyncGenerator[Line]:
    """A line to the store, with a port of its own."""
    ((host, port), *_) = parse_uri(mongo_uri)["nodelist"]
    line = Line(host, port)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.uri = f"mongodb://127.0.0.1:{server.sockets[0].getsockname()[1]}/?directConnection=true"
    try:
        yield line
    finally:
        line.cut()
        server.close()
