"""Requests read off a connection: by httptools, which takes a third of the time of h11, and alone would read a head, or
the headers behind a body in parts, without an end.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 131_072
"""More than the settings can allow, and than the gateway lets through: what is over the settings' limits is refused as
a problem (``tyrsky.limits``), and only what is over this at the socket, in a line of plain text."""


class Bounded(HttpToolsProtocol):
    """One connection, which is cut off when what comes has no end."""

    _behind_head = False
    _unfinished = 0

    def data_received(self, data: bytes) -> None:
        """Read on, unless all that came lately made neither a head nor a part of a body nor an end."""
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; those behind a body in parts are nobody's."""
        if not self._behind_head:
            super().on_header(name, value)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._behind_head = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._unfinished, self._behind_head = 0, True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body is there."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end is there."""
        self._unfinished = 0
        super().on_message_complete()
