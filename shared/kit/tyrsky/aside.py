"""What a relay puts aside for a while, so that it holds up nothing else: events for topics that are not there, and
aggregates of which Kafka did not take an event."""

import asyncio
from collections.abc import Sequence

from tyrsky.store import Claim

ABSENT_SECONDS = 10
"""How long it takes a topic for absent without asking."""

HELD_BACK_MAX = 1_000
HELD_BACK_SECONDS = 10
HELD_BACK_SECONDS_MAX = 600
"""Aggregates that are held back, and how long each is, at first and in the end: each try costs the relay its holder."""


class Aside:
    """What one relay has put aside."""

    def __init__(self) -> None:
        self._absent_until: dict[str, float] = {}
        self._held_back: dict[tuple[str, str], tuple[float, float]] = {}
        """Until when, and for how long the next time."""

    def absent_topics(self) -> set[str]:
        """Topics that were not there a moment ago."""
        now = asyncio.get_running_loop().time()
        self._absent_until = {topic: until for topic, until in self._absent_until.items() if until > now}
        return set(self._absent_until)

    def topic_is_absent(self, topic: str) -> None:
        """Leave alone what is bound for it."""
        self._absent_until[topic] = asyncio.get_running_loop().time() + ABSENT_SECONDS

    def hold_back(self, collection: str, id: str) -> float:
        """Let an aggregate go alone from now on: at once, and when that was in vain after ever longer. In how many
        seconds."""
        _, seconds = self._held_back.pop((collection, id), (0.0, 0.0))
        if len(self._held_back) >= HELD_BACK_MAX:
            del self._held_back[next(iter(self._held_back))]
        longer = min(max(HELD_BACK_SECONDS, seconds * 2), HELD_BACK_SECONDS_MAX)
        self._held_back[collection, id] = asyncio.get_running_loop().time() + seconds, longer
        return seconds

    def held_back(self, collection: str) -> set[str]:
        """Aggregates whose time has not come."""
        now = asyncio.get_running_loop().time()
        return {id for (of, id), (until, _) in self._held_back.items() if of == collection and until > now}

    def apart(self, claims: Sequence[Claim]) -> Sequence[Sequence[Claim]]:
        """What goes together: all but those that were held back, which come last, each alone."""
        alone = [claim for claim in claims if (claim.collection, claim.id) in self._held_back]
        together = [claim for claim in claims if claim not in alone] if alone else claims
        return [each for each in (together, *([claim] for claim in alone)) if each]

    def taken(self, claims: Sequence[Claim]) -> None:
        """They are as all others again."""
        for claim in claims:
            self._held_back.pop((claim.collection, claim.id), None)
