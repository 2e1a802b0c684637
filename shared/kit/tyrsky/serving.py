"""``tyrsky serve``: one service in one process. More of them are more processes, which the deployment starts."""

import importlib
from typing import Annotated

import typer
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tyrsky import logs, settings
from tyrsky.connections import Connection, allowed

HEAD_BYTES_MAX = 131_072
"""More than the settings can allow, and than the gateway lets through: what is over the settings' limits is refused as
a problem (``tyrsky.limits``), and only what is over this at the socket, in a line of plain text."""


class Bounded(HttpToolsProtocol):
    """HTTP/1.1 by httptools, which takes a third of the time of h11, and alone would read a head without an end."""

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


Package = Annotated[str, typer.Argument(help="The service's package, such as `companies`.")]


def serve(package: Package) -> None:
    """Run a service until it is told to stop; what is under way is finished within STOP_SECONDS."""
    try:
        found = settings_of(package)()
    except settings.SettingsWrong as error:
        typer.echo(f"{package}: {error}", err=True)
        raise typer.Exit(2) from None
    logs.configure(package, found.log_level)
    try:
        Connection.most = allowed(found.connections_max)
    except OSError as error:
        typer.echo(f"{package}: {error}", err=True)
        raise typer.Exit(2) from None
    uvicorn.run(
        f"{package}.main:app",
        host=found.http_host,
        port=found.http_port,
        # h11 stops reading a head that is too long; httptools reads on, and memory with it.
        http=Connection,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        timeout_keep_alive=found.keep_alive_seconds,
        timeout_graceful_shutdown=found.stop_seconds // 2,  # the other half is the service's own
        log_config=None,
        access_log=False,  # it logs paths and addresses; ours is tyrsky.access
        server_header=False,
        ws="none",
    )


def settings_of(package: str) -> type[settings.Settings]:
    """The class of a service's settings.

    :raises typer.BadParameter: when there is no such service.
    """
    try:
        return importlib.import_module(f"{package}.settings").Settings
    except ModuleNotFoundError as error:
        if error.name not in {package, f"{package}.settings"}:
            raise
        raise typer.BadParameter(f"there is no service in a package {package}") from None
