"""What is sent and shown of places for students."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.catalogue import worded
from tyrsky.listing import Listing, any_of, equals, prefix
from tyrsky.store import Loaded
from tyrsky_contracts.needs import FieldCodes, Form, Places

from companies.api.charted import Charted, TurnView, Words
from companies.api.words import BusinessIdText, Day
from companies.potential import Potential, Status
from companies.terms import RULES, Age, Terms, WeeklyHours

FieldCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,6}$"), worded("field-of-study-wrong")]


class TermsWanted(BaseModel):
    """How many places, when, and for whom."""

    model_config = ConfigDict(extra="forbid")

    places: Places = Field(description="1 to 500.", examples=[3])
    starts_on: Day = Field(description="Within five years.", examples=["2026-10-01"])
    ends_on: Day = Field(description="The last day, five years after the first at most.", examples=["2027-05-31"])
    weekly_hours: WeeklyHours | None = Field(
        None, description="The student's, on average: 25 at least in an apprenticeship.", examples=[30]
    )
    workplace_hours: WeeklyHours | None = Field(
        None, description="What is usual at the workplace: at most so many in a training agreement.", examples=[37.5]
    )
    age_min: Age | None = Field(None, description="How old students have to be: 15 in an apprenticeship.")

    def terms(self) -> Terms:
        """As the aggregate has them."""
        return Terms(**dict(self))


class NewPotential(Charted):
    """Places to chart."""

    id: UUID | None = Field(None, description="Of the client's making, so that it may be sent until an answer comes.")
    form: Form = Field(description="Training agreement (koulutussopimus) or apprenticeship (oppisopimus).")
    field_codes: FieldCodes = Field("koulutusala-2016", description="What `field_of_study` is a code of.")
    field_of_study: FieldCode = Field(
        description="A field of education in 2 to 4 digits, or a qualification in 5 or 6.", examples=["1013"]
    )
    terms: TermsWanted


class Confirmation(BaseModel):
    """The company said so itself."""

    model_config = ConfigDict(extra="forbid")

    terms: TermsWanted | None = Field(None, description="When they are others than before; all of them.")
    why: Words = Field("", examples=["Vahvistettu puhelimessa."])


class Agreement(BaseModel):
    """What was agreed upon, in writing."""

    model_config = ConfigDict(extra="forbid")

    places: Places = Field(description="At most as many as were confirmed.", examples=[2])
    agreed_on: Day = Field(description="The day of the written agreement.", examples=["2026-09-21"])
    instructor_id: UUID = Field(description="The responsible workplace instructor: a contact with that role.")
    why: Words = Field("", examples=["Kaksi paikkaa syksyksi."])


class Withdrawal(BaseModel):
    """Why the company took it back."""

    model_config = ConfigDict(extra="forbid")

    why: Words = Field("", examples=["Tilauskanta pieneni."])


class TermsView(BaseModel):
    """How many places, when, and for whom."""

    places: int
    starts_on: date
    ends_on: date
    weekly_hours: float | None
    workplace_hours: float | None
    age_min: int | None


class PotentialView(BaseModel):
    """Places that a company could give to students, and what became of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "8c307e5d-9f42-4da0-8b6c-9f127da06b8c",
                "status": "charted",
                "company_id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
                "business_id": "0100130-4",
                "form": "apprenticeship",
                "employment": True,
                "paid": True,
                "field_codes": "koulutusala-2016",
                "field_of_study": "1013",
                "terms": {
                    "places": 3,
                    "starts_on": "2026-10-01",
                    "ends_on": "2027-05-31",
                    "weekly_hours": 30,
                    "workplace_hours": 37.5,
                    "age_min": 15,
                },
                "charted_at": "2026-09-10T06:05:00Z",
                "visit_id": "7d2f6f0a-9c58-4f7e-8a35-6f1e0c9b4d2a",
                "survey_id": None,
                "words": "Kesäkausi on vilkkain.",
                "agreed_places": None,
                "agreed_on": None,
                "instructor_id": None,
                "history": [{"status": "charted", "at": "2026-09-10T06:05:00Z", "why": ""}],
            }
        }
    )

    id: UUID
    status: Status
    company_id: UUID
    business_id: str
    form: Form
    employment: bool = Field(description="Whether it is an employment, by the form.")
    paid: bool = Field(description="Whether it is paid, by the form.")
    field_codes: FieldCodes
    field_of_study: str
    terms: TermsView
    charted_at: AwareDatetime
    visit_id: UUID | None
    survey_id: UUID | None
    words: str
    agreed_places: int | None
    agreed_on: date | None
    instructor_id: UUID | None
    history: list[TurnView]

    @classmethod
    def of(cls, loaded: Loaded[Potential]) -> Self:
        """The potential as the college's staff sees it."""
        rules = RULES[loaded.state.form]
        return cls(id=loaded.id, employment=rules.employment, paid=rules.paid, **loaded.state.model_dump())


class PotentialsAsked(Listing):
    """How the list of potential can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"starts_on": "state.terms.starts_on", "charted_at": "state.charted_at"}

    sort: Literal["starts_on", "-starts_on", "charted_at", "-charted_at"] = Field(
        "starts_on", description="By when the period begins, or by when it was charted."
    )
    company_id: UUID | None = Field(None, description="Of one company, and of those that go on as it.")
    business_id: Annotated[BusinessIdText | None, equals("state.business_id")] = Field(
        None, description="Of one company, by its business id as it is written.", examples=["0100130-4"]
    )
    form: Annotated[Form | None, equals("state.form")] = Field(None, description="Of one form.")
    field_codes: Annotated[FieldCodes | None, equals("state.field_codes")] = Field(
        None, description="By which codes the field is told."
    )
    field_of_study: Annotated[FieldCode | None, prefix("state.field_of_study")] = Field(
        None, description="A field, or a broader one that it belongs to.", examples=["10"]
    )
    status: Annotated[list[Status], any_of("state.status")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )
    visit_id: Annotated[UUID | None, equals("state.visit_id")] = Field(None, description="Charted on one visit.")
    survey_id: Annotated[UUID | None, equals("state.survey_id")] = Field(None, description="Charted from one survey.")
    open_on: Day | None = Field(None, description="Whose period holds this day.", examples=["2027-01-15"])

    def also(self) -> dict[str, object]:
        """What is asked of two fields at once; days are kept as text that sorts as they do."""
        if self.open_on is None:
            return {}
        day = self.open_on.isoformat()
        return {"state.terms.starts_on": {"$lte": day}, "state.terms.ends_on": {"$gte": day}}
