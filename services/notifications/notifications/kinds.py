"""The kinds of notifications: what each is good for, and how hard it is tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tyrsky_contracts.notifications import NotificationKind, VisitInvitation


@dataclass(frozen=True)
class Kind:
    """One kind. ``templates`` name the files ``templates/<template>.<language>.{html,txt}``, by what is the news.

    When an attempt ended and nobody knows how (the process died, the connection broke after the message was handed
    over), ``again_when_unsure`` says which harm is the smaller: twice, or perhaps never.
    """

    templates: Mapping[str | None, str]
    again_when_unsure: bool
    keep_trying: timedelta


KINDS: dict[NotificationKind, Kind] = {
    # A lost invitation is worse than two alike: same Message-ID, and a calendar shows them as one.
    "visit-invitation": Kind(
        templates={None: "visit-invitation", "moved": "visit-moved", "cancelled": "visit-cancelled"},
        again_when_unsure=True,
        keep_trying=timedelta(days=5),
    ),
}


def expires_at(kind: NotificationKind, data: VisitInvitation, accepted_at: datetime) -> datetime:
    """From when on the message is not sent any more: nobody is invited to a visit that has begun, and who waits for one
    that is cancelled is told until it would be over."""
    too_late = data.ends_at if data.change == "cancelled" else data.starts_at
    return min(accepted_at + KINDS[kind].keep_trying, too_late)
