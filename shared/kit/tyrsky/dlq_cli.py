"""``tyrsky dlq``: look at a service's dead letters, have them replayed, or drop them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import wraps
from typing import Annotated, Any, ParamSpec

import typer
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.table import Table

from tyrsky.boxes import NEVER
from tyrsky.dead_letters import DeadLetters
from tyrsky.deliveries import cause_of
from tyrsky.store import Document

app = typer.Typer(help="Dead letters: messages that a service could not take.", no_args_is_help=True)
console = Console()

WAIT_SECONDS = 20
"""How long ``replay`` waits for the service to try."""

Service = Annotated[str, typer.Option("--service", "-s", help="The service, whose name its database has.")]
MongoUri = Annotated[str, typer.Option(envvar="MONGO_URI", help="The MongoDB server.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids as `list` shows them.")]
Group = Annotated[str | None, typer.Option(help="Only of this consumer group.")]
Topic = Annotated[str | None, typer.Option(help="Only of this topic.")]
Key = Annotated[str | None, typer.Option(help="Only of this key.")]
Cause = Annotated[str | None, typer.Option(help="Only where this is part of a cause.")]
All = Annotated[bool, typer.Option("--all", help="All of the service's.")]

Filter = dict[str, str | None]
P = ParamSpec("P")


def _run(command: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """An async command for typer; a store that is away is said in one line."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            asyncio.run(command(*args, **kwargs))
        except PyMongoError as error:
            console.print(f"[red]The store does not answer[/]: {cause_of(error)}. Is MONGO_URI right?")
            raise typer.Exit(2) from None

    return run


@asynccontextmanager
async def _letters(mongo_uri: str, service: str) -> AsyncGenerator[DeadLetters]:
    client: AsyncMongoClient[Document] = AsyncMongoClient(mongo_uri, serverSelectionTimeoutMS=5000)
    try:
        if service not in await client.list_database_names():
            console.print(f"There is no database of a service {service}. Is the name right?", markup=False)
            raise typer.Exit(1)
        yield DeadLetters(client[service])
    finally:
        await client.close()


@app.command("list")
@_run
async def list_letters(
    service: Service,
    group: Group = None,
    topic: Topic = None,
    key: Key = None,
    cause: Cause = None,
    mongo_uri: MongoUri = "mongodb://127.0.0.1:27117",
) -> None:
    """List what waits: one line for a parked key or a message that could not be read. Shows no content."""
    table = Table("id", "cause", "letters", "since", "next try", title=f"Dead letters of {service}")
    async with _letters(mongo_uri, service) as letters:
        async for box in letters.find(group=group, topic=topic, key=key, cause=cause):
            first = box["letters"][0] if box["letters"] else {}
            table.add_row(
                box["_id"],
                first.get("cause", "waits"),
                str(box["count"]),
                f"{box['opened_at']:%Y-%m-%d %H:%M:%S}",
                _next_try(box),
            )
    if table.row_count:
        console.print(table)
    else:
        such = "such " if group or topic or key or cause else ""
        console.print(f"{service} has no {such}dead letters.")


@app.command()
@_run
async def show(
    id: Annotated[str, typer.Argument(help="An id as `list` shows it.")],
    service: Service,
    mongo_uri: MongoUri = "mongodb://127.0.0.1:27117",
) -> None:
    """Show one entry with everything in it. Its content may be personal data: mind who looks."""
    async with _letters(mongo_uri, service) as letters:
        box = await letters.get(id)
    if box is None:
        raise _unknown(service, id)
    console.print(f"[bold]{id}[/]: group {box['group']}, topic {box['topic']}, key {box['key']}, {_next_try(box)}")
    for letter in box["letters"]:
        console.rule(f"{letter['id']} {letter['type']}")
        console.print(f"cause: {letter.get('cause', 'waits behind the first')}; tried {letter['attempts']} times")
        if letter.get("error"):
            console.print(f"error: {letter['error']}", markup=False)
        for name, value in letter["headers"]:
            console.print(f"{name}: {_text(value)}", markup=False)
        console.print(_text(letter["body"]), markup=False)


@app.command()
@_run
async def replay(
    service: Service,
    ids: Ids = None,
    group: Group = None,
    topic: Topic = None,
    key: Key = None,
    cause: Cause = None,
    all: All = False,
    mongo_uri: MongoUri = "mongodb://127.0.0.1:27117",
) -> None:
    """Have the running service take them again, a key's letters in their order, and say what came of it."""
    failed = 0
    async with _letters(mongo_uri, service) as letters:
        chosen = await _chosen(letters, service, ids, {"group": group, "topic": topic, "key": key, "cause": cause}, all)
        if not chosen:
            console.print("There is no such letter.")
        for id in chosen:
            await letters.replay(id, datetime.now(UTC))
        for id in chosen:
            outcome = await _outcome(letters, id)
            failed += outcome is not None
            console.print(f"[red]{id}: {outcome}[/]" if outcome else f"[green]{id}: taken[/]")
    if failed:
        raise typer.Exit(1)


@app.command()
@_run
async def drop(
    service: Service,
    ids: Ids = None,
    group: Group = None,
    topic: Topic = None,
    key: Key = None,
    cause: Cause = None,
    all: All = False,
    letter: Annotated[str | None, typer.Option(help="Only this letter (such as 0-12) of one entry.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    mongo_uri: MongoUri = "mongodb://127.0.0.1:27117",
) -> None:
    """Give letters up for ever. What they say will never have happened for this group."""
    async with _letters(mongo_uri, service) as letters:
        chosen = await _chosen(letters, service, ids, {"group": group, "topic": topic, "key": key, "cause": cause}, all)
        boxes = [box for id in chosen if (box := await letters.get(id))]
        dropped = [(box["_id"], each) for box in boxes for each in box["letters"] if letter in (None, each["id"])]
        if not dropped:
            console.print("There is no such letter.")
            raise typer.Exit(1)
        if not yes:
            typer.confirm(f"Drop {len(dropped)} letters of {len(boxes)} entries for ever?", abort=True)
        for id, each in dropped:
            await letters.take_out(id, each)
            await letters.close_if_empty(id)
            await letters.replay(id, datetime.now(UTC))  # what waited behind may go on
    console.print(f"{len(dropped)} letters are dropped.")


async def _chosen(letters: DeadLetters, service: str, ids: list[str] | None, where: Filter, all: bool) -> list[str]:
    if not ids and not any(where.values()) and not all:
        console.print("Say which: ids, --group, --topic, --key, --cause, or --all.")
        raise typer.Exit(2)
    if ids:
        for id in ids:
            if await letters.get(id) is None:
                raise _unknown(service, id)
        return ids
    return [box["_id"] async for box in letters.find(**where)]


async def _outcome(letters: DeadLetters, id: str) -> str | None:
    """None when the letters were taken; otherwise what happened instead."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        box = await letters.get(id)
        if box is None:
            return None
        if box["attempts"]:
            return f"failed again: {box['letters'][0].get('cause') if box['letters'] else 'unknown'}"
        await asyncio.sleep(0.2)
    return f"nobody has finished with it in {WAIT_SECONDS} s; is the service running?"


def _unknown(service: str, id: str) -> typer.Exit:
    console.print(f"{service} has no dead letter {id}.", markup=False)
    return typer.Exit(1)


def _next_try(box: Document) -> str:
    return "by `tyrsky dlq replay`" if box["due_at"] == NEVER else f"{box['due_at']:%Y-%m-%d %H:%M:%S}"


def _text(value: bytes | None) -> str:
    return "" if value is None else bytes(value).decode("utf-8", "backslashreplace")
