"""Companies in the college's care."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.aggregate import Rejected
from tyrsky.catalogue import worded
from tyrsky.handling import Handling, handling
from tyrsky.listing import Filter, Listing, Page, any_of, equals, prefix
from tyrsky.store import Loaded
from tyrsky_contracts.companies import BusinessLineCodes, Situation, Stage

from companies.api.fields import Fields, defined, searched
from companies.api.register import Register
from companies.api.words import BusinessIdText, BusinessLine, CompanyId, Line, Municipality, Staff
from companies.care import FIELDS_MAX, RELATIONS_MAX, TAGS_MAX, CompanyCommand, FieldValue, NextStep, Relation, Subject
from companies.company import AddCompany, ChangeCompany, Company, RegisterCompany, aggregate, company_id
from companies.facts import Facts
from companies.field import accepted
from companies.problems import problems
from companies.register import RegisterEntry, name_begins, parse_business_id
from companies.stages import Reached

router = APIRouter(prefix="/companies", tags=["companies"])

Companies = Annotated[Handling[Company, CompanyCommand], Depends(handling(aggregate))]
Tag = Annotated[str, Line, StringConstraints(max_length=40, pattern="^[^@]+$"), worded("tag-wrong")]
Name = Annotated[str, Line, StringConstraints(max_length=300), worded("company-name-wrong")]


class NewCompany(BaseModel):
    """A company to take into the college's care: one of the register by its business id alone, another by hand."""

    model_config = ConfigDict(extra="forbid")

    business_id: BusinessIdText = Field(description="Its business id (Y-tunnus).", examples=["0100130-4"])
    name: Name | None = Field(
        None,
        description="Of one that the register does not have, such as a sole trader. It stays in the college.",
        examples=["Suutari Aino Esimerkki"],
    )
    municipality: Municipality | None = Field(None, description="With a name: where it is.", examples=["908"])
    business_line: BusinessLine | None = Field(None, description="With a name: what it does.", examples=["95230"])
    business_line_codes: BusinessLineCodes | None = Field(None, description="In which classification that is.")


class NextStepWanted(BaseModel):
    """What is to be done next, and by when."""

    model_config = ConfigDict(extra="forbid")

    what: Annotated[str, Line, StringConstraints(max_length=500)] = Field(examples=["Soita ja sovi käynti"])
    due: date = Field(examples=["2026-12-01"])


class CompanyChanges(BaseModel):
    """What is otherwise now. What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = Field(
        None,
        description="Of a company that was added by hand. Null leaves it as it is.",
        examples=["Suutari Aino Esimerkki"],
    )
    tags: list[Tag] | None = Field(
        None,
        max_length=TAGS_MAX,
        description="All labels. The network sees them: they are never about a person. Null leaves them as they are.",
        examples=[["recruits-apprentices", "fair-2026"]],
    )
    relations: list[Relation] | None = Field(
        None, max_length=RELATIONS_MAX, description="What the company is to the college. Null leaves them as they are."
    )
    owner: Subject | None = Field(
        None, description="Who looks after it: `sub` of their token. Null is nobody.", examples=["0d9c8b7a-6f5e-4d3c"]
    )
    next_step: NextStepWanted | None = Field(None, description="Null: it was done, or given up.")
    fields: dict[str, Any] | None = Field(
        None,
        max_length=FIELDS_MAX,
        description="Fields of the college's own, by their keys; each that is named. Null takes a value away.",
        examples=[{"sector": "it", "size": 12}],
    )

    def given(self) -> dict[str, Any]:
        """What is to be changed, as the aggregate names it."""
        changes = self.model_dump(exclude_unset=True)
        return {name: value for name, value in changes.items() if value is not None or name in ("owner", "next_step")}


class CompanyView(BaseModel):
    """A company in the college's care, as the register has it, and what the college makes of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
                "business_id": "0100130-4",
                "origin": "register",
                "name": "Esimerkkikahvila Oy",
                "municipality": "908",
                "business_line": "56300",
                "business_line_codes": "TOL2025",
                "situation": "active",
                "stage": "visited",
                "reached": [
                    {"stage": "visited", "reached_at": "2026-09-10T06:00:00Z", "because": "visit.recorded"},
                ],
                "tags": ["recruits-apprentices"],
                "relations": ["workplace"],
                "owner": "0d9c8b7a-6f5e-4d3c",
                "next_step": {"what": "Soita ja sovi käynti", "due": "2026-12-01"},
                "fields": {"sector": "it"},
                "merged_into": None,
                "absorbed": [],
            }
        }
    )

    id: UUID
    business_id: str
    origin: Literal["register", "by-hand"]
    name: str
    municipality: str | None
    business_line: str | None
    business_line_codes: str | None
    situation: Situation
    stage: Stage = Field(description="How far the college has come with it; it follows from what happened.")
    reached: list[Reached] = Field(description="The stages, when and by what they were reached.")
    tags: list[str]
    relations: list[Relation]
    owner: str | None
    next_step: NextStep | None
    fields: dict[str, FieldValue]
    merged_into: UUID | None = Field(description="The company that it goes on as.")
    absorbed: list[UUID] = Field(description="Companies that go on as this one.")

    @classmethod
    def of(cls, loaded: Loaded[Company]) -> Self:
        """The company as the college's staff sees it."""
        state = loaded.state
        absorbed = [each.company_id for each in state.absorbed]
        return cls(id=loaded.id, absorbed=absorbed, **state.model_dump(exclude={"absorbed", "cooperations"}))


