"""Companies read from a sheet, and written to one; each row is told by itself what comes of it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.listing import LIMIT_MAX
from tyrsky.problems import Answer, told

from companies.api.companies import Companies, narrowed, taking_into_care
from companies.api.company_models import CompaniesAsked, CompanyChanges, CompanyView, NewCompany
from companies.api.fields import Fields, defined
from companies.api.register import Register
from companies.api.words import Staff
from companies.care import CompanyCommand
from companies.company import ChangeCompany, Company, aggregate, company_id
from companies.field import Field as OwnField
from companies.field import accepted
from companies.problems import problems
from companies.sheets import ROWS_MAX, Row, read_sheet, written

router = APIRouter(prefix="/companies", tags=["companies"])

TAKEN = ("name", "municipality", "business_line")
"""What a sheet says of a company that is new, and nothing of one that is in care."""

SHEET_MAX = 1_000_000
EXPORT_MAX = 10_000

WRONG: dict[str, Any] = {
    "type": "/problems/field-value-wrong",
    "title": "The value is not of the field's kind, or is not offered. Get the college's fields, and see.",
    "status": 422,
    "code": "field-value-wrong",
    "field": "field.size",
    "about": {"kind": "number"},
    "errors": None,
    "trace_id": None,
}


class RowOutcome(BaseModel):
    """What comes, or would come, of a row of a sheet."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"row": 2, "business_id": "0100130-4", "outcome": "refused", "problem": WRONG}}
    )

    row: int = Field(description="Its line in the sheet; the head is the first.", examples=[2])
    business_id: str | None = Field(None, examples=["0100130-4"])
    outcome: Literal["new", "changed", "same", "refused"]
    problem: Answer | None = None


class Sheet(BaseModel):
    """Companies in a sheet (CSV)."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(
        max_length=SHEET_MAX,
        description=f"The file's content, with a head and at most {ROWS_MAX} rows.",
        examples=["business_id;name;tags;field.sector\r\n0100130-4;;fair-2026|metal;it\r\n"],
    )
    preview: bool = Field(True, description="Tell what would come of it, and change nothing.")


@router.post(
    "/sheet",
    operation_id="importCompanies",
    summary="Read companies from a sheet",
    responses=problems("sheet-wrong", "sheet-long", "sheet-column-unknown"),
)
async def read(
    sheet: Sheet,
    request: Request,
    response: Response,
    companies: Companies,
    entries: Register,
    fields: Fields,
    staff: Staff,
) -> list[RowOutcome]:
    """Take the companies of a sheet into care, and change those that are in care already: what a cell says replaces
    what was there, an empty one leaves it. What is wrong with a row is told, and the others are done all the same."""
    own = await defined(fields)
    outcomes: list[RowOutcome] = []
    for row in read_sheet(sheet.text, own):
        try:
            before = await _in_care(row, companies, staff.college)
            commands = await _commands(row, before, own, entries, staff.college)
            after = before
            for command in commands:
                after = aggregate.fold(after, aggregate.decide(after, command))
            if not sheet.preview:
                for command in commands:
                    await companies.handle(command, CompanyView)
        except Rejected as refusal:
            outcomes.append(_refused(request, row, refusal))
        else:
            outcome = "new" if before is None else "same" if after == before else "changed"
            outcomes.append(RowOutcome(row=row.number, business_id=row.business_id, outcome=outcome))
    del response.headers["ETag"]
    return outcomes


async def _in_care(row: Row, companies: Companies, college: str) -> Company | None:
    if row.wrong is not None:
        raise row.wrong
    try:
        return (await companies.get(company_id(college, row.business_id))).state
    except Unknown:
        return None


async def _commands(
    row: Row, before: Company | None, own: Mapping[str, OwnField], entries: Register, college: str
) -> Sequence[CompanyCommand]:
    """What a row wants of a company that is, or is not yet, in care.

    :raises Rejected: what is wrong with it.
    """
    taken = {name: row.said[name] for name in TAKEN if name in row.said}
    changed = {name: value for name, value in row.said.items() if name not in TAKEN}
    try:
        changes = CompanyChanges.model_validate(changed | ({"fields": dict(row.fields)} if row.fields else {}))
        new = NewCompany.model_validate({"business_id": row.business_id, **taken})
    except ValidationError as error:
        raise Rejected("row-wrong", field=str(error.errors(include_input=False)[0]["loc"][0])) from None
    wanted = changes.given()
    if "fields" in wanted:
        wanted["fields"] = accepted(own, wanted["fields"])
    which = company_id(college, row.business_id)
    take = [] if before else [await taking_into_care(new, entries, college)]
    return [*take, ChangeCompany(company_id=which, **wanted)] if wanted else take


def _refused(request: Request, row: Row, refusal: Rejected) -> RowOutcome:
    problem = told(request, refusal)
    return RowOutcome(row=row.number, business_id=row.business_id or None, outcome="refused", problem=problem)


COLUMNS = (
    "business_id",
    "name",
    "municipality",
    "business_line",
    "situation",
    "stage",
    "tags",
    "relations",
    "owner",
    "next_step",
    "due",
)


EXAMPLE = "business_id;name;stage;tags\r\n0100130-4;Esimerkkikahvila Oy;visited;fair-2026|metal\r\n"


@router.get(
    "/sheet",
    operation_id="exportCompanies",
    summary="Write companies to a sheet",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}}, "description": "A sheet."}
    },
    response_class=StreamingResponse,
)
async def write(
    asked: Annotated[CompaniesAsked, Query()], companies: Companies, fields: Fields, staff: Staff
) -> StreamingResponse:
    """The companies of the list as a sheet (CSV with semicolons, UTF-8), at most 10,000; page and cursor are passed by.
    No cell is taken for a formula: what begins like one has an apostrophe before it."""
    own = sorted(await defined(fields))
    first = asked.model_copy(update={"limit": LIMIT_MAX, "cursor": None})
    base = await narrowed(asked, fields)
    page = await companies.find(first, base)  # what is wrong with what was asked is said before the sheet begins

    async def lines() -> AsyncIterator[str]:
        found, told_of = page, 0
        yield "\ufeff"  # without it, spreadsheets take UTF-8 for something else
        for line in written([[*COLUMNS, *(f"field.{key}" for key in own)]]):
            yield line
        while True:
            for line in written(_cells(each.state, own) for each in found.items):
                yield line
            told_of += len(found.items)
            if found.next is None or told_of >= EXPORT_MAX:
                return
            found = await companies.find(first.model_copy(update={"cursor": found.next}), base)

    headers = {"Content-Disposition": 'attachment; filename="companies.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


def _cells(company: Company, own: Sequence[str]) -> list[Any]:
    step = company.next_step
    return [
        *(getattr(company, name) for name in COLUMNS[:-2]),
        step.what if step else None,
        step.due if step else None,
        *(company.fields.get(key) for key in own),
    ]
