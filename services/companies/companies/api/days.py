"""The visits of a day, for whoever has to drive from one to the next: by municipality, in order of time."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, ClassVar, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from tyrsky.listing import LIMIT_MAX, Listing, Page, any_of, at_least, below, equals
from tyrsky.store import Loaded
from tyrsky_contracts.companies import Manner

from companies.api.visit_views import AINO
from companies.api.visits import Visits
from companies.api.words import Day, Staff, Subject
from companies.visit_state import Status, Visit

router = APIRouter(tags=["visits"])

HELSINKI = ZoneInfo("Europe/Helsinki")
GOING: list[Status] = ["planned", "confirmed", "recorded"]

InPath = Annotated[
    Day,
    Field(ge=date(2000, 1, 1), le=date(2199, 12, 31)),
    Path(description="A day in Finland.", examples=["2026-09-10"]),
]


class Stop(BaseModel):
    """A visit as one stop of a day."""

    id: UUID
    status: Status
    company_id: UUID
    company_name: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    manner: Manner
    staff: list[str]

    @classmethod
    def of(cls, loaded: Loaded[Visit]) -> Self:
        """The stop that a visit is."""
        return cls(id=loaded.id, **loaded.state.model_dump())


class Stops(BaseModel):
    """The stops in one municipality."""

    municipality: str | None = Field(description="Its three digits; null when the company's is not known.")
    visits: list[Stop]


class DayView(BaseModel):
    """A day's visits. Municipalities are in the order in which the first visit to each begins."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "day": "2026-09-10",
                "starts_at": "2026-09-09T21:00:00Z",
                "ends_at": "2026-09-10T21:00:00Z",
                "municipalities": [
                    {
                        "municipality": "908",
                        "visits": [
                            {
                                "id": "7d2f6f0a-9c58-5f7e-8a35-6f1e0c9b4d2a",
                                "status": "confirmed",
                                "company_id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
                                "company_name": "Esimerkkikahvila Oy",
                                "starts_at": "2026-09-10T06:00:00Z",
                                "ends_at": "2026-09-10T07:00:00Z",
                                "manner": "on-site",
                                "staff": [AINO],
                            }
                        ],
                    }
                ],
                "more": False,
            }
        }
    )

    day: date
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    municipalities: list[Stops]
    more: bool = Field(description=f"Whether there are more than the {LIMIT_MAX} that are shown.")


class DayAsked(BaseModel):
    """How a day's visits can be narrowed."""

    model_config = ConfigDict(extra="forbid")

    status: list[Status] = Field(
        GOING, max_length=5, description="One or more; those that are made or will be, when none is given."
    )
    staff: Subject | None = Field(
        None, description="To which this person goes (subject of their token).", examples=[AINO]
    )
    mine: bool = Field(False, description="To which whoever asks goes.")


class _OfDay(Listing):
    sorts: ClassVar[Mapping[str, str]] = {"starts_at": "state.starts_at"}

    sort: str = "starts_at"
    limit: int = LIMIT_MAX
    status: Annotated[list[Status], any_of("state.status")]
    staff: Annotated[str | None, equals("state.staff")]
    starts_from: Annotated[datetime, at_least("state.starts_at")]
    starts_before: Annotated[datetime, below("state.starts_at")]


def bounds(day: date) -> tuple[datetime, datetime]:
    """From when to when a day lasts in Finland: 23, 24 or 25 hours."""
    begins, ends = (datetime.combine(each, time(), HELSINKI) for each in (day, day + timedelta(days=1)))
    return begins.astimezone(UTC), ends.astimezone(UTC)


def by_municipality(page: Page[Loaded[Visit]]) -> list[Stops]:
    """Visits, in order of time, by where they are."""
    found: dict[str | None, list[Stop]] = {}
    for visit in page.items:
        found.setdefault(visit.state.municipality, []).append(Stop.of(visit))
    return [Stops(municipality=municipality, visits=visits) for municipality, visits in found.items()]


@router.get("/visits/day/{day}", operation_id="listVisitsOfDay", summary="The visits of a day, by municipality")
async def of_day(day: InPath, asked: Annotated[DayAsked, Query()], visits: Visits, staff: Staff) -> DayView:
    """The college's visits that begin on a day in Finland, by municipality and in order of time."""
    starts_at, ends_at = bounds(day)
    who = staff.subject if asked.mine else asked.staff
    page = await visits.find(_OfDay(status=asked.status, staff=who, starts_from=starts_at, starts_before=ends_at))
    return DayView(
        day=day,
        starts_at=starts_at,
        ends_at=ends_at,
        municipalities=by_municipality(page),
        more=page.next is not None,
    )
