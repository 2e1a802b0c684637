"""What is said of companies in requests and answers."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.catalogue import worded
from tyrsky.listing import Filter, Listing, any_of, equals, prefix
from tyrsky.store import Loaded
from tyrsky_contracts.companies import BusinessLineCodes, Situation, Stage

from companies.api.words import BusinessIdText, BusinessLine, Line, Municipality
from companies.care import FIELDS_MAX, RELATIONS_MAX, TAGS_MAX, FieldValue, NextStep, Relation, Subject
from companies.company import Company
from companies.register import name_begins
from companies.stages import Reached

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
