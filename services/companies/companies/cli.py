"""``tyrsky register``: fill the business register from a file of open data, and look into it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import rich.progress
import typer
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.table import Table
from tyrsky.aggregate import Rejected

from companies.importing import Report, import_register
from companies.register import COLLECTION, RegisterEntry, name_begins

app = typer.Typer(help="The business register: fill it from open data, look into it.", no_args_is_help=True)
says = Console(highlight=False, markup=False, soft_wrap=True)
complains = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

FOUND_MAX = 50

MongoUri = Annotated[str, typer.Option(envvar="MONGO_URI", help="The MongoDB server.")]
Database = Annotated[str, typer.Option(envvar="MONGO_DATABASE", help="The companies service's database.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON, or a zip of it.")],
    mongo_uri: MongoUri = "mongodb://127.0.0.1:27117",
    database: Database = "companies",
) -> None:
    """Import a FILE of the register's open data (YTJ v3). It may be run again: what is the same is left alone."""
    with _register(mongo_uri, database) as register, rich.progress.open(file, "rb", console=complains) as opened:
        report = import_register(opened, register)
    _tell(report)
    if report.stopped:
        _tell_where(file, report)
        raise typer.Exit(1)


@app.command()
def find(
    name: Annotated[str, typer.Argument(help="How a word of the name begins; å ä ö may be typed a a o.")],
    municipality: Annotated[str | None, typer.Option(help="Only there: the municipality's three digits.")] = None,
    mongo_uri: MongoUri = "mongodb://127.0.0.1:27117",
    database: Database = "companies",
) -> None:
    """Find companies of the register by NAME."""
    try:
        wanted: dict[str, Any] = {"search_keys": name_begins(name)}
    except Rejected:
        complains.print("There is no letter and no digit in that name.")
        raise typer.Exit(2) from None
    if municipality is not None:
        wanted["municipality"] = municipality
    with _register(mongo_uri, database) as register:
        found = [RegisterEntry.model_validate(each) for each in register.find(wanted).sort("name").limit(FOUND_MAX + 1)]
    if not found:
        complains.print("Nothing in the register begins so.")
        raise typer.Exit(1)
    table = Table("business id", "name", "municipality", "situation")
    for entry in found[:FOUND_MAX]:
        table.add_row(entry.business_id, entry.name, entry.municipality or "-", entry.situation)
    says.print(table)
    if len(found) > FOUND_MAX:
        complains.print(f"There are more than {FOUND_MAX}: type more of the name.")


@contextmanager
def _register(mongo_uri: str, database: str) -> Generator[Collection[dict[str, Any]]]:
    try:
        with MongoClient[dict[str, Any]](mongo_uri, serverSelectionTimeoutMS=5_000) as client:
            yield client[database][COLLECTION]
    except PyMongoError as error:
        complains.print(f"The register's store failed ({type(error).__name__}). What was stored is kept; run it again.")
        raise typer.Exit(1) from error


def _tell(report: Report) -> None:
    counts = f"{report.new:,} new, {report.changed:,} changed, {report.same:,} the same"
    if report.same and not (report.new or report.changed):
        counts += ": nothing to do"
    says.print(f"{report.records:,} records read: {counts}; {report.refused.total():,} refused")
    for reason, times in report.refused.most_common():
        says.print(
            f"  {times:,} refused: {reason} (the first is record {report.first_refused[reason]:,})", markup=False
        )


def _tell_where(file: Path, report: Report) -> None:
    last = f", business id {report.last_business_id}" if report.last_business_id else ""
    complains.print(
        f"Stopped in {file.name}: {report.stopped}. The last whole record was number {report.records:,}{last}; "
        f"{report.bytes_of_json:,} bytes of JSON had been read. What came before is kept. "
        "Fetch the file again, and run the import again: it goes on from what is there.",
    )
