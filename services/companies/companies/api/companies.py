"""Companies in the college's care."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.aggregate import Rejected
from tyrsky.catalogue import worded
from tyrsky.handling import Handling, handling
from tyrsky.listing import Listing, Page, any_of, equals, prefix
from tyrsky.store import Loaded
from tyrsky_contracts.companies import Situation

from companies.api.register import Register
from companies.api.words import BusinessIdText, BusinessLine, CompanyId, Line, Municipality, Staff
from companies.company import Company, CompanyCommand, RegisterCompany, TagCompany, aggregate, company_id
from companies.problems import problems
from companies.register import RegisterEntry, parse_business_id

router = APIRouter(prefix="/companies", tags=["companies"])

Companies = Annotated[Handling[Company, CompanyCommand], Depends(handling(aggregate))]
Tag = Annotated[str, Line, StringConstraints(max_length=40, pattern="^[^@]+$"), worded("tag-wrong")]


class NewCompany(BaseModel):
    """A company to take into the college's care."""

    model_config = ConfigDict(extra="forbid")

    business_id: BusinessIdText = Field(description="Its business id (Y-tunnus).", examples=["0100130-4"])


class CompanyTags(BaseModel):
    """The college's labels of a company, in place of those it has."""

    model_config = ConfigDict(extra="forbid")

    tags: list[Tag] = Field(
        max_length=20,
        description="The network sees them: they are never about a person.",
        examples=[["recruits-apprentices", "fair-2026"]],
    )


class CompanyView(BaseModel):
    """A company in the college's care, as the register had it when it was registered."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
                "business_id": "0100130-4",
                "name": "Esimerkkikahvila Oy",
                "municipality": "908",
                "business_line": "56300",
                "business_line_codes": "TOL2025",
                "situation": "active",
                "tags": ["recruits-apprentices"],
            }
        }
    )

    id: UUID
    business_id: str
    name: str
    municipality: str | None
    business_line: str | None
    business_line_codes: str | None
    situation: Situation
    tags: list[str]

    @classmethod
    def of(cls, loaded: Loaded[Company]) -> Self:
        """The company as the college's staff sees it."""
        return cls(id=loaded.id, **loaded.state.model_dump())


class CompaniesAsked(Listing):
    """How the list of companies can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"name": "state.name", "changed_at": "changed_at"}

    sort: Literal["name", "-name", "changed_at", "-changed_at"] = Field(
        "name", description="By name, or by when something was changed."
    )
    business_id: Annotated[str | None, equals("state.business_id")] = Field(
        None, max_length=30, description="In its written form.", examples=["0100130-4"]
    )
    municipality: Annotated[Municipality | None, equals("state.municipality")] = Field(
        None, description="The municipality's three digits.", examples=["908"]
    )
    business_line: Annotated[BusinessLine | None, prefix("state.business_line")] = Field(
        None, description="A line of business, or a class of them.", examples=["56"]
    )
    situation: Annotated[list[Situation], any_of("state.situation")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )
    tag: Annotated[str | None, equals("state.tags")] = Field(None, max_length=40, description="That has this label.")


@router.post(
    "",
    status_code=201,
    operation_id="registerCompany",
    summary="Take a company into care",
    responses=problems(
        "business-id-check-digit", "business-id-not-in-register", "company-ceased", "company-already-registered"
    ),
)
async def register(new: NewCompany, companies: Companies, entries: Register, staff: Staff) -> CompanyView:
    """Take a company of the business register into the college's care, once."""
    business_id = parse_business_id(new.business_id)
    found = await entries.find_one({"_id": business_id})
    if found is None:
        raise Rejected("business-id-not-in-register", field="business_id")
    entry = RegisterEntry.model_validate(found)
    command = RegisterCompany(
        company_id=company_id(staff.college, business_id),
        business_id=business_id,
        name=entry.name,
        municipality=entry.municipality,
        business_line=entry.business_line,
        business_line_codes=entry.business_line_codes,
        situation=entry.situation,
    )
    return await companies.handle(command, CompanyView)


@router.get("", operation_id="listCompanies", summary="List companies")
async def find(asked: Annotated[CompaniesAsked, Query()], companies: Companies, staff: Staff) -> Page[CompanyView]:
    """The companies in the college's care."""
    return (await companies.find(asked)).of(CompanyView.of)


@router.get("/{company_id}", operation_id="getCompany", summary="One company", responses=problems("company-unknown"))
async def get(company_id: CompanyId, companies: Companies, staff: Staff) -> CompanyView:
    """One company in the college's care."""
    return await companies.show(company_id, CompanyView)


@router.patch(
    "/{company_id}", operation_id="tagCompany", summary="Label a company", responses=problems("company-unknown")
)
async def tag(company_id: CompanyId, wanted: CompanyTags, companies: Companies, staff: Staff) -> CompanyView:
    """Replace the college's labels of a company."""
    command = TagCompany(company_id=company_id, tags=tuple(wanted.tags))
    return await companies.handle(command, CompanyView)
