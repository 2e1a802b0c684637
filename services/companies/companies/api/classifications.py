"""Official classifications: what codes mean, in the caller's language as far as it is known."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pymongo.asynchronous.collection import AsyncCollection
from tyrsky.aggregate import Rejected
from tyrsky.language import Language
from tyrsky.listing import Filter, Listing, Page, equals
from tyrsky.store import Document

from companies.api.words import InLanguage, Region, Staff
from companies.classification import COLLECTION, Class, Kind
from companies.problems import problems
from companies.register import begins

router = APIRouter(tags=["classifications"])


async def classifications(request: Request) -> AsyncCollection[Document]:  # async, or each would cost a thread
    """All classifications' collection: of all colleges, for it holds nothing of theirs."""
    return request.app.state.database[COLLECTION]


Classifications = Annotated[AsyncCollection[Document], Depends(classifications)]


def _text_begins(text: str) -> dict[str, Any]:
    return begins(text, otherwise=Rejected("text-without-letters", field="text"))


class _Called(BaseModel):
    """A code with its name."""

    code: str
    name: str = Field(description="In the language of `Accept-Language` if there is such a name, else in Finnish.")
    name_language: Language = Field(description="Which of them `name` is in.")
    names: dict[Language, str] = Field(description="All that the official file has.")
    gone: bool = Field(description="The newest official file does not have it any more.")


class ClassView(_Called):
    """A class of a classification."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "code": "56",
                "name": "Food and beverage service activities",
                "name_language": "en",
                "names": {"fi": "Ravitsemistoiminta", "en": "Food and beverage service activities"},
                "gone": False,
                "level": 2,
                "parent": "I",
            }
        }
    )

    level: int | None
    parent: str | None = Field(description="The code of the class that it is in; of a municipality its region.")

    @classmethod
    def of(cls, stored: Document, language: Language) -> Self:
        """The class as it is stored, called by its name in a language."""
        each = Class.model_validate(stored)
        name, told = each.called(language)
        return cls(name=name, name_language=told, **each.model_dump(exclude={"kind"}))


class MunicipalityView(_Called):
    """A municipality, and its region."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "code": "908",
                "name": "Valkeakoski",
                "name_language": "fi",
                "names": {"fi": "Valkeakoski"},
                "gone": False,
                "region": "06",
                "region_name": "Birkaland",
            }
        }
    )

    region: str | None
    region_name: str | None = Field(description="As `name`; null when the classification of regions is not there.")


class ClassesAsked(Listing):
    """How a classification can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"code": "code"}

    sort: Literal["code", "-code"] = Field("code", description="By code.")
    text: Annotated[str | None, Filter("search_keys", _text_begins)] = Field(
        None,
        min_length=1,
        max_length=100,
        description="How a word of its name begins, in any language; å ä ö may be typed a a o.",
        examples=["ravits"],
    )
    gone: Annotated[bool, equals("gone")] = Field(
        False, description="Those that have gone, instead of those there are."
    )


class AnyClassesAsked(ClassesAsked):
    """The same, where classes lie within one another."""

    parent: Annotated[str | None, equals("parent")] = Field(
        None, max_length=10, description="What lies directly in this class.", examples=["I"]
    )
    level: Annotated[int | None, equals("level")] = Field(None, ge=0, le=9, description="On this level alone.")


class MunicipalitiesAsked(ClassesAsked):
    """The same of municipalities."""

    region: Annotated[Region | None, equals("parent")] = Field(
        None, description="The region's two digits.", examples=["06"]
    )


@router.get(
    "/classifications/{kind}",
    operation_id="listClasses",
    summary="One classification",
    responses=problems("text-without-letters"),
)
async def find(
    kind: Annotated[Kind, Path(description="Which classification.")],
    asked: Annotated[AnyClassesAsked, Query()],
    classes: Classifications,
    language: InLanguage,
    staff: Staff,
) -> Page[ClassView]:
    """The classes of an official classification. None, when it was not imported yet."""
    page = await asked.page(classes, {"kind": kind})
    return page.of(lambda stored: ClassView.of(stored, language))


@router.get(
    "/municipalities",
    operation_id="listMunicipalities",
    summary="Municipalities",
    responses=problems("text-without-letters"),
)
async def municipalities(
    asked: Annotated[MunicipalitiesAsked, Query()], classes: Classifications, language: InLanguage, staff: Staff
) -> Page[MunicipalityView]:
    """The municipalities of Finland with their regions. None, when they were not imported yet."""
    page = await asked.page(classes, {"kind": "municipality"})
    codes = sorted({each["parent"] for each in page.items if each["parent"]})
    regions = await classes.find({"kind": "region", "code": {"$in": codes}}).to_list(len(codes))
    names = {each["code"]: Class.model_validate(each).called(language)[0] for each in regions}

    def view(stored: Document) -> MunicipalityView:
        called = ClassView.of(stored, language).model_dump(exclude={"level", "parent"})
        return MunicipalityView(**called, region=stored["parent"], region_name=names.get(stored["parent"]))

    return page.of(view)
