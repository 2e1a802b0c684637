"""The whole register, or some municipalities of it, page by page from the open API.

The API finds by the name of a place, not by the code of a municipality: so for municipalities it is asked for each of
their names, Finnish and Swedish, and what it gives is kept by code. Who has an address of another post town is not
found so: the file of all companies has them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from pymongo.database import Database

from companies import register
from companies.importing import Importing
from companies.resuming import Place, Report, of_api
from companies.selecting import Selection, names_of
from companies.ytj_api import PAGE_COMPANIES, ApiFailed, YtjApi

PAGES_MAX = 20_000
"""Of one place. The register has some 8,200."""

Told = Callable[[int, int | None], None]
"""Is told how many records were read, and how many there will be, as far as is known."""


async def import_from_api(
    api: YtjApi,
    address: str,
    database: Database[dict[str, Any]],
    selection: Selection,
    tell: Told = lambda read, expected: None,
) -> Report:
    """Put every company that the API gives into the register; a run that was ended goes on at its page.

    Companies that come and go meanwhile move others from page to page: one may be missed, and is there the next time.

    :raises NotSelectable: when the name of a municipality is not known.
    """
    names: Sequence[str | None] = [None] if selection.municipalities is None else names_of(database, selection)
    report, checkpoint = Report(), of_api(database, address, selection)
    reached = checkpoint.resume(report)
    report.records = reached.records
    importing = Importing(database[register.COLLECTION], report, selection=selection, checkpoint=checkpoint)
    try:
        for asked in range(reached.asked, len(names)):
            first = reached.page + 1 if asked == reached.asked else 1
            await _place(api, importing, asked, names[asked], first, tell)
    except ApiFailed as error:
        report.stopped = str(error)
        return report
    checkpoint.remove()
    return report


async def _place(api: YtjApi, importing: Importing, asked: int, name: str | None, first: int, tell: Told) -> None:
    report = importing.report
    before = report.records - (first - 1) * PAGE_COMPANIES
    for number in range(first, PAGES_MAX + 1):
        page = await api.page(number, location=name)
        for record in page.companies:
            report.records += 1
            importing.take(record)
        importing.store(Place(report.records, asked, number))
        total = page.total_results
        tell(report.records, None if total is None else before + total)
        short = len(page.companies) < PAGE_COMPANIES
        if not page.companies or (short if total is None else number * PAGE_COMPANIES >= total):
            return
    raise ApiFailed(f"there are more than {PAGES_MAX:,} pages")
