"""Whom to reach first, and why."""

import asyncio
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.handling import Handling, handling
from tyrsky.listing import LIMIT_MAX
from tyrsky.rows import Rows
from tyrsky.store import Loaded

from companies.api.companies import Companies
from companies.api.fields import Admin
from companies.api.places import KnownPlaces, Places
from companies.api.register import NetworkReach, Register
from companies.api.words import Municipality, Region, Staff
from companies.company import company_id
from companies.priorities import LinePrefix, Priorities, SetPriorities, Weight, aggregate, priorities_id
from companies.problems import problems
from companies.ranking import REASONS, Ranked, rank
from companies.register import RegisterEntry
from companies.views import Reach

router = APIRouter(prefix="/outreach", tags=["outreach"])

CANDIDATES_MAX = 20_000
"""Companies that are ranked at once: a small region's."""

ROWS_AT_ONCE = 1_000

Prioritising = Annotated[Handling[Priorities, SetPriorities], Depends(handling(aggregate))]


class PrioritiesWanted(BaseModel):
    """What counts, and how much: each from 0 (not at all) to 10."""

    model_config = ConfigDict(extra="forbid")

    reach: Weight = Field(description="That nobody has been in touch, or not for long.", examples=[5])
    employer: Weight = Field(description="That it is in the employer register: a proxy of its size.", examples=[3])
    age: Weight = Field(description="That it has been at work for three years.", examples=[1])
    line: Weight = Field(description="That the college teaches for its line of business.", examples=[2])
    size: Weight = Field(description="That it is small, where its size class is known.", examples=[2])
    lines: list[LinePrefix] = Field(
        max_length=200, description="Lines of business, or classes of them.", examples=[["56", "4331"]]
    )


class PrioritiesView(PrioritiesWanted):
    """What counts for the college."""

    @classmethod
    def of(cls, loaded: Loaded[Priorities]) -> Self:
        """The college's priorities."""
        return cls.model_validate(loaded.state.model_dump())


class ReasonView(BaseModel):
    """Why a company stands where it stands."""

    factor: str
    code: str
    points: float = Field(description="From 0 to 1.")
    words: dict[str, str] = Field(description="In Finnish, Swedish and English.")


EXAMPLE: dict[str, Any] = {
    "rank": 1,
    "score": 0.909,
    "business_id": "0100130-4",
    "name": "Esimerkkikahvila Oy",
    "municipality": "908",
    "business_line": "56300",
    "company_id": None,
    "reach": {"visits": 0, "touches": 0, "first_reached_at": None, "last_reached_at": None},
    "reasons": [{"factor": "reach", "code": "never-reached", "points": 1.0, "words": REASONS["never-reached"]}],
}


