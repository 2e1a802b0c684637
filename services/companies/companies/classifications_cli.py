"""``tyrsky classifications``: fill the official classifications from files of open data."""

from pathlib import Path
from typing import Annotated

import typer

from companies.classification import COLLECTION, Kind
from companies.classifying import Report, classify
from companies.tabular import NotReadable, content
from companies.terminal import Database, MongoUri, complains, opened, says

app = typer.Typer(help="Official classifications: fill them from open data.", no_args_is_help=True)

TOLD = 20
REASONS = {
    "code-missing": "there is no code, or another number of columns than in the first line",
    "code-wrong": "the code is not of this classification's form; a spreadsheet may have eaten its zeros",
    "code-twice": "the code was there before",
    "level-wrong": "the level is no number from 0 to 9",
    "parent-wrong": "what it is beneath is not in the file, or not above it",
    "name-missing": "there is no Finnish name",
    "name-wrong": "a name is too long, or has characters that are not seen",
}


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction] - typer calls a group's only command by the group's name
    """Official classifications: fill them from open data."""


@app.command("import")
def import_(
    kind: Annotated[Kind, typer.Argument(help="Which classification.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV.")],
    gone: Annotated[
        bool, typer.Option("--gone", help="Mark all that the file does not have as gone, however much it is.")
    ] = False,
    mongo_uri: MongoUri = "mongodb://127.0.0.1:27117",
    database: Database = "companies",
) -> None:
    """Import the classification KIND from FILE. It may be run again: what is the same is left alone."""
    with opened(mongo_uri, database) as store:
        try:
            report = classify(store[COLLECTION], kind, content(file), gone=gone)
        except NotReadable as no:
            complains.print(f"{file.name} cannot be imported: {no}. Nothing was changed.")
            raise typer.Exit(1) from None
    _tell(kind, report)
    if report.refused or report.held:
        raise typer.Exit(1)


def _tell(kind: Kind, report: Report) -> None:
    counts = f"{report.new:,} new, {report.changed:,} changed, {report.same:,} the same, {report.gone:,} gone"
    if not (report.new or report.changed or report.gone):
        counts += ": nothing to do"
    says.print(f"{kind}: {report.rows:,} rows read: {counts}; {report.refused:,} refused")
    for reason, times in report.passed_by.most_common():
        says.print(f"  {times:,} passed by: {reason}")
    for language, times in report.untranslated.most_common():
        says.print(f"  {times:,} have no name in {language}: the Finnish one is given, and said to be")
    for line, reason in report.errors[:TOLD]:
        complains.print(f"  line {line:,}: {REASONS[reason]}")
    if report.refused > TOLD:
        complains.print(f"  and {report.refused - TOLD:,} more")
    if report.held:
        complains.print(
            f"{report.held:,} classes are not in the file: are its lines all there? If so, --gone marks them as gone."
        )
