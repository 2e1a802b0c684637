"""A proxy between two parts: passes on what comes, until it is told to be what networks are.

It can reset its connections, become a hole that accepts and passes nothing, be slow, refuse, and cut a connection when
a request was passed on and its answer has come back: what was asked is done, and nobody is told. What it did is
counted, so that a fault can prove that it took place; and of each effect that went out through it the ledger is told
how that went, so that a repeat can be held against it.
"""

import asyncio
import math
import socket
import struct
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from tests.faults.ledger import Ledger
from tests.faults.wire import Talk

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536
BACKLOG = 1_024  # 500 clients come at one moment
LINGER_ZERO = struct.pack("ii", 1, 0)  # a close is then a reset, as when a machine is gone


@dataclass(eq=False)
class _Connection:
    """One client's connection and the one that was opened for it. ``doomed``: the requests whose answers are to be
    lost, by number. ``carries``: effects that were handed over and not answered, and since when. ``harm``: what the
    proxy did to it since the last answer. ``deaf_since``: what is read next may have been sent so early."""

    client: asyncio.StreamWriter
    talk: Talk
    since: float
    server: asyncio.StreamWriter | None = None
    doomed: dict[int, str] = field(default_factory=dict[int, str])
    carries: dict[str, float] = field(default_factory=dict[str, float])
    harm: set[str] = field(default_factory=set[str])
    deaf_since: float = math.inf

    def cut(self) -> None:
        """End both at once, as a reset."""
        for writer in (self.client, self.server):
            if writer is not None and not writer.transport.is_closing():
                with suppress(OSError):
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
                writer.transport.abort()


class Proxy:
    """Listens on ``port``, passes on to ``target``, a host and its port; ``counts`` tells what it did to those who use
    it, and ``ledger`` is told when. ``talk`` makes a connection's understanding of what passes."""

    def __init__(self, name: str, port: int, target: tuple[str, int], talk: Callable[[], Talk] = Talk) -> None:
        self.name = name
        self.port = port
        self.target = target
        self.counts = Counter[str]()
        self.ledger: Ledger | None = None
        self._talk = talk
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[_Connection] = set()
        self._passes = asyncio.Event()
        self._passes.set()
        self._delay = 0.0
        self._cuts = Counter[str]()

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port, backlog=BACKLOG)

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
            self._harm(connection, "reset")
            connection.cut()
        if there:
            self._broke("reset")
        self.counts["resets"] += len(there)
        return len(there)

    def cut_answers(self, cuts: Mapping[str, int]) -> None:
        """Cut so many connections, by the kind of a request that was passed on, when its answer comes back."""
        self._cuts = Counter(cuts)
        for connection in self._connections:
            connection.doomed.clear()

    @property
    def cuts_left(self) -> int:
        """How many answers are still to be cut: those that are waited for too."""
        return self._cuts.total() + sum(len(each.doomed) for each in self._connections)

    @property
    def cuts_wanted(self) -> list[str]:
        """Kinds of requests of which none has come."""
        return sorted(+self._cuts)

    @asynccontextmanager
    async def hole(self, *, then: Literal["reset", "late"] = "reset") -> AsyncGenerator[None]:
        """Accept everything and pass nothing; at the end cut it off, or pass all on late, as networks may do too."""
        self._passes.clear()
        since = self._now()
        try:
            yield
        finally:
            self._broke("hole", since)
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
        connection = _Connection(writer, self._talk(), self._now())
        self._connections.add(connection)
        self.counts["connections"] += 1
        try:
            await self._pass(connection)
            if writer.transport.is_closing():
                return  # it was reset meanwhile, and what it brought is gone
            onward_reader, connection.server = await asyncio.open_connection(*self.target)
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
            self._cuts.update(connection.doomed.values())  # whose answers never came: others are to be lost
            self._carried(connection, answered=False)

    async def _ask(self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            sent_at, connection.deaf_since = min(connection.deaf_since, self._now()), math.inf
            connection.carries |= dict.fromkeys(connection.talk.goes_out(chunk), sent_at)
            await self._pass(connection)
            for kind, number in connection.talk.asked(chunk):
                if self._cuts[kind] and not connection.doomed:
                    self._cuts[kind] -= 1
                    connection.doomed[number] = kind
            writer.write(chunk)
            await writer.drain()
        await self._pass(connection)
        writer.write_eof()

    async def _answer(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            begins = connection.talk.answered(chunk, connection.doomed)
            if begins is not None:
                await self._lose(connection, writer, chunk[:begins])
                return
            await self._pass(connection)
            writer.write(chunk)
            await writer.drain()
            self._carried(connection, answered=True)
        await self._pass(connection)
        writer.write_eof()

    async def _lose(self, connection: _Connection, writer: asyncio.StreamWriter, before: bytes) -> None:
        """Pass on what came before the answer, and cut."""
        writer.write(before)
        await writer.drain()
        for kind in connection.doomed.values():
            self.counts["answers cut"] += 1
            self.counts[f"answers of {kind} cut"] += 1
        connection.doomed.clear()
        self._harm(connection, "answer cut")
        self._broke("answer cut")
        connection.cut()

    async def _pass(self, connection: _Connection) -> None:
        """Wait as long as the network wants."""
        if self._delay or not self._passes.is_set():
            connection.deaf_since = min(connection.deaf_since, self._now())
        if self._delay:
            self.counts["delayed"] += 1
            self._harm(connection, "delayed")
            await asyncio.sleep(self._delay)
        if not self._passes.is_set():
            self.counts["swallowed"] += 1
            self._harm(connection, "swallowed")
            await self._passes.wait()

    # -- what the ledger is told --------------------------------------------------------------------------------------

    def _now(self) -> float:
        return self.ledger.now() if self.ledger else 0.0

    def _harm(self, connection: _Connection, what: str) -> None:
        connection.harm.add(what)

    def _broke(self, how: str, since: float | None = None) -> None:
        if self.ledger:
            self.ledger.noted("broke", pair=self.name, how=how, since=self._now() if since is None else since)

    def _carried(self, connection: _Connection, *, answered: bool) -> None:
        """Effects that were handed over came to an end; or a connection was harmed on which none had been yet."""
        ended = dict(connection.carries) or ({"": connection.since} if connection.harm and not answered else {})
        if self.ledger and connection.talk.is_way_out:
            for id, since in ended.items():
                harm = sorted(connection.harm)
                self.ledger.noted("carried", pair=self.name, id=id, since=since, harm=harm, answered=answered)
        if connection.carries or not answered:
            connection.carries.clear()
            connection.harm.clear()
