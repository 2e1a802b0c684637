"""``tyrsky serve``: one service in one process. More of them are more processes, which the deployment starts."""

import importlib
from typing import Annotated

import typer
import uvicorn

from tyrsky import logs, settings
from tyrsky.connections import Connection, allowed

Package = Annotated[str, typer.Argument(help="The service's package, such as `companies`.")]


def serve(package: Package) -> None:
    """Run a service until it is told to stop; what is under way is finished within STOP_SECONDS."""
    try:
        found = settings_of(package).read()
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
        http=Connection,
        timeout_keep_alive=found.keep_alive_seconds,
        timeout_graceful_shutdown=found.stop_seconds // 2,  # the other half is the service's own
        log_config=None,
        access_log=False,  # it logs paths and addresses; ours is tyrsky.access
        server_header=False,
        ws="none",
    )


def settings_of(package: str) -> type[settings.Settings]:
    """The class of a service's settings; without a ``settings.py`` it has those of every service.

    :raises typer.BadParameter: when there is no such service.
    """
    is_there(package)
    try:
        return importlib.import_module(f"{package}.settings").Settings
    except ModuleNotFoundError as error:
        if error.name != f"{package}.settings":
            raise
        return settings.Settings


def is_there(package: str) -> None:
    """Whether a service is installed.

    :raises typer.BadParameter: it is not.
    """
    try:
        importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise typer.BadParameter(f"there is no service in a package {package}") from None
