"""``tyrsky contracts``: what the events promise, written down and kept."""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from tyrsky_contracts.asyncapi import document
from tyrsky_contracts.compatibility import Release, breaks, release_of, releases
from tyrsky_contracts.event import Event
from tyrsky_contracts.schemas import FOLDER, MissingExample, events_of, schema_of
from tyrsky_contracts.topics import ALL

app = typer.Typer(no_args_is_help=True, help="Contracts: schemas, the AsyncAPI document, and what would break whom.")

Folder = Annotated[Path, typer.Option(help="The contracts' folder, shared/contracts of a work tree.")]


@app.command()
def generate(folder: Folder = FOLDER) -> None:
    """Write the JSON Schemas and the AsyncAPI document; delete the schemas of events that are no more."""
    texts = generated(folder)
    for file in generated_before(folder) - texts.keys():
        file.unlink()
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    typer.echo(f"{len(texts)} files in {folder}")


@app.command()
def check(folder: Folder = FOLDER) -> None:
    """Compare with the last release; name each break and the consumers that it breaks."""
    last = releases(folder)
    _refuse_breaks(last, _promised(version("tyrsky-contracts"), folder))
    typer.echo(f"keeps what {last[-1].version} promised" if last else "nothing was released yet")


@app.command()
def release(folder: Folder = FOLDER) -> None:
    """Write down what this version of the contracts promises (its number is the package's). Once, and for good."""
    number = version("tyrsky-contracts")
    file = folder / "releases" / f"{number}.json"
    if file.exists():
        sys.exit(f"{number} was released already; raise the version of tyrsky-contracts")
    now = _promised(number, folder)
    _refuse_breaks(releases(folder), now)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_pretty(now.model_dump(mode="json")))
    typer.echo(f"released {number}: {file}")


def generated(folder: Path) -> dict[Path, str]:
    """What ``generate`` writes, by file."""
    try:
        texts = {folder / "asyncapi.json": _pretty(document(ALL, folder))}
    except MissingExample as missing:
        sys.exit(str(missing))
    return texts | {folder / "schemas" / f"{event.type}.json": _schema_file(event) for event in events_of(ALL)}


def generated_before(folder: Path) -> set[Path]:
    """What an earlier ``generate`` wrote."""
    return {*(folder / "schemas").glob("*.json"), *folder.glob("asyncapi.json")}


def _schema_file(event: type[Event]) -> str:
    return _pretty({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema_of(event)})


def _promised(number: str, folder: Path) -> Release:
    try:
        return release_of(number, ALL, folder)
    except MissingExample as missing:
        sys.exit(str(missing))


def _refuse_breaks(released: list[Release], now: Release) -> None:
    found = breaks(released[-1], now) if released else []
    if found:
        sys.exit("\n".join(["the contract is broken:", *(f"  {broken}" for broken in found)]))


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
