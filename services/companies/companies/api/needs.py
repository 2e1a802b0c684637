"""What companies need, and what became of it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.aggregate import Rejected
from tyrsky.handling import Handling, handling
from tyrsky.listing import Listing, Moment, Page, any_of, at_least, below, equals
from tyrsky.store import Loaded
from tyrsky_contracts.companies import Need as Kind
from tyrsky_contracts.needs import Level, NeedOutcome

from companies.api.charted import CHARTED, Charted, TurnView, Words, visit_at
from companies.api.companies import Companies, going_on, is_there, of_company
from companies.api.visits import Visits
from companies.api.words import BusinessIdText, CompanyId, NeedId, Staff
from companies.need import (
    AssessNeed,
    ChartNeed,
    CloseNeed,
    Need,
    NeedCommand,
    OfferForNeed,
    Status,
    aggregate,
    need_on_visit,
)
from companies.problems import problems

router = APIRouter(tags=["needs"])

Needs = Annotated[Handling[Need, NeedCommand], Depends(handling(aggregate))]

VISIT = "7d2f6f0a-9c58-4f7e-8a35-6f1e0c9b4d2a"


class NewNeed(Charted):
    """A need to chart."""

    id: UUID | None = Field(
        None,
        description="Of the client's making, so that it may be sent until an answer comes. Of a need that is charted on"
        " a visit it follows from the visit and the kind: leave it out.",
    )
    kind: Kind
    level: Level | None = Field(
        None, description="How well workplace instructors guide, 1 to 5: of the kind `guidance-competence` alone."
    )


class Assessment(BaseModel):
    """How well a company's workplace instructors guide now."""

    model_config = ConfigDict(extra="forbid")

    level: Level = Field(description="1 not yet, 2 beginning, 3 managing, 4 good, 5 exemplary.")
    why: Words = Field("", examples=["Kaksi ohjaajaa kävi koulutuksen."])


class Offer(BaseModel):
    """What was offered for a need."""

    model_config = ConfigDict(extra="forbid")

    why: Annotated[Words, StringConstraints(min_length=1)] = Field(
        description="What was offered; it stays in the college.", examples=["Ohjaajakoulutus, kaksi iltapäivää."]
    )


class Closing(BaseModel):
    """What became of a need."""

    model_config = ConfigDict(extra="forbid")

    outcome: NeedOutcome = Field(description="Met or not met by what was offered; or the company took it back.")
    why: Words = Field("", examples=["Ohjaajat kouluttautuivat."])


class NeedView(BaseModel):
    """What a company needs, and what became of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "3b8e2a44-1f5d-5c0e-9a61-7d0f4b2c8e10",
                "status": "offered",
                "company_id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
                "business_id": "0100130-4",
                "kind": "guidance-competence",
                "charted_at": "2026-09-10T06:05:00Z",
                "charted_level": 2,
                "level": 2,
                "visit_id": VISIT,
                "survey_id": None,
                "words": "Kaksi ohjaajaa on uusia.",
                "history": [
                    {"status": "charted", "at": "2026-09-10T06:05:00Z", "why": ""},
                    {"status": "offered", "at": "2026-09-14T11:00:00Z", "why": "Ohjaajakoulutus."},
                ],
            }
        }
    )

    id: UUID
    status: Status
    company_id: UUID
    business_id: str
    kind: Kind
    charted_at: AwareDatetime
    charted_level: int | None
    level: int | None
    visit_id: UUID | None
    survey_id: UUID | None
    words: str
    history: list[TurnView]

    @classmethod
    def of(cls, loaded: Loaded[Need]) -> Self:
        """The need as the college's staff sees it."""
        return cls(id=loaded.id, **loaded.state.model_dump())


