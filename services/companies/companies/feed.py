"""A person's calendar feed: a secret link that a calendar subscribes to. A person has one, and can renew and revoke it.

The key is shown once, when the link is made; what is kept is its digest.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import AwareDatetime, Field
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown
from tyrsky.links import digest, opens
from tyrsky_contracts.notifications import Language

Subject = Annotated[str, Field(min_length=1, max_length=255)]

FEEDS = UUID("6f4b1c1e-8f0f-5d3c-9b7a-2f1de5f0a7c1")


def feed_id(college: str, subject: str) -> UUID:
    """The id of a person's feed."""
    return uuid5(FEEDS, f"{college}/{subject}")


class Feed(State):
    """Whose feed it is, and which key opens it; none, when it was revoked."""

    owner: Subject
    language: Language
    key_digest: str | None
    opened_at: AwareDatetime
    revoked_at: AwareDatetime | None = None

    def opened_by(self, key: str) -> bool:
        """Whether the key opens it."""
        return opens(key, self.key_digest)


class FeedOpened(PrivateEvent):
    """There is a link, or a new one."""

    owner: Subject
    language: Language
    key_digest: str
    opened_at: AwareDatetime


class FeedRevoked(PrivateEvent):
    """The link opens nothing any more."""

    revoked_at: AwareDatetime


class FeedCommand(Command):
    """What can be asked of a feed."""

    feed_id: UUID
    now: AwareDatetime


class OpenFeed(FeedCommand):
    """Make a link, in place of the one before."""

    owner: Subject
    language: Language
    key: Annotated[str, Field(min_length=22, max_length=100)]


class RevokeFeed(FeedCommand):
    """Let the link open nothing any more."""


def decide(feed: Feed | None, command: FeedCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match feed, command:
        case _, OpenFeed() if feed is None or feed.owner == command.owner:
            opened = digest(command.key)
            return [
                FeedOpened(owner=command.owner, language=command.language, key_digest=opened, opened_at=command.now)
            ]
        case Feed(), RevokeFeed():
            return [FeedRevoked(revoked_at=command.now)] if feed.key_digest else []
        case Feed(), OpenFeed():
            raise Rejected("feed-of-somebody-else")
        case _:
            raise Unknown("feed", command.feed_id)


def evolve(feed: Feed | None, event: Happening) -> Feed:
    """The feed after what happened."""
    match feed, event:
        case _, FeedOpened():
            return Feed(**dict(event))
        case Feed(), FeedRevoked():
            return feed.but(key_digest=None, revoked_at=event.revoked_at)
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this feed")


aggregate = Aggregate("feed", Feed, FeedCommand, decide, evolve, about=lambda id, _: id)
