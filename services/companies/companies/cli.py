"""``tyrsky register``: fill the business register from open data, and look into it."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import rich.progress
import typer
from pymongo import database as pymongo_database
from rich.table import Table
from tyrsky.aggregate import Rejected

from companies import claiming, resuming, sizing
from companies.api_import import Told, import_from_api
from companies.claiming import REFRESH
from companies.importing import import_register
from companies.register import COLLECTION, RegisterEntry, name_begins
from companies.resuming import Report
from companies.selecting import EVERYWHERE, NotSelectable, Selection, Wanted, scans, select
from companies.tabular import NotReadable, content
from companies.terminal import Database, MongoUri, complains, opened, says
from companies.ytj_api import ADDRESS, Asking, YtjApi

app = typer.Typer(help="The business register: fill it from open data, look into it.", no_args_is_help=True)

FOUND_MAX = 50
TOLD = 20

Store = pymongo_database.Database[dict[str, Any]]
File = Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, readable=True, help="JSON, or a zip of it.")]
SizesFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV.")]
Places = Annotated[list[str] | None, typer.Option("--municipality", help="Companies there: three digits. Repeatable.")]
Regions = Annotated[list[str] | None, typer.Option("--region", help="Companies there: two digits. Repeatable.")]
Areas = Annotated[list[str] | None, typer.Option("--area", help="A college's area, by name or id. Repeatable.")]
Everything = Annotated[bool, typer.Option("--everything", help="The whole country, whatever the store.")]


@app.command("import")
def import_(
    file: File = None,
    from_api: Annotated[bool, typer.Option("--api", help="From the open API, page by page, instead.")] = False,
    municipality: Places = None,
    region: Regions = None,
    area: Areas = None,
    college: Annotated[str | None, typer.Option(help="Whose areas.")] = None,
    everything: Everything = False,
    api_address: Annotated[str, typer.Option(envvar="REGISTER_API", help="The open API.")] = ADDRESS,
    api_per_second: Annotated[float, typer.Option(envvar="REGISTER_API_PER_SECOND", min=0.01, max=10)] = 1,
    mongo_uri: MongoUri = "mongodb://127.0.0.1:27117",
    database: Database = "companies",
) -> None:
    """Import a FILE of the register's open data (YTJ v3), or all from its --api.

    It may be run again: what is the same is left alone, and one that was killed goes on where it was. Without a place
    it is the whole country; on the embedded store of the local stack the colleges' areas, if there are any.
    """
    if (file is None) != from_api:
        complains.print("Give a FILE, or --api: one of them.")
        raise typer.Exit(2)
    wanted = Wanted(municipality or (), region or (), area or (), college, everything)
    with opened(mongo_uri, database) as store:
        try:
            selection = _selected(store, wanted)
            if file is None:
                asking = Asking(address=api_address.rstrip("/"), per_second=api_per_second)
                report = asyncio.run(_from_api(asking, store, selection))
            else:
                report = _from_file(file, store, selection)
        except NotSelectable as no:
            complains.print(str(no))
            raise typer.Exit(2) from None
    _tell(report, selection)
    if report.stopped:
        _tell_where(file, report)
        raise typer.Exit(1)


def _selected(store: Store, wanted: Wanted) -> Selection:
    selection = select(store, wanted)
    if selection == EVERYWHERE and not wanted.everything and scans(store):
        complains.print("This store is the embedded one, which reads all companies for each search: import your areas.")
    return selection


def _from_file(file: Path, store: Store, selection: Selection) -> Report:
    checkpoint = resuming.of_file(store, file, selection)
    with rich.progress.open(file, "rb", console=complains) as read:
        return import_register(read, store[COLLECTION], selection=selection, checkpoint=checkpoint)


async def _from_api(asking: Asking, store: Store, selection: Selection) -> Report:
    with _bar() as tell:
        async with YtjApi(asking) as api:
            return await import_from_api(api, asking.address, store, selection, tell)


@contextmanager
def _bar() -> Generator[Told]:
    with rich.progress.Progress(
        *(rich.progress.TextColumn("{task.description}"), rich.progress.BarColumn()),
        *(rich.progress.MofNCompleteColumn(), rich.progress.TimeRemainingColumn()),
        console=complains,
    ) as progress:
        task = progress.add_task("Companies", total=None)

        def tell(read: int, expected: int | None) -> None:
            progress.update(task, completed=read, total=expected)

        yield tell


@app.command()
def sizes(file: SizesFile, mongo_uri: MongoUri = "mongodb://127.0.0.1:27117", database: Database = "companies") -> None:
    """Tell the register size classes (2003/361/EC) out of FILE: they are not in the open data."""
    with opened(mongo_uri, database) as store:
        try:
            report = sizing.size(store[COLLECTION], content(file))
        except NotReadable as no:
            complains.print(f"{file.name} cannot be imported: {no}. Nothing was changed.")
            raise typer.Exit(1) from None
    says.print(f"{report.changed:,} changed, {report.same:,} the same; {report.unknown:,} are not in the register")
    for line, reason in report.errors[:TOLD]:
        complains.print(f"  line {line:,}: {reason}")
    if report.errors:
        complains.print(f"{len(report.errors):,} lines were refused.")
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
    with opened(mongo_uri, database) as store:
        documents = store[COLLECTION].find(wanted).sort("name").limit(FOUND_MAX + 1)
        found = [RegisterEntry.model_validate(each) for each in documents]
    if not found:
        complains.print("Nothing in the register begins so.")
        raise typer.Exit(1)
    table = Table("business id", "name", "municipality", "situation")
    for entry in found[:FOUND_MAX]:
        table.add_row(entry.business_id, entry.name, entry.municipality or "-", entry.situation)
    says.print(table)
    if len(found) > FOUND_MAX:
        complains.print(f"There are more than {FOUND_MAX}: type more of the name.")


@app.command()
def status(mongo_uri: MongoUri = "mongodb://127.0.0.1:27117", database: Database = "companies") -> None:
    """Say how many companies there are, which imports have not ended, and what came of the last refresh."""
    with opened(mongo_uri, database) as store:
        says.print(f"{store[COLLECTION].count_documents({}):,} companies")
        for each in store[resuming.COLLECTION].find().sort("at"):
            says.print(f"Import of {each['source']}: {each['records']:,} records by {each['at']:%Y-%m-%d %H:%M} UTC")
        refresh = store[claiming.COLLECTION].find_one({"_id": REFRESH})
    if refresh is None:
        says.print("Never refreshed.")
        return
    counts = ", ".join(f"{times:,} {what}" for what, times in sorted(refresh["counts"].items())) or "nothing yet"
    says.print(f"Refresh of {refresh['day']}, {'done' if refresh['done'] else 'not done'}: {counts}")
    if refresh["pause_until"] is not None:
        says.print(f"  paused until {refresh['pause_until']:%Y-%m-%d %H:%M} UTC")


def _tell(report: Report, selection: Selection) -> None:
    counts = f"{report.new:,} new, {report.changed:,} changed, {report.same:,} the same"
    if report.same and not (report.new or report.changed):
        counts += ": nothing to do"
    says.print(f"{report.records:,} records read: {counts}; {report.refused.total():,} refused")
    if selection.municipalities is not None:
        says.print(f"  {report.passed_by:,} passed by: not in {len(selection.municipalities):,} municipalities")
    if report.went_on_after:
        says.print(f"  went on after record {report.went_on_after:,}, where an earlier run had come")
    for reason, times in report.refused.most_common():
        says.print(f"  {times:,} refused: {reason} (the first is record {report.first_refused[reason]:,})")


def _tell_where(file: Path | None, report: Report) -> None:
    last = f", business id {report.last_business_id}" if report.last_business_id else ""
    said = f"The last whole record was number {report.records:,}{last}"
    if file is None:
        complains.print(f"Stopped: {report.stopped}. {said}. Run the import again: it goes on from there.")
        return
    complains.print(
        f"Stopped in {file.name}: {report.stopped}. {said}; {report.bytes_of_json:,} bytes of JSON had been read. "
        "What came before is kept. Fetch the file again, and run the import again: it goes on from what is there.",
    )
