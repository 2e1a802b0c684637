"""The business register: find a company, and see how much it has been reached."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ConfigDict, Field
from pymongo.asynchronous.collection import AsyncCollection
from tyrsky.aggregate import Unknown
from tyrsky.listing import Filter, Listing, Page, equals, prefix
from tyrsky.rows import Rows, rows
from tyrsky.store import Document

from companies.api.words import BusinessIdInPath, BusinessIdText, BusinessLine, Municipality, Staff
from companies.problems import problems
from companies.register import COLLECTION, RegisterEntry, name_begins, parse_business_id
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
    business_line: Annotated[BusinessLine | None, prefix("business_line")] = Field(
        None, description="A line of business, or a class of them.", examples=["56"]
    )


@router.get(
    "",
    operation_id="searchRegister",
    summary="Search the register",
    responses=problems("business-id-check-digit", "name-without-letters"),
)
async def find(asked: Annotated[EntriesAsked, Query()], entries: Register, staff: Staff) -> Page[EntryView]:
    """Companies of the business register, the dead too: look at `situation`. They need not be in anybody's care."""
    page = await asked.page(entries, {})
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
