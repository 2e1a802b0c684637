"""How soon what waits is found, without a server."""

# pyright: reportPrivateUsage=false

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from tyrsky import finding
from tyrsky.aside import Aside
from tyrsky.finding import Finder
from tyrsky.store import Document, waits_since


def finder(monkeypatch: pytest.MonkeyPatch, *, take_over: float = 0, poll: float = 0) -> tuple[Finder, list[float]]:
    """A finder that takes so long over its work, and when it polled."""
    one = Finder(cast(Any, None), cast(Any, None), cast(Any, None), Aside(), cast(Any, None))
    one.collections.append("visits")
    polled: list[float] = []

    async def fencing(me: str, gone: str) -> bool:
        """Kafka is quick."""
        return True

    async def taking_over(gone: str) -> bool:
        one._given_up.discard(gone)
        await asyncio.sleep(take_over)
        return True

    async def polling(collection: object) -> bool:
        polled.append(asyncio.get_running_loop().time())
        await asyncio.sleep(poll)
        return False

    monkeypatch.setattr(finding, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(one, "_fence", fencing)
    monkeypatch.setattr(one, "_take_over", taking_over)
    monkeypatch.setattr(one, "_poll", polling)
    monkeypatch.setattr(one, "_collection", str)
    return one, polled


async def polls_in(one: Finder, polled: list[float], seconds: float) -> int:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(one.run(), one.take_over())
    return len(polled)


async def test_nobody_waits_for_a_long_taking_over(monkeypatch: pytest.MonkeyPatch) -> None:
    one, polled = finder(monkeypatch, take_over=60)
    one.go_on_as("me")
    one.gave_up("me before")
    one.go_on_as("me")
    assert await polls_in(one, polled, 1) > 10


async def test_a_slow_store_is_polled_less_often_and_never_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    one, polled = finder(monkeypatch, poll=0.1)
    assert await polls_in(one, polled, 1) == 1
    monkeypatch.setattr(finding, "REST_SECONDS_MAX", 0.1)
    polled.clear()
    assert await polls_in(one, polled, 1) > 2


async def test_what_could_not_be_taken_over_is_tried_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    one, polled = finder(monkeypatch, poll=10)
    tried: list[str] = []

    async def failing(gone: str) -> bool:
        tried.append(gone)
        raise TimeoutError

    monkeypatch.setattr(one, "_take_over", failing)
    monkeypatch.setattr(finding, "HURRY_SECONDS", 0.05)
    one.gave_up("me before")
    one.go_on_as("me")
    await polls_in(one, polled, 1)
    assert len(tried) > 2


async def test_a_holder_that_cannot_be_fenced_or_taken_over_is_in_no_other_s_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, polled = finder(monkeypatch)
    tried: list[str] = []

    async def fencing(me: str, gone: str) -> bool:
        tried.append(f"fence {gone}")
        if gone == "a":
            raise TimeoutError
        return True

    async def taking_over(gone: str) -> bool:
        tried.append(gone)
        if gone == "b":
            raise TimeoutError
        one._given_up.discard(gone)
        return True

    monkeypatch.setattr(one, "_fence", fencing)
    monkeypatch.setattr(one, "_take_over", taking_over)
    monkeypatch.setattr(finding, "HURRY_SECONDS", 0.05)
    for each in "abc":
        one.gave_up(each)
    one.go_on_as("me")
    await polls_in(one, polled, 0.5)
    # All are fenced before the first is read of: what one has left open holds up the reader of another.
    assert tried[:7] == ["fence a", "fence b", "fence c", "b", "c", "fence a", "fence b"]


@pytest.mark.parametrize(
    ("outbox", "since"),
    [
        ([], None),
        ([{"headers": {"ce_time": "2026-01-15T12:05:00Z"}}, {"headers": {"ce_time": "2026-01-15T12:09:00Z"}}], 5),
        ([{"headers": {"ce_time": "2026-01-14T12:00:00Z"}}], 0),  # a policy's, as old as its cause
        ([{"headers": {}}], 0),
    ],
)
def test_the_first_event_waits_neither_since_its_outbox_was_empty_nor_since_its_cause(
    outbox: list[Document], since: int | None
) -> None:
    noon = datetime(2026, 1, 15, 12, tzinfo=UTC)
    found = waits_since({"outbox_since": noon, "outbox": outbox})
    assert found == (None if since is None else noon + timedelta(minutes=since))