class RankedView(BaseModel):
    """A company in the ranking."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    rank: int = Field(description="Companies that are alike have the same.")
    score: float = Field(description="From 0 to 1.")
    business_id: str
    name: str
    municipality: str | None
    business_line: str | None
    company_id: UUID | None = Field(description="When it is in the college's care already.")
    reach: Reach
    reasons: list[ReasonView]

    @classmethod
    def of(cls, ranked: Ranked, company_id: UUID | None) -> Self:
        """The company as staff see it."""
        entry = ranked.entry
        return cls(
            rank=ranked.rank,
            score=ranked.score,
            business_id=entry.business_id,
            name=entry.name,
            municipality=entry.municipality,
            business_line=entry.business_line,
            company_id=company_id,
            reach=ranked.reach,
            reasons=[ReasonView(**each.model_dump(), words=REASONS[each.code]) for each in ranked.reasons],
        )


class RankingView(BaseModel):
    """The companies to reach first."""

    ranked: list[RankedView]
    candidates: int = Field(description="Of so many.", examples=[812])
    seed: str = Field(description="What ordered those that are alike.", examples=["2026-W48"])


class RankingAsked(BaseModel):
    """Of which companies a ranking is (those that are in all that is named), and how it is ordered."""

    model_config = ConfigDict(extra="forbid")

    municipality: list[Municipality] = Field([], max_length=50, description="In any of these.", examples=[["908"]])
    region: Region | None = Field(None, description="The region's two digits: its municipalities.", examples=["06"])
    area: UUID | None = Field(None, description="One of the college's areas: its municipalities.")
    seed: str | None = Field(
        None, max_length=100, description="Orders those that are alike; another each week when it is left out."
    )
    limit: int = Field(50, ge=1, le=LIMIT_MAX, description="How many at most.")

    async def where(self, places: Places) -> list[str]:
        """The municipalities that are in all of these.

        :raises Rejected: ``ranking-nowhere``, ``region-unknown``, ``area-unknown``.
        """
        named = await places.municipalities(self.region, self.area)
        if self.municipality:
            named.append({*self.municipality})
        if not named:
            raise Rejected("ranking-nowhere", field="municipality")
        return sorted(set.intersection(*named))


async def _priorities(prioritising: Prioritising, college: str) -> Priorities:
    try:
        return (await prioritising.get(priorities_id(college))).state
    except Unknown:
        return Priorities()


@router.get("/priorities", operation_id="getPriorities", summary="What counts")
async def priorities(prioritising: Prioritising, staff: Staff) -> PrioritiesView:
    """What counts for the college when it chooses whom to reach first."""
    return PrioritiesView.model_validate((await _priorities(prioritising, staff.college)).model_dump())


@router.post("/priorities", operation_id="setPriorities", summary="Say what counts")
async def set_priorities(wanted: PrioritiesWanted, prioritising: Prioritising, by: Admin) -> PrioritiesView:
    """Say what counts for the college when it chooses whom to reach first."""
    command = SetPriorities(
        priorities_id=priorities_id(by.college), priorities=Priorities.model_validate(wanted.model_dump())
    )
    return await prioritising.handle(command, PrioritiesView)


@router.get(
    "/ranking",
    operation_id="rankCompanies",
    summary="Whom to reach first",
    responses=problems("ranking-nowhere", "ranking-too-wide", "region-unknown", "area-unknown"),
)
async def ranking(
    asked: Annotated[RankingAsked, Query()],
    entries: Register,
    places: KnownPlaces,
    network: NetworkReach,
    companies: Companies,
    prioritising: Prioritising,
    staff: Staff,
) -> RankingView:
    """The living companies of some municipalities, a region or an area of the college's, the least reached and most
    promising first, with reasons."""
    wanted = {"municipality": {"$in": await asked.where(places)}, "situation": "active"}
    found = [
        RegisterEntry.model_validate(each)
        async for each in entries.find(wanted, {"addresses": 0, "search_keys": 0}).limit(CANDIDATES_MAX + 1)
    ]
    if len(found) > CANDIDATES_MAX:
        raise Rejected("ranking-too-wide", field="municipality", most=CANDIDATES_MAX)
    reached = await _reached(network, [entry.business_id for entry in found])
    by = asked.seed or f"{companies.now:%G-W%V}"
    pairs = [(entry, reached.get(entry.business_id, Reach())) for entry in found]
    ranked = rank(pairs, await _priorities(prioritising, staff.college), companies.now, by)[: asked.limit]
    ids = await asyncio.gather(*(_in_care(companies, staff.college, each.entry.business_id) for each in ranked))
    views = [RankedView.of(each, id) for each, id in zip(ranked, ids, strict=True)]
    return RankingView(ranked=views, candidates=len(found), seed=by)


async def _reached(network: Rows[Reach], business_ids: list[str]) -> dict[str, Reach]:
    reached: dict[str, Reach] = {}
    for at in range(0, len(business_ids), ROWS_AT_ONCE):
        reached |= await network.some(business_ids[at : at + ROWS_AT_ONCE])
    return reached


async def _in_care(companies: Companies, college: str, business_id: str) -> UUID | None:
    try:
        return (await companies.get(company_id(college, business_id))).id
    except Unknown:
        return None
