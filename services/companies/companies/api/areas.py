"""A college's areas: municipalities under a name of its own."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.catalogue import worded
from tyrsky.listing import Listing, Page
from tyrsky.store import Loaded

from companies.api.classifications import Classifications
from companies.api.places import Areas
from companies.api.words import AreaId, Line, Municipality, Staff
from companies.area import MUNICIPALITIES_MAX, Area, ChangeArea, DrawArea, RemoveArea
from companies.problems import problems

router = APIRouter(prefix="/areas", tags=["areas"])

AREAS_MAX = 100
"""Of one college."""

AreaName = Annotated[str, Line, StringConstraints(max_length=100), worded("area-name-wrong")]
Municipalities = Annotated[
    list[Municipality],
    Field(
        max_length=MUNICIPALITIES_MAX,
        description="Their codes, all of the classification of municipalities. In any order; twice is once.",
        examples=[["020", "908"]],
    ),
]


class NewArea(BaseModel):
    """An area to make."""

    model_config = ConfigDict(extra="forbid")

    name: AreaName = Field(description="In the college's own words.", examples=["Eteläinen Pirkanmaa"])
    municipalities: Municipalities


class AreaChange(BaseModel):
    """What is to be otherwise; what is not given stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: AreaName | None = Field(None, description="In the college's own words.", examples=["Etelä-Pirkanmaa"])
    municipalities: Municipalities | None = None


class AreaView(BaseModel):
    """An area of the college."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0d4b9f1e-5a52-5b6e-9d55-6a1f0a7c2f11",
                "name": "Eteläinen Pirkanmaa",
                "municipalities": ["020", "908"],
            }
        }
    )

    id: UUID
    name: str
    municipalities: list[str]

    @classmethod
    def of(cls, loaded: Loaded[Area]) -> Self:
        """The area as the college's staff sees it."""
        return cls(id=loaded.id, **loaded.state.model_dump(exclude={"removed"}))


class AreasAsked(Listing):
    """How the list of areas can be sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"name": "state.name"}

    sort: Literal["name", "-name"] = Field("name", description="By name.")


LIVING = {"state.removed": False}


async def known(classes: Classifications, codes: Sequence[str]) -> frozenset[str]:
    """Those of the codes that the classification of municipalities has."""
    wanted = {"kind": "municipality", "gone": False, "code": {"$in": list(codes)}}
    found = await classes.find(wanted, {"code": 1}).to_list(MUNICIPALITIES_MAX)
    return frozenset(each["code"] for each in found)


@router.post(
    "",
    status_code=201,
    operation_id="drawArea",
    summary="Make an area",
    responses=problems("area-empty", "municipality-unknown", "areas-too-many", "area-already-drawn"),
)
async def draw(new: NewArea, areas: Areas, classes: Classifications, staff: Staff) -> AreaView:
    """Make an area of municipalities. Areas may overlap; a college has 100 of them at most."""
    area_id = areas.new_id()
    there = (await areas.find(AreasAsked(limit=AREAS_MAX, sort="name"), LIVING)).items
    if len(there) >= AREAS_MAX and area_id not in {each.id for each in there}:
        raise Rejected("areas-too-many")
    codes = tuple(new.municipalities)
    command = DrawArea(area_id=area_id, name=new.name, municipalities=codes, known=await known(classes, codes))
    return await areas.handle(command, AreaView)


@router.get("", operation_id="listAreas", summary="List areas")
async def find(asked: Annotated[AreasAsked, Query()], areas: Areas, staff: Staff) -> Page[AreaView]:
    """The college's areas."""
    return (await areas.find(asked, LIVING)).of(AreaView.of)


@router.get("/{area_id}", operation_id="getArea", summary="One area", responses=problems("area-unknown"))
async def get(area_id: AreaId, areas: Areas, staff: Staff) -> AreaView:
    """One area of the college."""
    if (await areas.get(area_id)).state.removed:
        raise Unknown("area", area_id)
    return await areas.show(area_id, AreaView)


@router.patch(
    "/{area_id}",
    operation_id="changeArea",
    summary="Rename or redraw an area",
    responses=problems("area-unknown", "area-empty", "municipality-unknown"),
)
async def change(area_id: AreaId, wanted: AreaChange, areas: Areas, classes: Classifications, staff: Staff) -> AreaView:
    """Give an area another name, or other municipalities in place of those it has."""
    codes = None if wanted.municipalities is None else tuple(wanted.municipalities)
    command = ChangeArea(
        area_id=area_id, name=wanted.name, municipalities=codes, known=await known(classes, codes or ())
    )
    return await areas.handle(command, AreaView)


@router.delete(
    "/{area_id}",
    status_code=204,
    operation_id="removeArea",
    summary="Remove an area",
    responses=problems("area-unknown"),
)
async def remove(area_id: AreaId, areas: Areas, staff: Staff) -> None:
    """Take an area away, twice is once. What the register has of its municipalities stays."""
    await areas.handle(RemoveArea(area_id=area_id), AreaView)
