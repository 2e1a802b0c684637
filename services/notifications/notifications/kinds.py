"""The kinds of notifications: what each is good for, and how hard it is tried."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tyrsky_contracts.notifications import NotificationKind, VisitInvitation


@dataclass(frozen=True)
class Kind:
    """One kind. ``template`` names the files ``templates/<template>.<language>.{html,txt}``.

    When an attempt ended and nobody knows how (the process died, the connection broke after the message was handed
    over), ``again_when_unsure`` says which harm is the smaller: twice, or perhaps never.
    """

    template: str
    again_when_unsure: bool
    keep_trying: timedelta


KINDS: dict[NotificationKind, Kind] = {
    # A lost invitation is worse than two alike: same Message-ID, and a calendar shows them as one.
    "visit-invitation": Kind(template="visit-invitation", again_when_unsure=True, keep_trying=timedelta(days=5)),
}


def expires_at(kind: NotificationKind, data: VisitInvitation, accepted_at: datetime) -> datetime:
    """From when on the message is not sent any more: nobody is invited to a visit that has begun."""
    return min(accepted_at + KINDS[kind].keep_trying, data.starts_at)