def together(company: Loaded[Company]) -> list[str]:
    """The ids under which a company's contacts, visits and notes are: its own, and of those that go on as it."""
    return [str(company.id), *(str(each.company_id) for each in company.state.absorbed)]


def _by(day: date) -> dict[str, str]:
    return {"$lte": day.isoformat()}  # without a next step there is no text to compare


class CompaniesAsked(Listing):
    """How the list of companies can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {
        "name": "state.name",
        "changed_at": "changed_at",
        "due": "state.next_step.due",
    }

    sort: Literal["name", "-name", "changed_at", "-changed_at", "due", "-due"] = Field(
        "name", description="By name, by when something was changed, or by when the next step is due."
    )
    name: Annotated[str | None, Filter("state.search_keys", name_begins)] = Field(
        None, min_length=2, max_length=100, description="How a word of its name begins.", examples=["esimerkkik"]
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
    stage: Annotated[list[Stage], any_of("state.stage")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )
    tag: Annotated[str | None, equals("state.tags")] = Field(None, max_length=40, description="That has this label.")
    relation: Annotated[Relation | None, equals("state.relations")] = Field(None, description="That is this to us.")
    owner: Annotated[Subject | None, equals("state.owner")] = Field(None, description="That this one looks after.")
    due_by: Annotated[date | None, Filter("state.next_step.due", _by)] = Field(
        None, description="Whose next step is due on that day or before."
    )
    field: list[str] = Field(
        [],
        max_length=10,
        description="What a field of the college's own holds: `key:value`, `key>value`, `key<value`.",
        examples=[["sector:it"]],
    )
    merged: bool = Field(False, description="Those too that were merged into another one.")


@router.post(
    "",
    status_code=201,
    operation_id="registerCompany",
    summary="Take a company into care",
    responses=problems(
        "business-id-check-digit",
        "business-id-not-in-register",
        "business-id-in-register",
        "company-ceased",
        "company-already-registered",
    ),
)
async def register(new: NewCompany, companies: Companies, entries: Register, staff: Staff) -> CompanyView:
    """Take a company into the college's care, once: one of the business register, or one that it does not have."""
    business_id = parse_business_id(new.business_id)
    which: dict[str, Any] = {"company_id": company_id(staff.college, business_id), "business_id": business_id}
    found = await entries.find_one({"_id": business_id})
    if new.name is not None:
        if found is not None:
            raise Rejected("business-id-in-register", field="name")
        added = AddCompany.model_validate(which | new.model_dump(exclude={"business_id"}))
        return await companies.handle(added, CompanyView)
    if found is None:
        raise Rejected("business-id-not-in-register", field="business_id")
    facts = Facts.model_validate(RegisterEntry.model_validate(found).model_dump())
    return await companies.handle(RegisterCompany(**which, facts=facts), CompanyView)


@router.get(
    "",
    operation_id="listCompanies",
    summary="List companies",
    responses=problems("field-unknown", "field-search-wrong"),
)
async def find(
    asked: Annotated[CompaniesAsked, Query()], companies: Companies, fields: Fields, staff: Staff
) -> Page[CompanyView]:
    """The companies in the college's care."""
    narrowed: dict[str, Any] = {} if asked.merged else {"state.merged_into": None}
    if asked.field:
        narrowed["$and"] = searched(await defined(fields), asked.field)
    return (await companies.find(asked, narrowed)).of(CompanyView.of)


@router.get("/{company_id}", operation_id="getCompany", summary="One company", responses=problems("company-unknown"))
async def get(company_id: CompanyId, companies: Companies, staff: Staff) -> CompanyView:
    """One company in the college's care."""
    return await companies.show(company_id, CompanyView)


@router.patch(
    "/{company_id}",
    operation_id="changeCompany",
    summary="Change a company",
    responses=problems(
        "company-unknown",
        "company-merged",
        "company-name-from-register",
        "field-unknown",
        "field-required",
        "field-value-wrong",
    ),
)
async def change(
    company_id: CompanyId, changes: CompanyChanges, companies: Companies, fields: Fields, staff: Staff
) -> CompanyView:
    """Change what the college makes of a company: labels, relations, who looks after it, what is next, own fields."""
    wanted = changes.given()
    if "fields" in wanted:
        wanted["fields"] = accepted(await defined(fields), wanted["fields"])
    return await companies.handle(ChangeCompany(company_id=company_id, **wanted), CompanyView)
