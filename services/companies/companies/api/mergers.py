"""Two companies that are one."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from tyrsky.store import Loaded

from companies import merging
from companies.api.companies import Companies
from companies.api.company_models import CompanyView
from companies.api.words import CompanyId, Staff
from companies.company import Company, aggregate
from companies.merging import AbsorbCompany, ReleaseCompany
from companies.problems import problems

router = APIRouter(prefix="/companies", tags=["companies"])

OTHER = "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d20"


class Merger(BaseModel):
    """A company that turned out to be this one."""

    model_config = ConfigDict(extra="forbid")

    absorbed: UUID = Field(description="It goes on as this one, and is no longer in lists.", examples=[OTHER])


class Release(BaseModel):
    """A company that is another one after all."""

    model_config = ConfigDict(extra="forbid")

    released: UUID = Field(description="It was absorbed less than a day ago.", examples=[OTHER])


REFUSALS = (
    "company-unknown",
    "company-is-the-same",
    "company-merged",
    "company-merged-otherwise",
    "company-absorbed-many",
)


async def _absorb(company_id: UUID, merger: Merger, companies: Companies) -> AbsorbCompany:
    other = await companies.get(merger.absorbed)
    return AbsorbCompany(company_id=company_id, absorbed=merger.absorbed, other=other.state, now=companies.now)


@router.post(
    "/{company_id}/merge/preview",
    operation_id="previewMerger",
    summary="See what a merger would come to",
    responses=problems(*REFUSALS),
)
async def preview(company_id: CompanyId, merger: Merger, companies: Companies, staff: Staff) -> CompanyView:
    """The company as it would be. Nothing is changed."""
    command = await _absorb(company_id, merger, companies)
    found = await companies.get(company_id)
    state: Company | None = aggregate.fold(found.state, merging.absorb(found.state, command))
    assert state is not None  # it was there before
    return CompanyView.of(Loaded(found.id, found.college, found.version, state))


@router.post(
    "/{company_id}/merge", operation_id="mergeCompany", summary="Merge two companies", responses=problems(*REFUSALS)
)
async def merge(company_id: CompanyId, merger: Merger, companies: Companies, staff: Staff) -> CompanyView:
    """Let another company of the college's go on as this one, which gains what it has not itself. Within a day it can
    be taken back. Its contacts, visits and notes stay where they are, and are found here too."""
    return await companies.handle(await _absorb(company_id, merger, companies), CompanyView)


@router.post(
    "/{company_id}/unmerge",
    operation_id="unmergeCompany",
    summary="Take a merger back",
    responses=problems("company-unknown", "company-merged-long-ago"),
)
async def unmerge(company_id: CompanyId, release: Release, companies: Companies, staff: Staff) -> CompanyView:
    """Take a merger back: both are as they were, but for what was changed since."""
    command = ReleaseCompany(company_id=company_id, released=release.released, now=companies.now)
    return await companies.handle(command, CompanyView)
