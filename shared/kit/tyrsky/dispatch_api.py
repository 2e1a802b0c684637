"""What was told outside, and what became of it: a college may look."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tyrsky.auth import Caller, role
from tyrsky.catalogue import Problem, declare
from tyrsky.dispatches import Dispatch, DispatchCommand, Status, aggregate
from tyrsky.handling import Handling, handling
from tyrsky.listing import Listing, Page, any_of
from tyrsky.store import Loaded

problems = declare(
    Problem(
        "dispatch-unknown",
        404,
        fi="Lähetystä ei ole.",
        sv="Försändelsen finns inte.",
        en="There is no such dispatch.",
    ),
    Problem(
        "dispatch-not-due",
        409,
        fi="Lähetystä ei nyt yritetä: sen aika ei ole vielä, tai se on jo tehty.",
        sv="Försändelsen görs inte nu: dess tid har inte kommit, eller så är den redan gjord.",
        en="The dispatch is not to be tried now: its time has not come, or it is done.",
    ),
)

router = APIRouter(prefix="/dispatches", tags=["dispatches"])

Dispatches = Annotated[Handling[Dispatch, DispatchCommand], Depends(handling(aggregate))]
By = Annotated[Caller, Depends(role("outreach", "coordinator", "admin", "operator"))]


class DispatchView(BaseModel):
    """One call of a webhook, and what became of it; not what it told."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "3b110848-5e34-5204-9d35-f6d16be3b8d8",
                "kind": "reservation.confirmed",
                "status": "accepted",
                "attempts": 2,
                "unsure": False,
                "reason": "http-503",
                "accepted_at": "2026-01-20T10:00:00Z",
                "next_attempt_at": "2026-01-20T10:00:10Z",
                "ended_at": None,
            }
        }
    )

    id: UUID = Field(description="What the receiver gets as `webhook-id`.")
    kind: str
    status: Status
    attempts: int = Field(description="How many times it was tried.")
    unsure: bool = Field(description="An attempt ended without an answer of the receiver: it may have come twice.")
    reason: str | None = Field(description="Why it was not sent (yet): `http-503`, or a word.")
    accepted_at: AwareDatetime
    next_attempt_at: AwareDatetime | None = Field(description="When it is tried next; null when it is not.")
    ended_at: AwareDatetime | None = Field(description="When it was sent, refused or given up.")

    @classmethod
    def of(cls, loaded: Loaded[Dispatch]) -> Self:
        """The dispatch as a college sees it."""
        state = loaded.state
        return cls(
            id=loaded.id,
            next_attempt_at=state.due_at if state.status == "accepted" else None,
            **state.model_dump(include={*cls.model_fields} - {"id", "next_attempt_at"}),
        )


class DispatchesAsked(Listing):
    """How the list of dispatches can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"accepted_at": "state.accepted_at"}

    sort: Literal["accepted_at", "-accepted_at"] = Field("-accepted_at", description="By when it was accepted.")
    status: Annotated[list[Status], any_of("state.status")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )


@router.get("", operation_id="listDispatches", summary="List what was told outside")
async def find(asked: Annotated[DispatchesAsked, Query()], dispatches: Dispatches, by: By) -> Page[DispatchView]:
    """What the college has told by webhook, the newest first."""
    return (await dispatches.find(asked)).of(DispatchView.of)


@router.get(
    "/{dispatch_id}",
    operation_id="getDispatch",
    summary="One thing told outside",
    responses=problems("dispatch-unknown"),
)
async def get(
    dispatch_id: Annotated[UUID, Path(description="The call's `webhook-id`.")], dispatches: Dispatches, by: By
) -> DispatchView:
    """What became of one call."""
    return await dispatches.show(dispatch_id, DispatchView)