class NeedsAsked(Listing):
    """How the list of needs can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"charted_at": "state.charted_at"}

    sort: Literal["charted_at", "-charted_at"] = Field("-charted_at", description="By when they were charted.")
    company_id: UUID | None = Field(None, description="Of one company, and of those that go on as it.")
    business_id: Annotated[BusinessIdText | None, equals("state.business_id")] = Field(
        None, description="Of one company, by its business id as it is written.", examples=["0100130-4"]
    )
    kind: Annotated[list[Kind], any_of("state.kind")] = Field(
        [], max_length=6, description="One or more of them; all when none is given."
    )
    status: Annotated[list[Status], any_of("state.status")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )
    visit_id: Annotated[UUID | None, equals("state.visit_id")] = Field(None, description="Charted on one visit.")
    survey_id: Annotated[UUID | None, equals("state.survey_id")] = Field(None, description="Charted from one survey.")
    level_from: Annotated[int | None, at_least("state.level")] = Field(
        None, ge=1, le=5, description="Guided that well at least."
    )
    charted_from: Annotated[Moment | None, at_least("state.charted_at")] = Field(
        None, description="Charted then or later."
    )
    charted_before: Annotated[Moment | None, below("state.charted_at")] = Field(None, description="Charted earlier.")


@router.post(
    "/companies/{company_id}/needs",
    operation_id="chartNeed",
    summary="Chart a need",
    responses=problems(*CHARTED, "need-already-charted", "id-taken", "need-without-level", "need-id-not-free"),
)
async def chart(
    company_id: CompanyId, new: NewNeed, needs: Needs, companies: Companies, visits: Visits, staff: Staff
) -> NeedView:
    """Chart what a company needs. The same need sent again is the same need. One that a visit's record named already is
    described by this: its id is the same."""
    if new.visit_id is not None and new.id is not None:
        raise Rejected("need-id-not-free", field="id")
    need_id = need_on_visit(new.visit_id, new.kind) if new.visit_id else new.id or needs.new_id()
    company = await going_on(companies, company_id, sent_again=await is_there(needs, need_id))
    visit = await visit_at(new.visit_id, company, visits)
    command = ChartNeed(
        need_id=need_id,
        now=needs.now,
        charted_at=new.charted_at or needs.now,
        company_id=visit.state.company_id if visit else company.id,
        business_id=visit.state.business_id if visit else company.state.business_id,
        kind=new.kind,
        level=new.level,
        visit_id=new.visit_id,
        survey_id=new.survey_id,
        words=new.words,
    )
    return await needs.handle(command, NeedView)


@router.get("/needs", operation_id="listNeeds", summary="List needs")
async def find(
    asked: Annotated[NeedsAsked, Query()], needs: Needs, companies: Companies, staff: Staff
) -> Page[NeedView]:
    """What the college's companies need, the last charted first."""
    return (await needs.find(asked, await of_company(companies, asked.company_id))).of(NeedView.of)


@router.get("/needs/{need_id}", operation_id="getNeed", summary="One need", responses=problems("need-unknown"))
async def get(need_id: NeedId, needs: Needs, staff: Staff) -> NeedView:
    """One need, with its history."""
    return await needs.show(need_id, NeedView)


@router.post(
    "/needs/{need_id}/assess",
    operation_id="assessNeed",
    summary="Say how well instructors guide now",
    responses=problems("need-unknown", "need-is-closed", "need-without-level", "history-full"),
)
async def assess(need_id: NeedId, found: Assessment, needs: Needs, staff: Staff) -> NeedView:
    """Say how well the company's workplace instructors guide now."""
    return await needs.handle(AssessNeed(need_id=need_id, now=needs.now, **dict(found)), NeedView)


@router.post(
    "/needs/{need_id}/offer",
    operation_id="offerForNeed",
    summary="Note what was offered",
    responses=problems("need-unknown", "need-is-closed", "history-full"),
)
async def offer(need_id: NeedId, offered: Offer, needs: Needs, staff: Staff) -> NeedView:
    """Note what the company was offered for its need; something else may be offered later."""
    return await needs.handle(OfferForNeed(need_id=need_id, now=needs.now, why=offered.why), NeedView)


@router.post(
    "/needs/{need_id}/close",
    operation_id="closeNeed",
    summary="Close a need",
    responses=problems("need-unknown", "need-is-closed", "need-not-offered"),
)
async def close(need_id: NeedId, wanted: Closing, needs: Needs, staff: Staff) -> NeedView:
    """Say what became of a need. A closed one stays closed; what is needed again is charted again."""
    return await needs.handle(CloseNeed(need_id=need_id, now=needs.now, **dict(wanted)), NeedView)
