"""``tyrsky project``: rebuild a read model from the first event, or print its hash."""

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Annotated, Any, Protocol

import typer
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.progress import Progress
from tyrsky_contracts.codec import Codec

from tyrsky.deliveries import cause_of
from tyrsky.projecting import Projection
from tyrsky.rebuilding import RebuildFailed, rebuild
from tyrsky.rows import Shelves
from tyrsky.settings import Settings, SettingsWrong
from tyrsky.store import Document

app = typer.Typer(help="Read models.", no_args_is_help=True)
console = Console()

ServiceName = Annotated[str, typer.Argument(help="The service's package, such as `companies`.")]
ProjectionName = Annotated[str, typer.Argument(help="The projection's name, such as `reach`.")]


class _Service(Protocol):
    """What is asked of ``<package>.main.service``."""

    name: str
    settings: Settings
    codec: Codec
    projections: dict[str, Projection[Any]]


@app.command("rebuild")
def rebuild_projection(
    service: ServiceName,
    name: ProjectionName,
    leave_out_failing: Annotated[
        bool, typer.Option(help="Fold a key whose event fails only up to that event, instead of changing nothing.")
    ] = False,
) -> None:
    """Fold a read model anew, from the first event, beside the running service; then readers see the new one."""
    of, projection = _find(service, name)

    async def run(database: AsyncDatabase[Document]) -> None:
        with Progress(console=console) as bar:
            task = bar.add_task(f"{service} {name}", total=None)
            shelf = await rebuild(
                projection,
                database,
                service=of.name,
                bootstrap=of.settings.kafka_bootstrap,
                codec=of.codec,
                leave_out_failing=leave_out_failing,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        console.print(f"{name} is rebuilt: {await shelf.collection.count_documents({})} rows, {await shelf.digest()}")

    _run(of, run)


@app.command("hash")
def hash_projection(service: ServiceName, name: ProjectionName) -> None:
    """Print a hash of all rows: the same for the same events, however often and in whatever batches they came."""
    of, projection = _find(service, name)

    async def run(database: AsyncDatabase[Document]) -> None:
        shelves = Shelves(database, projection)
        console.print(await shelves.shelf(await shelves.current()).digest())

    _run(of, run)


def _find(service: str, name: str) -> tuple[_Service, Projection[Any]]:
    try:
        found: _Service = import_module(f"{service}.main").service
    except (ModuleNotFoundError, AttributeError) as error:
        console.print(f"There is no service {service} here: {error}.")
        raise typer.Exit(2) from None
    except SettingsWrong as error:
        console.print(f"{service} is not set up here, as it is where it runs: {error}")
        raise typer.Exit(2) from None
    if name not in found.projections:
        console.print(f"{service} has no projection {name}; it has: {', '.join(found.projections) or 'none'}.")
        raise typer.Exit(2)
    return found, found.projections[name]


def _run(service: _Service, command: Callable[[AsyncDatabase[Document]], Coroutine[Any, Any, None]]) -> None:
    settings = service.settings

    async def run() -> None:
        client: AsyncMongoClient[Document] = AsyncMongoClient(
            settings.mongo_uri.get_secret_value(), serverSelectionTimeoutMS=5000
        )
        try:
            await command(client[settings.mongo_database or service.name])
        finally:
            await client.close()

    try:
        asyncio.run(run())
    except RebuildFailed as failed:
        console.print(f"[red]Nothing was changed[/]: {failed}")
        raise typer.Exit(1) from None
    except PyMongoError as error:
        console.print(f"[red]The store does not answer[/]: {cause_of(error)}")
        raise typer.Exit(2) from None
