"""What events tell: how much each company is reached, by anybody; whom to leave alone; who changed what here."""

from datetime import UTC, datetime
from uuid import UUID

from pydantic import AwareDatetime, Field
from tyrsky.aggregate import State
from tyrsky.projecting import Projection
from tyrsky_contracts.audit import Audited
from tyrsky_contracts.companies import CompanyTouched, VisitRecorded
from tyrsky_contracts.contacts import ContactObjected
from tyrsky_contracts.event import Envelope
from tyrsky_contracts.reservations import ContactReserved, ReservationExtended, ReservationReleased

from companies.reservation import LONGEST, Known


class Reach(State):
    """How often, since when, and when last any college of the network was in touch with the company with a business id.

    ``visits`` are of all ``touches`` those that were visits, made in whatever way.
    """

    visits: int = 0
    touches: int = 0
    first_reached_at: AwareDatetime | None = None
    last_reached_at: AwareDatetime | None = None

    def at(self, moment: datetime, *, visits: int = 0) -> "Reach":
        """Once more. It is not always told in the order in which it was."""
        return self.but(
            visits=self.visits + visits,
            touches=self.touches + 1,
            first_reached_at=min(self.first_reached_at or moment, moment),
            last_reached_at=max(self.last_reached_at or moment, moment),
        )


reach = Projection("reach", Reach, key=lambda event: event.business_id)


@reach.on(VisitRecorded)
def visited(row: Reach, event: VisitRecorded, about: Envelope) -> Reach:
    """One visit more."""
    return row.at(event.visited_at, visits=1)


@reach.on(CompanyTouched)
def touched(row: Reach, event: CompanyTouched, about: Envelope) -> Reach:
    """Once more in touch."""
    return row.at(event.touched_at)


NOBODY = UUID(int=0)


class Entry(State):
    """Who changed what, when; ``about`` is the company that it belongs to."""

    college: str = ""
    at: AwareDatetime = datetime.min.replace(tzinfo=UTC)
    by: str = ""
    kind: str = ""
    thing: UUID = NOBODY
    about: UUID = NOBODY
    happened: tuple[str, ...] = ()


audit = Projection("audit", Entry, key=lambda event: event.entry)


@audit.on(Audited)
def entered(row: Entry, event: Audited, about: Envelope) -> Entry:
    """An entry is made once, and never changed."""
    return Entry.model_validate({**event.model_dump(), "college": about.college, "at": about.time})


class Reserved(State):
    """Who may get in touch with a company first, until when; ``heard`` is when each college last asked, and ``held``
    until when the last reservation lasted that it had."""

    holder: str | None = None
    until: AwareDatetime | None = None
    extended: bool = False
    heard: dict[str, AwareDatetime] = Field(default_factory=dict)
    held: dict[str, AwareDatetime] = Field(default_factory=dict)

    def known_to(self, college: str) -> Known:
        """What a college may know of it."""
        mine = self.holder == college
        return Known(
            heard_at=self.heard.get(college),
            held_until=self.until if mine else self.held.get(college),
            others_until=None if mine or self.holder is None else self.until,
        )


reservations = Projection("reserved", Reserved, key=lambda event: event.business_id)


@reservations.on(ContactReserved)
def reserved(row: Reserved, event: ContactReserved, about: Envelope) -> Reserved:
    """Who is read first has it, for as long as anybody may."""
    row = row.but(heard=row.heard | {about.college: event.reserved_at})
    if row.holder is not None and row.until is not None and event.reserved_at < row.until:
        return row  # who has it keeps it
    until = min(event.until, event.reserved_at + LONGEST)
    return row.but(holder=about.college, until=until, extended=False, held=_held(row))


@reservations.on(ReservationExtended)
def extended(row: Reserved, event: ReservationExtended, about: Envelope) -> Reserved:
    """Once, and by whoever has it."""
    if row.holder != about.college or row.extended or row.until is None:
        return row
    return row.but(until=min(event.until, row.until + LONGEST), extended=True)


@reservations.on(ReservationReleased)
def released(row: Reserved, event: ReservationReleased, about: Envelope) -> Reserved:
    """Whoever has it lets it go."""
    if row.holder != about.college or row.until is None:
        return row
    row = row.but(until=min(event.released_at, row.until))
    return row.but(holder=None, until=None, extended=False, held=_held(row))


def _held(row: Reserved) -> dict[str, AwareDatetime]:
    return row.held | {row.holder: row.until} if row.holder and row.until else row.held


class Objected(State):
    """When the person with an address, known by its hash, last said that they want no messages."""

    at: AwareDatetime | None = None


objections = Projection("objections", Objected, key=lambda event: event.hash)


@objections.on(ContactObjected)
def objected(row: Objected, event: ContactObjected, about: Envelope) -> Objected:
    """In whichever college it was; colleges are heard of in any order."""
    return row.but(at=max(row.at or event.at, event.at))
