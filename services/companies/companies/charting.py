"""What needs and potential have in common: charted at a moment, then a history of states, each with when and why."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field
from tyrsky.aggregate import Rejected, State

Words = Annotated[str, Field(max_length=1_000)]
"""What somebody wrote. It may tell of people: it stays in the college."""

TURNS_MAX = 50
"""So many turns a history has; its last one, the end, may come on top."""

OLDEST = timedelta(days=366)
"""What was charted longer ago is not charted any more."""


class Turn(State):
    """A state, since when, and why in the words of whoever brought it about."""

    status: Annotated[str, Field(max_length=20)]
    at: AwareDatetime
    why: Words = ""


def check_charted(charted_at: datetime, now: datetime) -> None:
    """Refuse what was not charted lately.

    :raises Rejected: ``charted-in-the-future``, ``charted-too-long-ago``.
    """
    if charted_at > now:
        raise Rejected("charted-in-the-future", field="charted_at")
    if now - charted_at > OLDEST:
        raise Rejected("charted-too-long-ago", field="charted_at", days=OLDEST.days)
