"""A proxy between two parts: passes on what comes, until it is told to be what networks are.

It can reset its connections, become a hole that accepts and passes nothing, be slow, refuse, and cut a connection when
a request was passed on and its answer has come back: what was asked is done, and nobody is told. What it did is
counted, so that a fault can prove that it took place.
"""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536
LINGER_ZERO = struct.pack("ii", 1, 0)  # a close is then a reset, as when a machine is gone

Wanted = Callable[[bytes], bool]


@dataclass(eq=False)
class _Connection:
    """One client's connection and the one that was opened for it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    doomed: bool = False

    def cut(self) -> None:
        """End both at once, as a reset."""
        for writer in (self.client, self.server):
            if writer is not None and not writer.transport.is_closing():
                with suppress(OSError):
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
                writer.transport.abort()


class Proxy:
    """Listens on ``port``, passes on to ``target``; ``counts`` tells what it did to those who use it."""

    def __init__(self, name: str, port: int, target: int) -> None:
        self.name = name
        self.port = port
        self.target = target
        self.counts = Counter[str]()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[_Connection] = set()
        self._passes = asyncio.Event()
        self._passes.set()
        self._delay = 0.0
        self._cuts = 0
        self._wanted: Wanted = _anything

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port)

    async def close(self) -> None:
        """End all connections, and listen no more."""
        self._stop_listening()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what a network does ------------------------------------------------------------------------------------------

    def reset(self) -> int:
        """Cut all connections now; how many there were."""
        there = list(self._connections)
        for connection in there:
            connection.cut()
        self.counts["resets"] += len(there)
        return len(there)

    def cut_answers(self, times: int, wanted: Wanted | None = None) -> None:
        """Cut the next ``times`` connections on which a wanted request was passed on and something comes back."""
        self._cuts, self._wanted = times, wanted or _anything

    @property
    def cuts_left(self) -> int:
        """How many answers are still to be cut."""
        return self._cuts

    @asynccontextmanager
    async def hole(self, *, then: Literal["reset", "late"] = "reset") -> AsyncGenerator[None]:
        """Accept everything and pass nothing; at the end cut it off, or pass all on late, as networks may do too."""
        self._passes.clear()
        try:
            yield
        finally:
            if then == "reset":
                self.reset()
            self._passes.set()

    @asynccontextmanager
    async def delayed(self, seconds: float) -> AsyncGenerator[None]:
        """Hold all that comes for so long."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @asynccontextmanager
    async def refusing(self) -> AsyncGenerator[None]:
        """Nobody is there: connections are cut, and new ones refused."""
        self._stop_listening()
        self.reset()
        try:
            yield
        finally:
            await self.start()

    # -- passing on ---------------------------------------------------------------------------------------------------

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        connection = _Connection(writer)
        self._connections.add(connection)
        self.counts["connections"] += 1
        try:
            await self._pass()
            onward_reader, connection.server = await asyncio.open_connection(HOST, self.target)
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self._ask(connection, reader, connection.server))
                directions.create_task(self._answer(connection, onward_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass  # nobody is there, or one side is gone: then so is the other; or the proxy closes
        except ExceptionGroup as failed:
            if failed.split(OSError)[1]:
                raise
        finally:
            connection.cut()
            self._connections.discard(connection)

    async def _ask(self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._pass()
            if self._cuts and not connection.doomed and self._wanted(chunk):
                self._cuts -= 1
                connection.doomed = True
            writer.write(chunk)
            await writer.drain()
        await self._pass()
        writer.write_eof()

    async def _answer(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if connection.doomed:
                self.counts["answers cut"] += 1
                connection.cut()
                return
            await self._pass()
            writer.write(chunk)
            await writer.drain()
        await self._pass()
        writer.write_eof()

    async def _pass(self) -> None:
        """Wait as long as the network wants."""
        if self._delay:
            self.counts["delayed"] += 1
            await asyncio.sleep(self._delay)
        if not self._passes.is_set():
            self.counts["swallowed"] += 1
            await self._passes.wait()


def _anything(_: bytes) -> bool:
    return True


# -- requests that are worth losing the answer of ---------------------------------------------------------------------


def http_write(chunk: bytes) -> bool:
    """A request that changes something."""
    return chunk.startswith((b"POST ", b"PUT ", b"PATCH ", b"DELETE "))


def store_write(chunk: bytes) -> bool:
    """A write in MongoDB's wire protocol: the command is the first name in its document."""
    return any(command in chunk[:64] for command in (b"\x02insert\x00", b"\x02update\x00", b"\x02findAndModify\x00"))


def kafka_write(chunk: bytes) -> bool:
    """Kafka's Produce, OffsetCommit, AddOffsetsToTxn, EndTxn: the key of the interface stands after the length."""
    return len(chunk) > 6 and chunk[4:6] in (b"\x00\x00", b"\x00\x08", b"\x00\x19", b"\x00\x1a")


def mail_handed_over(chunk: bytes) -> bool:
    """The end of a message in SMTP: the server has it, and is about to say so."""
    return chunk.endswith(b"\r\n.\r\n")


def wanted_of(pair: str) -> Wanted:
    """What to cut between these two, such as ``companies-mongo``."""
    for end, wanted in (("-mongo", store_write), ("-kafka", kafka_write), ("-smtp", mail_handed_over)):
        if pair.endswith(end):
            return wanted
    return _anything if pair.endswith("-keycloak") else http_write
