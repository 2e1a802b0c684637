"""The map of the system: every topic, what is on it, who writes it, who reads it, and how long it is kept.

``tyrsky topics apply`` makes Kafka look like this page: topics, access lists and the users of partner colleges.
"""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from tyrsky_contracts import companies as c
from tyrsky_contracts import needs as d
from tyrsky_contracts import notifications as n
from tyrsky_contracts import visits as v
from tyrsky_contracts.event import Event


class Topic(BaseModel):
    """One topic. ``consumers`` are the consumer groups that a change of it would break, ``<service>-<purpose>``; on a
    topic of a college's own, the service that writes it need not name its own. A private one is granted to no partner.

    ``retention`` ``None`` is for ever: such a topic can be read from its beginning by whoever joins the network later.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    about: str
    key: str
    events: tuple[type[Event], ...]
    producers: tuple[str, ...]
    consumers: tuple[str, ...] = ()
    retention: timedelta | None
    public: bool


companies = Topic(
    name="companies",
    about="Companies in a college's care, their contacts (as ids), the visits made to them, their needs and potential.",
    key="id of the aggregate (company, contact, visit, need or potential)",
    events=(
        c.CompanyRegistered,
        c.CompanyTagged,
        c.ContactAdded,
        c.VisitPlanned,
        v.VisitConfirmed,
        v.VisitDeclined,
        c.VisitMoved,
        c.VisitCancelled,
        c.VisitRecorded,
        d.NeedCharted,
        d.NeedAssessed,
        d.NeedOffered,
        d.NeedClosed,
        d.PotentialCharted,
        d.PotentialConfirmed,
        d.PotentialAgreed,
        d.PotentialClosed,
    ),
    producers=("companies",),
    consumers=("companies-policies", "companies-reach"),
    retention=None,
    public=True,
)

notification_requests = Topic(
    name="notification-requests",
    about="Somebody is to be told something. Carries addresses, so it is private.",
    key="id of the aggregate that asks (visit)",
    events=(n.NotificationRequested,),
    producers=("companies",),
    consumers=("notifications-policies",),
    retention=timedelta(days=7),
    public=False,
)

notifications = Topic(
    name="notifications",
    about="What became of the requests; no addresses.",
    key="id of the notification",
    events=(n.NotificationSent, n.NotificationRefused),
    producers=("notifications",),
    consumers=(),
    retention=timedelta(days=90),
    public=True,
)

ALL: tuple[Topic, ...] = (companies, notification_requests, notifications)
