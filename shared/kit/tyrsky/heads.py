"""Requests read off a connection: by httptools, which takes a third of the time of h11, and alone would read a head, or
the headers behind a body in parts, without an end; and uvicorn would take in any number of requests at once.

Bodies are bounded elsewhere (``tyrsky.limits``): here are the limits of what comes before anybody asks for it.
"""

from collections.abc import Callable
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES_MAX = 131_072
"""More than the settings can allow, and than the gateway lets through: what is over the settings' limits is refused as
a problem (``tyrsky.limits``), and only what is over this at the socket, in a line of plain text."""

HEADERS_MAX = 256
"""Each costs a hundred times the bytes of the shortest one."""

PIPELINED_MAX = 16
"""Requests that may wait on a connection behind the one that is being answered. Hardly a client sends even two."""


class HeadError(ValueError):
    """What came is not taken."""


class Flow(FlowControl):
    """What is read and written; read on only when that is right: uvicorn would at every answer, and whenever a request
    asks for its body.
    """

    def __init__(self, transport: Any, right: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._right = right

    def resume_reading(self) -> None:
        """Read on, if that is right."""
        if self._right():
            super().resume_reading()


class Bounded(HttpToolsProtocol):
    """One connection, which ends when what comes has no end."""

    at_work: RequestResponseCycle | None = None
    """The request that was handed on last; ``cycle`` is the one that came last."""

    _behind_head = False
    _ended = False
    _unfinished = 0

    def connection_made(self, transport: Any) -> None:
        """A client came."""
        super().connection_made(transport)
        self.flow = Flow(transport, lambda: not self.pipeline and not self._ended)

    def connection_lost(self, exc: Exception | None) -> None:
        """A client went: said to the request at work too, where uvicorn says it to the one that came last."""
        self.pipeline.clear()
        if self.at_work is not None and not self.at_work.response_complete:
            self.at_work.disconnected = True
            self.at_work.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless all that came lately made neither a head nor a part of a body nor an end."""
        if self._ended:
            return
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > HEAD_BYTES_MAX and not self._ended:
            self.send_400_response("The head of the request is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; those behind a body in parts are nobody's."""
        if self._behind_head:
            return
        if len(self.headers) >= HEADERS_MAX:
            raise HeadError("too many headers")
        super().on_header(name, value)

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.pipeline) >= PIPELINED_MAX:
            raise HeadError("too many requests at once")
        self._behind_head = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._unfinished, self._behind_head = 0, True
        changes = self.parser.should_upgrade()  # pyright: ignore[reportOptionalMemberAccess]
        if changes and any(name in {b"content-length", b"transfer-encoding"} for name, _ in self.headers):
            raise HeadError("another protocol, and a body")  # which httptools would read as the next request
        super().on_headers_complete()
        if changes:  # which we do not; and where the next request begins is not known
            self.cycle.keep_alive = False
            self._end()
        elif self.expect_100_continue:
            _close_if_not_told(self.cycle)

    def on_body(self, body: bytes) -> None:
        """A part of the body is there."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end is there."""
        self._unfinished = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Take no more. What came before and is whole has its answer first: this one would be taken for that."""
        self._end()
        latest = self.cycle
        if latest is None or latest.response_complete:  # pyright: ignore[reportUnnecessaryComparison]
            super().send_400_response(msg)
        elif not latest.more_body:
            latest.keep_alive = False  # the connection ends with it
        elif self.pipeline or latest.response_started:
            self.transport.abort()
        else:
            super().send_400_response(msg)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.at_work = cycle
        super()._start_asgi_task(cycle, app)
        self.flow.resume_reading()

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing: anybody can send such requests, and as many lines of the log."""

    def _end(self) -> None:
        self._ended = True
        if not self.transport.is_closing():
            self.flow.pause_reading()


def _close_if_not_told(cycle: RequestResponseCycle) -> None:
    """Let the connection end with the answer when the client was not told to send the body: it may come all the same,
    or not, and then the next request would be read as that body (RFC 9110, 10.1.1).
    """
    send = cycle.send

    async def sent(message: ASGISendEvent) -> None:
        if cycle.waiting_for_100_continue:
            cycle.keep_alive = False
        await send(message)

    cycle.send = sent
