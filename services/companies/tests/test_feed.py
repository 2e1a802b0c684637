"""The rules of a person's calendar feed."""

from datetime import UTC, datetime
from uuid import uuid4

from companies.feed import FeedOpened, FeedRevoked, OpenFeed, RevokeFeed, aggregate, feed_id
from tyrsky.links import digest, new_key
from tyrsky.testing import given

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
ID = uuid4()
KEY, OTHER = new_key(), new_key()


def open_feed(key: str = KEY, owner: str = "aino-subject") -> OpenFeed:
    return OpenFeed(feed_id=ID, now=NOON, owner=owner, language="fi", key=key)


def opened(key: str = KEY) -> FeedOpened:
    return FeedOpened(owner="aino-subject", language="fi", key_digest=digest(key), opened_at=NOON)


revoke = RevokeFeed(feed_id=ID, now=NOON)
revoked = FeedRevoked(revoked_at=NOON)


def test_a_feed_is_opened_by_its_key_which_is_not_kept():
    outcome = given(aggregate).when(open_feed()).then(opened())
    assert outcome.state is not None
    assert outcome.state.opened_by(KEY)
    assert not outcome.state.opened_by(OTHER)
    assert KEY not in outcome.state.model_dump_json()


def test_a_new_link_takes_the_place_of_the_one_before():
    outcome = given(aggregate, opened()).when(open_feed(OTHER)).then(opened(OTHER))
    assert outcome.state is not None
    assert outcome.state.opened_by(OTHER)
    assert not outcome.state.opened_by(KEY)


def test_a_revoked_link_opens_nothing_and_twice_is_once():
    outcome = given(aggregate, opened()).when(revoke).then(revoked)
    assert outcome.state is not None
    assert not any(outcome.state.opened_by(key) for key in (KEY, OTHER, ""))
    given(aggregate, opened(), revoked).when(revoke).then()
    given(aggregate).when(revoke).rejected("feed-unknown")


def test_after_a_revocation_a_new_link_can_be_made():
    outcome = given(aggregate, opened(), revoked).when(open_feed(OTHER)).then(opened(OTHER))
    assert outcome.state is not None
    assert outcome.state.opened_by(OTHER)


def test_nobody_opens_anothers_feed():
    given(aggregate, opened()).when(open_feed(owner="bertta-subject")).rejected("feed-of-somebody-else")


def test_a_person_has_one_feed_in_each_college():
    assert feed_id("vaao", "aino") == feed_id("vaao", "aino")
    assert len({feed_id(college, who) for college in ("vaao", "sasky") for who in ("aino", "bertta")}) == 4
