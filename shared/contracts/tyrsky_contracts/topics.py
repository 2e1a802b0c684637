"""The map of the system: every topic, what is on it, who writes it, who reads it, and how long it is kept.

``tyrsky topics apply`` makes Kafka look like this page: topics, access lists and the users of partner colleges.
"""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from tyrsky_contracts import audit as a
from tyrsky_contracts import companies as c
from tyrsky_contracts import contacts as p
from tyrsky_contracts import needs as d
from tyrsky_contracts import notifications as n
from tyrsky_contracts import reservations as r
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
        c.CompanyAdded,
        c.CompanyTagged,
        c.CompanyRenamed,
        c.CompanyMoved,
        c.CompanyLineChanged,
        c.CompanySituationChanged,
        c.CompanyCeased,
        c.CompanyStageReached,
        c.CompanyMerged,
        c.CompanyUnmerged,
        c.CompanyTouched,
        c.ContactAdded,
        p.ContactObjected,
        p.ContactErased,
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
    consumers=("companies-policies", "companies-reach", "companies-objections", "notifications-forgetting"),
    retention=None,
    public=True,
)

contact_reservations = Topic(
    name="contact-reservations",
    about="Which college gets in touch with a company first; of two, the one that is read first.",
    key="business id",
    events=(r.ContactReserved, r.ReservationExtended, r.ReservationReleased),
    producers=("companies",),
    consumers=("companies-reserved",),
    retention=timedelta(days=90),
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

audit = Topic(
    name="audit",
    about="Who changed what, when; people are ids of the identity provider's. Private, and kept for five years.",
    key="id of the aggregate that was changed",
    events=(a.Audited,),
    producers=("companies",),
    consumers=("companies-audit",),
    retention=timedelta(days=5 * 365),
    public=False,
)

ALL: tuple[Topic, ...] = (companies, contact_reservations, notification_requests, notifications, audit)
