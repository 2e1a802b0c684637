"""Who changed what, and who looked at whose data: the timeline of a company, and the college's audit log."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pymongo.asynchronous.collection import AsyncCollection
from tyrsky.auth import Caller, caller, role
from tyrsky.listing import Listing, Moment, Page, at_least, below, equals
from tyrsky.rows import Rows, rows
from tyrsky.store import Document

from companies.api.companies import Companies, together
from companies.api.words import CompanyId, Staff
from companies.problems import problems
from companies.views import Entry, audit

router = APIRouter(tags=["audit"])

READS = "reads"
"""The collection of who looked at whose data."""

Trail = Annotated[Rows[Entry], Depends(rows(audit))]
Auditor = Annotated[Caller, Depends(role("coordinator", "admin"))]
"""Who answers for what a college's staff does."""


class EntryView(BaseModel):
    """That somebody changed something."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "at": "2026-09-10T06:00:00Z",
                "by": "0d9c8b7a-6f5e-4d3c",
                "kind": "visit",
                "thing": "7d2f6f0a-9c58-5f7e-8a35-6f1e0c9b4d2a",
                "about": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
                "happened": ["visit-recorded", "visit-noted"],
            }
        }
    )

    at: AwareDatetime
    by: str = Field(description="`sub` of somebody's token; or the type of the event that it followed from.")
    kind: str = Field(description="What kind of thing.")
    thing: UUID = Field(description="Its id.")
    about: UUID = Field(description="The company that it belongs to.")
    happened: list[str] = Field(description="What happened to it.")

    @classmethod
    def of(cls, document: Document) -> Self:
        """The entry as the college's staff sees it."""
        return cls.model_validate(document["row"])


class EntriesAsked(Listing):
    """How a list of entries can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"at": "row.at"}

    sort: Literal["at", "-at"] = Field("-at", description="By when it was.")
    kind: Annotated[str | None, equals("row.kind")] = Field(
        None, max_length=60, description="Of one kind of thing.", examples=["visit"]
    )
    by: Annotated[str | None, equals("row.by")] = Field(None, max_length=255, description="By this one.")
    at_from: Annotated[Moment | None, at_least("row.at")] = Field(None, description="Then or later.")
    at_before: Annotated[Moment | None, below("row.at")] = Field(None, description="Earlier.")


class ChangesAsked(EntriesAsked):
    """How the audit log can be narrowed and sorted."""

    thing: Annotated[UUID | None, equals("row.thing")] = Field(None, description="Of one thing.")
    about: Annotated[UUID | None, equals("row.about")] = Field(None, description="Of one company and all of it.")


class ReadView(BaseModel):
    """That somebody looked at personal data."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "at": "2026-09-10T06:00:00Z",
                "by": "0d9c8b7a-6f5e-4d3c",
                "kind": "contact",
                "things": ["0b8e5f9a-7c39-5c55-8d8c-3c4f2a1b0d9e"],
            }
        }
    )

    at: AwareDatetime
    by: str = Field(description="`sub` of their token.")
    kind: str
    things: list[UUID] = Field(description="Whose data was shown.")

    @classmethod
    def of(cls, document: Document) -> Self:
        """The entry as the college's staff sees it."""
        return cls.model_validate(document)


class ReadsAsked(Listing):
    """How the list of who looked at whose data can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"at": "at"}

    sort: Literal["at", "-at"] = Field("-at", description="By when it was.")
    by: Annotated[str | None, equals("by")] = Field(None, max_length=255, description="By this one.")
    thing: Annotated[UUID | None, equals("things")] = Field(None, description="At the data of this one.")
    at_from: Annotated[Moment | None, at_least("at")] = Field(None, description="Then or later.")
    at_before: Annotated[Moment | None, below("at")] = Field(None, description="Earlier.")


async def reads(request: Request) -> AsyncCollection[Document]:  # async, or each would cost a thread
    """Where it is written down who looked at whose data."""
    return request.app.state.database[READS]


class Reads:
    """Writes down whose personal data a request shows, before it is shown."""

    def __init__(self, collection: AsyncCollection[Document], by: Caller) -> None:
        self._collection = collection
        self._by = by

    async def of(self, kind: str, *things: UUID) -> None:
        """These people's data are shown."""
        if not things:
            return
        entry: dict[str, Any] = {"_id": uuid4().hex, "college": self._by.college, "at": datetime.now(UTC)}
        entry |= {"by": self._by.subject, "kind": kind, "things": [str(thing) for thing in things]}
        await self._collection.insert_one(entry)


async def reading(
    collection: Annotated[AsyncCollection[Document], Depends(reads)], by: Annotated[Caller, Depends(caller)]
) -> Reads:
    """Dependency: for a route that shows personal data to whom its role lets see them."""
    return Reads(collection, by)


Reading = Annotated[Reads, Depends(reading)]


@router.get(
    "/companies/{company_id}/timeline",
    operation_id="getTimeline",
    summary="A company's timeline",
    responses=problems("company-unknown"),
)
async def timeline(
    company_id: CompanyId, asked: Annotated[EntriesAsked, Query()], companies: Companies, trail: Trail, staff: Staff
) -> Page[EntryView]:
    """What happened to a company and to all that belongs to it, the last first; what it was is with the thing itself.
    It is told within seconds."""
    company = await companies.get(company_id)
    base = {"row.college": staff.college, "row.about": {"$in": together(company)}}
    return (await asked.page(await trail.collection(), base)).of(EntryView.of)


@router.get("/audit/changes", operation_id="listChanges", summary="Who changed what")
async def changes(asked: Annotated[ChangesAsked, Query()], trail: Trail, auditor: Auditor) -> Page[EntryView]:
    """All changes of the college's, the last first; kept for five years."""
    return (await asked.page(await trail.collection(), {"row.college": auditor.college})).of(EntryView.of)


@router.get("/audit/reads", operation_id="listReads", summary="Who looked at whose data")
async def looks(
    asked: Annotated[ReadsAsked, Query()],
    collection: Annotated[AsyncCollection[Document], Depends(reads)],
    auditor: Auditor,
) -> Page[ReadView]:
    """Whose personal data was shown to whom, the last first."""
    return (await asked.page(collection, {"college": auditor.college})).of(ReadView.of)
