"""The network: whether anybody has been in touch with a company, and who may be first. No college is ever named."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from tyrsky.auth import Caller
from tyrsky.handling import Handling, handling
from tyrsky.rows import Rows, rows
from tyrsky.store import Loaded

from companies.api.register import NetworkReach
from companies.api.words import BusinessIdInPath, Staff
from companies.problems import problems
from companies.register import parse_business_id
from companies.reservation import (
    LONGEST,
    ExtendReservation,
    Known,
    ReleaseContact,
    Reservation,
    ReservationCommand,
    ReserveContact,
    aggregate,
    reservation_id,
)
from companies.views import Reserved, reservations

router = APIRouter(prefix="/network/companies", tags=["network"])

Asked = Annotated[Handling[Reservation, ReservationCommand], Depends(handling(aggregate))]
Heard = Annotated[Rows[Reserved], Depends(rows(reservations))]


class Days(BaseModel):
    """For how long."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(LONGEST.days, description="At most 14.", examples=[14])


class ReachView(BaseModel):
    """Whether the network has been in touch with a company."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "business_id": "0100130-4",
                "in_touch": True,
                "since": "2025-03-03T08:00:00Z",
                "last": "2026-03-03T08:00:00Z",
                "times": 4,
                "visits": 2,
                "reserved_until": None,
            }
        }
    )

    business_id: str
    in_touch: bool = Field(description="Whether any college has been.")
    since: AwareDatetime | None
    last: AwareDatetime | None
    times: int = Field(description="How often, visits among them.")
    visits: int
    reserved_until: AwareDatetime | None = Field(
        description="Until when another college has reserved the first contact, at the latest."
    )


class AskedView(BaseModel):
    """That the college asked to be first. Whether it is, the log tells within seconds: get the reservation."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "2c9d4a51-7f0e-5b3a-8d6c-1e2f3a4b5c6d",
                "business_id": "0100130-4",
                "asked_at": "2026-09-01T12:00:00Z",
                "until": "2026-09-15T12:00:00Z",
                "extended": False,
            }
        }
    )

    id: UUID
    business_id: str
    asked_at: AwareDatetime
    until: AwareDatetime
    extended: bool

    @classmethod
    def of(cls, loaded: Loaded[Reservation]) -> "AskedView":
        """What the college asked for."""
        return cls(id=loaded.id, **loaded.state.model_dump())


class ReservationView(AskedView):
    """How the college's reservation stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "2c9d4a51-7f0e-5b3a-8d6c-1e2f3a4b5c6d",
                "business_id": "0100130-4",
                "asked_at": "2026-09-01T12:00:00Z",
                "until": "2026-09-15T12:00:00Z",
                "extended": False,
                "status": "held",
            }
        }
    )

    status: Literal["asked", "held", "lost", "over"] = Field(
        description="`asked`: the log has not told yet; `lost`: another college was first, until `until`."
    )


async def _known(business_id: str, heard: Rows[Reserved], by: Caller) -> Known:
    return ((await heard.get(business_id)) or Reserved()).known_to(by.college)


@router.get(
    "/{business_id}",
    operation_id="askNetwork",
    summary="Has anybody been in touch?",
    responses=problems("business-id-check-digit"),
)
async def ask(business_id: BusinessIdInPath, network: NetworkReach, heard: Heard, staff: Staff) -> ReachView:
    """Whether any college of the network has been in touch with a company, since when and how often; and none is named.
    Of a company that nobody knows the answer is no, as of one that nobody has reached."""
    wanted = parse_business_id(business_id)
    reach = await network.get(wanted)
    known = await _known(wanted, heard, staff)
    return ReachView(
        business_id=wanted,
        in_touch=bool(reach and reach.touches),
        since=reach.first_reached_at if reach else None,
        last=reach.last_reached_at if reach else None,
        times=reach.touches if reach else 0,
        visits=reach.visits if reach else 0,
        reserved_until=known.others_until,
    )


@router.post(
    "/{business_id}/reservation",
    status_code=202,
    operation_id="reserveContact",
    summary="Reserve the first contact",
    responses=problems("business-id-check-digit", "contact-reserved", "reservation-too-soon", "reservation-too-long"),
)
async def reserve(business_id: BusinessIdInPath, wanted: Days, asked: Asked, heard: Heard, staff: Staff) -> AskedView:
    """Ask to be the first to get in touch with a company, for 14 days at most. Of two that ask at once, one is."""
    which = parse_business_id(business_id)
    command = ReserveContact(
        contact_reservation_id=reservation_id(staff.college, which),
        business_id=which,
        known=await _known(which, heard, staff),
        now=asked.now,
        days=wanted.days,
    )
    return await asked.handle(command, AskedView)


@router.get(
    "/{business_id}/reservation",
    operation_id="getReservation",
    summary="How a reservation stands",
    responses=problems("business-id-check-digit", "contact-reservation-unknown"),
)
async def get(business_id: BusinessIdInPath, asked: Asked, heard: Heard, staff: Staff) -> ReservationView:
    """How the college's last reservation of a company stands."""
    which = parse_business_id(business_id)
    found = await asked.get(reservation_id(staff.college, which))
    known = await _known(which, heard, staff)
    return _standing(found, known, asked.now)


def _standing(found: Loaded[Reservation], known: Known, now: datetime) -> ReservationView:
    def told(status: str, until: datetime) -> ReservationView:
        return ReservationView.model_validate(AskedView.of(found).model_dump() | {"status": status, "until": until})

    if known.heard_at is None or known.heard_at < found.state.asked_at:
        return told("asked", found.state.until)
    if known.held_until and now < known.held_until:
        return told("held", known.held_until)
    if known.others_until and now < known.others_until:
        return told("lost", known.others_until)
    return told("over", known.held_until or found.state.until)


@router.post(
    "/{business_id}/reservation/extend",
    status_code=202,
    operation_id="extendReservation",
    summary="Have more time",
    responses=problems(
        "business-id-check-digit",
        "contact-reservation-unknown",
        "reservation-not-held",
        "reservation-extended-already",
        "reservation-too-long",
    ),
)
async def extend(business_id: BusinessIdInPath, wanted: Days, asked: Asked, heard: Heard, staff: Staff) -> AskedView:
    """Let a reservation last for up to 14 days more, once."""
    which = parse_business_id(business_id)
    command = ExtendReservation(
        contact_reservation_id=reservation_id(staff.college, which),
        known=await _known(which, heard, staff),
        now=asked.now,
        days=wanted.days,
    )
    return await asked.handle(command, AskedView)


@router.post(
    "/{business_id}/reservation/release",
    status_code=202,
    operation_id="releaseContact",
    summary="Let others go first",
    responses=problems("business-id-check-digit", "contact-reservation-unknown"),
)
async def release(business_id: BusinessIdInPath, asked: Asked, heard: Heard, staff: Staff) -> AskedView:
    """Let a reservation go before it ends. Twice is once."""
    which = parse_business_id(business_id)
    command = ReleaseContact(
        contact_reservation_id=reservation_id(staff.college, which),
        known=await _known(which, heard, staff),
        now=asked.now,
    )
    return await asked.handle(command, AskedView)
