"""A person's visits as a calendar that their own calendar subscribes to, by a secret link that can be revoked."""

import hashlib
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from tyrsky.aggregate import Unknown
from tyrsky.auth import Caller
from tyrsky.handling import Handling, handling
from tyrsky.linked import Linked, linked
from tyrsky.links import new_key
from tyrsky.store import Loaded
from tyrsky_contracts.notifications import Language

from companies.api.answers import LinkedVisits
from companies.api.words import FeedId, Person
from companies.calendar_feed import AHEAD, BACK, VISITS_MAX, calendar
from companies.feed import Feed, FeedCommand, OpenFeed, RevokeFeed, aggregate, feed_id
from companies.problems import problems
from companies.settings import Settings
from companies.visit_state import Visit

router = APIRouter(prefix="/calendar", tags=["calendar"])

Feeds = Annotated[Handling[Feed, FeedCommand], Depends(handling(aggregate))]
LinkedFeeds = Annotated[Linked[Feed, FeedCommand], Depends(linked(aggregate))]

FRESH_SECONDS = 300


class NewFeed(BaseModel):
    """A calendar feed to open."""

    model_config = ConfigDict(extra="forbid")

    language: Language = Field("fi", description="What the entries are called in.")


class FeedView(BaseModel):
    """A person's calendar feed."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "2b7c1d7e-3f0a-5b61-9d0e-6f8b0a4c2e11",
                "owner": "b7d1f0f2-6f0e-4c64-9f6e-1f4c5a4a0001",
                "language": "fi",
                "opened_at": "2026-08-24T09:30:00Z",
                "revoked_at": None,
            }
        }
    )

    id: UUID
    owner: str = Field(description="Subject of their token.")
    language: Language
    opened_at: AwareDatetime
    revoked_at: AwareDatetime | None = Field(description="Since when its link opens nothing any more.")

    @classmethod
    def of(cls, loaded: Loaded[Feed]) -> Self:
        """The feed without what opens it."""
        return cls(id=loaded.id, **loaded.state.model_dump())


class OpenedFeed(FeedView):
    """A feed that was opened just now, and its link."""

    url: str | None = Field(
        description="To subscribe to; it is shown this once. Null when this request came before: open the feed anew.",
        examples=["https://tyrsky.example/calendar/2b7c1d7e-3f0a-5b61-9d0e-6f8b0a4c2e11/Q3vS0mC1xkqk9d2l7y8ZJw.ics"],
    )


@router.post(
    "",
    status_code=201,
    operation_id="openCalendar",
    summary="Make the link of one's calendar feed",
    responses=problems("feed-of-somebody-else"),
)
async def open_feed(request: Request, response: Response, new: NewFeed, feeds: Feeds, person: Person) -> OpenedFeed:
    """Make a secret link to the visits that whoever asks goes to. There is one at a time: the link of before opens
    nothing any more. Whoever has it sees the visits; keep it as a password."""
    key, settings = new_key(), request.app.state.settings
    id = feed_id(person.college, person.subject)
    command = OpenFeed(feed_id=id, now=feeds.now, owner=person.subject, language=new.language, key=key)
    view = await feeds.handle(command, FeedView)
    return OpenedFeed(**dict(view), url=None if _came_before(response) else _url(settings, id, key))


@router.get("", operation_id="getCalendar", summary="One's calendar feed", responses=problems("feed-unknown"))
async def get(feeds: Feeds, person: Person) -> FeedView:
    """Since when whoever asks has a calendar feed. Its link is not shown again."""
    return await feeds.show(feed_id(person.college, person.subject), FeedView)


@router.post(
    "/{feed_id}/revoke",
    operation_id="revokeCalendar",
    summary="Revoke the link of a calendar feed",
    responses=problems("feed-unknown"),
)
async def revoke(feed_id: FeedId, feeds: Feeds, person: Person) -> FeedView:
    """Let the link open nothing any more: one's own, and for administrators anybody's, such as of who has left."""
    _check_mine(await feeds.get(feed_id), person)
    return await feeds.handle(RevokeFeed(feed_id=feed_id, now=feeds.now), FeedView)


@router.get(
    "/{feed_id}/{key}.ics",
    operation_id="readCalendar",
    summary="The visits of a calendar feed",
    response_class=Response,
    responses={
        200: {"description": "iCalendar.", "content": {"text/calendar": {"example": "BEGIN:VCALENDAR..."}}},
        304: {"description": "As it was when it had the ETag that If-None-Match names."},
        **problems("feed-unknown"),
    },
)
async def read(
    feed_id: FeedId,
    key: Annotated[str, Path(max_length=100, description="What opens it.", examples=["Q3vS0mC1xkqk9d2l7y8ZJw"])],
    feeds: LinkedFeeds,
    visits: LinkedVisits,
    if_none_match: Annotated[
        str | None, Header(max_length=1_000, description="ETags of what the client has.", examples=['"a3f5"'])
    ] = None,
) -> Response:
    """The visits that the feed's owner goes to, or comes along on: of 90 days back and 366 ahead. For calendars, which
    have no token: the link is the proof."""
    feed = await feeds.find(feed_id)
    if feed is None or not feed.state.opened_by(key):
        raise Unknown("feed", feed_id)
    body = calendar(await _visits(feed, visits), feed.state.language)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"private, max-age={FRESH_SECONDS}", "Referrer-Policy": "no-referrer"}
    if _has(if_none_match, tag):
        return Response(None, 304, headers)
    return Response(body, 200, headers, "text/calendar; charset=utf-8")


async def _visits(feed: Loaded[Feed], visits: LinkedVisits) -> list[tuple[Loaded[Visit], AwareDatetime]]:
    owner = feed.state.owner
    theirs = {
        "college": feed.college,
        "$or": [{"state.staff": owner}, {"state.partners": owner}],
        "state.starts_at": {"$gte": visits.now - BACK, "$lt": visits.now + AHEAD},
    }
    return await visits.all(theirs, "state.starts_at", VISITS_MAX)


def _check_mine(feed: Loaded[Feed], person: Caller) -> None:
    if feed.state.owner != person.subject and "admin" not in person.roles:
        raise Unknown("feed", feed.id)


def _came_before(response: Response) -> bool:
    return "Idempotent-Replayed" in response.headers


def _url(settings: Settings, id: UUID, key: str) -> str:
    return f"{settings.public_url}/calendar/{id}/{key}.ics"


def _has(if_none_match: str | None, tag: str) -> bool:
    """Whether one of the client's ETags is this one (RFC 9110, 13.1.2: weak comparison)."""
    known = (each.strip().removeprefix("W/") for each in (if_none_match or "").split(","))
    return any(each in (tag, "*") for each in known)
