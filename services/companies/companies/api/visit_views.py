"""What is sent and shown of visits."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from tyrsky.listing import Listing, Moment, any_of, at_least, below, equals
from tyrsky.store import Loaded
from tyrsky_contracts.companies import Manner, Need

from companies.api.words import Appointed, BusinessIdText, Municipality, Subject
from companies.visit_commands import PEOPLE_MAX
from companies.visit_state import Status, Visit

AINO = "b7d1f0f2-6f0e-4c64-9f6e-1f4c5a4a0001"
"""Somebody of a college's staff, in examples."""


class VisitTime(BaseModel):
    """From when to when a visit lasts: eight hours at most."""

    model_config = ConfigDict(extra="forbid")

    starts_at: Appointed = Field(description="With its time zone.", examples=["2026-09-10T09:00:00+03:00"])
    ends_at: Appointed = Field(description="With its time zone.", examples=["2026-09-10T10:00:00+03:00"])


class VisitChange(VisitTime):
    """When a visit is made from now on, and how."""

    manner: Manner | None = Field(None, description="On site, by video or by phone; as before, when left out.")


class Visitors(BaseModel):
    """Who of the college goes."""

    model_config = ConfigDict(extra="forbid")

    staff: list[Subject] = Field(
        [],
        max_length=PEOPLE_MAX,
        description="Subjects of their tokens; whoever asks, when none is named.",
        examples=[[AINO]],
    )


class NewVisit(VisitTime, Visitors):
    """A visit to plan."""

    manner: Manner = Field("on-site", description="On site, by video or by phone.")
    contact_id: UUID | None = Field(None, description="Whom to invite, of the company's contacts.")
    partners: list[Subject] = Field(
        [],
        max_length=PEOPLE_MAX,
        description="People of municipal business services who come along: they see this visit, and no notes.",
        examples=[["d1c4f0a2-51b7-4a8e-8f3a-0c2b7a9e1003"]],
    )
    partners_see_contact: bool = Field(False, description="Whether they see the contact's name and how to reach them.")


class RemarkView(BaseModel):
    """What somebody of municipal business services noted."""

    by: str = Field(description="Subject of their token.", examples=["d1c4f0a2-51b7-4a8e-8f3a-0c2b7a9e1003"])
    words: str = Field(examples=["Kunta auttaa toimitilan etsinnässä."])
    at: AwareDatetime


class VisitView(BaseModel):
    """A visit, and what came of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "7d2f6f0a-9c58-5f7e-8a35-6f1e0c9b4d2a",
                "status": "recorded",
                "company_id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
                "business_id": "0100130-4",
                "company_name": "Esimerkkikahvila Oy",
                "municipality": "908",
                "contact_id": "0b8e5f9a-7c39-5c55-8d8c-3c4f2a1b0d9e",
                "starts_at": "2026-09-10T06:00:00Z",
                "ends_at": "2026-09-10T07:00:00Z",
                "manner": "on-site",
                "staff": [AINO],
                "partners": [],
                "partners_see_contact": False,
                "remarks": [],
                "asked": True,
                "answered_at": "2026-09-03T10:12:00Z",
                "answer_words": "Tervetuloa, kahvi on keitetty.",
                "needs": ["apprenticeship"],
                "notes": "Haluaa kuulla oppisopimuksesta.",
            }
        }
    )

    id: UUID
    status: Status
    company_id: UUID
    business_id: str
    company_name: str
    municipality: str | None
    contact_id: UUID | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    manner: Manner
    staff: list[str]
    partners: list[str]
    partners_see_contact: bool
    remarks: list[RemarkView]
    asked: bool = Field(description="Whether the contact has a link that answers.")
    answered_at: AwareDatetime | None
    answer_words: str
    needs: list[Need]
    notes: str

    @classmethod
    def of(cls, loaded: Loaded[Visit]) -> Self:
        """The visit as the college's staff sees it."""
        state = loaded.state
        return cls(id=loaded.id, asked=state.answer_digest is not None, **state.model_dump())


class VisitsAsked(Listing):
    """How the list of visits can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"starts_at": "state.starts_at"}

    sort: Literal["starts_at", "-starts_at"] = Field("starts_at", description="By when they begin.")
    company_id: UUID | None = Field(None, description="To one company, and to those that go on as it.")
    business_id: Annotated[BusinessIdText | None, equals("state.business_id")] = Field(
        None, description="To one company, by its business id as it is written.", examples=["0100130-4"]
    )
    contact_id: Annotated[UUID | None, equals("state.contact_id")] = Field(None, description="To one contact.")
    municipality: Annotated[Municipality | None, equals("state.municipality")] = Field(
        None, description="In one municipality, by its three digits.", examples=["908"]
    )
    status: Annotated[list[Status], any_of("state.status")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )
    manner: Annotated[Manner | None, equals("state.manner")] = Field(None, description="Made in this way.")
    staff: Annotated[Subject | None, equals("state.staff")] = Field(
        None, description="To which this person goes (subject of their token).", examples=[AINO]
    )
    mine: bool = Field(False, description="To which whoever asks goes.")
    starts_from: Annotated[Moment | None, at_least("state.starts_at")] = Field(
        None, description="That begin then or later."
    )
    starts_before: Annotated[Moment | None, below("state.starts_at")] = Field(None, description="That begin earlier.")
