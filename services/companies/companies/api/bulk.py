"""Many companies changed alike; each is told by itself what came of it."""

from collections.abc import Awaitable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from tyrsky.aggregate import Rejected
from tyrsky.problems import Answer, told

from companies.api.companies import Companies
from companies.api.company_models import CompanyChanges, CompanyView
from companies.api.fields import Fields, defined
from companies.api.words import Staff
from companies.company import ChangeCompany
from companies.field import accepted
from companies.problems import problems

router = APIRouter(prefix="/companies", tags=["companies"])

BULK_MAX = 200


class BulkChange(BaseModel):
    """The same change of many companies."""

    model_config = ConfigDict(extra="forbid")

    ids: list[UUID] = Field(
        min_length=1,
        max_length=BULK_MAX,
        description="Each once; a company that is there twice is changed once.",
        examples=[["5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f"]],
    )
    change: CompanyChanges


UNKNOWN: dict[str, Any] = {
    "type": "/problems/company-unknown",
    "title": "There is no such company in your college's care. Find it in the register and register it first.",
    "status": 404,
    "code": "company-unknown",
    "field": None,
    "about": {"id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f"},
    "errors": None,
    "trace_id": None,
}


class Outcome(BaseModel):
    """What came of one of many: the company after it, or why it was refused."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f", "company": None, "problem": UNKNOWN}
        }
    )

    id: UUID
    company: CompanyView | None = None
    problem: Answer | None = None


async def _outcome(request: Request, id: UUID, done: Awaitable[CompanyView]) -> Outcome:
    try:
        return Outcome(id=id, company=await done)
    except Rejected as refusal:
        return Outcome(id=id, problem=told(request, refusal))


@router.post(
    "/bulk",
    operation_id="changeCompanies",
    summary="Change many companies",
    responses=problems("field-unknown", "field-value-wrong"),
)
async def change(
    bulk: BulkChange, request: Request, response: Response, companies: Companies, fields: Fields, staff: Staff
) -> list[Outcome]:
    """Change many companies alike. What is refused of one changes nothing for the others."""
    wanted = bulk.change.given()
    if "fields" in wanted:
        wanted["fields"] = accepted(await defined(fields), wanted["fields"])
    outcomes = [
        await _outcome(request, id, companies.handle(ChangeCompany(company_id=id, **wanted), CompanyView))
        for id in dict.fromkeys(bulk.ids)
    ]
    del response.headers["ETag"]  # of the last of them, and of no use to who asked for all
    return outcomes
