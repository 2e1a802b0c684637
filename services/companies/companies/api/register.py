"""The business register: find a company, and see how much it has been reached."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ConfigDict, Field
from pymongo.asynchronous.collection import AsyncCollection
from tyrsky.aggregate import Unknown
from tyrsky.listing import Filter, Listing, Page, any_of, equals, prefix
from tyrsky.rows import Rows, rows
from tyrsky.store import Document
from tyrsky_contracts.companies import Situation

from companies.api.places import KnownPlaces
from companies.api.words import BusinessIdInPath, BusinessIdText, BusinessLine, Municipality, Region, Staff
from companies.problems import problems
from companies.register import COLLECTION, LineCodes, RegisterEntry, SizeClass, name_begins, parse_business_id
from companies.views import Reach, reach

router = APIRouter(prefix="/register", tags=["register"])


async def register(request: Request) -> AsyncCollection[Document]:  # async, or each would cost a thread
    """The register's collection: of all colleges, for it holds nothing of theirs."""
    return request.app.state.database[COLLECTION]


Register = Annotated[AsyncCollection[Document], Depends(register)]
NetworkReach = Annotated[Rows[Reach], Depends(rows(reach))]

EXAMPLE: dict[str, Any] = {
    "business_id": "0100130-4",
    "name": "Esimerkkikahvila Oy",
    "other_names": [{"name": "Exempelkafé Ab", "kind": "parallel"}],
    "form": "16",
    "form_name": {"fi": "Osakeyhtiö"},
    "business_line": "56300",
    "business_line_codes": "TOL2025",
    "business_line_name": {"fi": "Kahvilat"},
    "municipality": "908",
    "addresses": [
        {
            "kind": "street",
            "line": "Valtakatu 1",
            "post_code": "37600",
            "city": {"fi": "VALKEAKOSKI"},
            "municipality": "908",
        }
    ],
    "website": "www.esimerkkikahvila.example",
    "situation": "active",
    "situation_since": None,
    "likely_employer": True,
    "registered_on": "2012-05-02",
    "size_class": "micro",
}


class EntryView(RegisterEntry):
    """What the register knows of a company."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})


class ReachedEntryView(RegisterEntry):
    """What the register knows of a company, and how much the network has reached it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**EXAMPLE, "reach": {"visits": 2, "last_reached_at": "2026-03-03T08:00:00Z"}}}
    )

    reach: Reach = Field(description="By any college of the network, none of which is named.")

    @classmethod
    def of(cls, entry: Document, reached: Reach | None) -> Self:
        """The entry as it is stored, with what was heard of visits."""
        return cls.model_validate({**entry, "reach": reached or Reach()})


class EntriesAsked(Listing):
    """How the register can be searched."""

    sorts: ClassVar[Mapping[str, str]] = {"name": "name"}

    sort: Literal["name", "-name"] = Field("name", description="By name.")
    name: Annotated[str | None, Filter("search_keys", name_begins)] = Field(
        None,
        min_length=2,
        max_length=100,
        description="How a word of any of its names begins, former ones too; å ä ö may be typed a a o.",
        examples=["esimerkkik"],
    )
    business_id: Annotated[BusinessIdText | None, Filter("_id", parse_business_id)] = Field(
        None, description="With or without its dash.", examples=["0100130-4"]
    )
    municipality: Annotated[Municipality | None, equals("municipality")] = Field(
        None, description="The municipality's three digits.", examples=["908"]
    )
    region: Region | None = Field(
        None, description="The region's two digits: its municipalities, by the classification.", examples=["06"]
    )
    area: UUID | None = Field(None, description="One of the college's areas: its municipalities.")
    business_line: Annotated[BusinessLine | None, prefix("business_line")] = Field(
        None, description="A line of business, or a class of them, in either classification.", examples=["56"]
    )
    business_line_codes: Annotated[LineCodes | None, equals("business_line_codes")] = Field(
        None, description="Whose line of business is given in this classification."
    )
    size_class: Annotated[list[SizeClass], any_of("size_class")] = Field(
        [], max_length=4, description="By 2003/361/EC, where it is known: of most companies it is not."
    )
    likely_employer: Annotated[bool | None, equals("likely_employer")] = Field(
        None,
        description="Whether it is in the employer register as a regular employer: a proxy, for the open data have no "
        "headcounts.",
    )
    situation: Annotated[list[Situation], any_of("situation")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )


@router.get(
    "",
    operation_id="searchRegister",
    summary="Search the register",
    responses=problems("business-id-check-digit", "name-without-letters", "region-unknown", "area-unknown"),
)
async def find(
    asked: Annotated[EntriesAsked, Query()], entries: Register, places: KnownPlaces, staff: Staff
) -> Page[EntryView]:
    """Companies of the business register, the dead too: look at `situation`. They need not be in anybody's care."""
    found = await places.municipalities(asked.region, asked.area)
    wanted = [{"municipality": {"$in": sorted(each)}} for each in found]
    page = await asked.page(entries, {"$and": wanted} if wanted else {})
    return page.of(EntryView.model_validate)


@router.get(
    "/{business_id}",
    operation_id="getRegisterEntry",
    summary="One company of the register",
    responses=problems("business-id-check-digit", "register-entry-unknown"),
)
async def get(
    business_id: BusinessIdInPath, entries: Register, network: NetworkReach, staff: Staff
) -> ReachedEntryView:
    """What the register knows of a company, and how often and when last any college visited it."""
    wanted = parse_business_id(business_id)
    entry = await entries.find_one({"_id": wanted})
    if entry is None:
        raise Unknown("register-entry", wanted)
    return ReachedEntryView.of(entry, await network.get(wanted))
