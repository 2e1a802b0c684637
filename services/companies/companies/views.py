"""What events tell: how much each company is reached, by anybody; and who changed what here."""

from datetime import UTC, datetime
from uuid import UUID

from pydantic import AwareDatetime
from tyrsky.aggregate import State
from tyrsky.projecting import Projection
from tyrsky_contracts.audit import Audited
from tyrsky_contracts.companies import CompanyTouched, VisitRecorded
from tyrsky_contracts.event import Envelope


class Reach(State):
    """How often, since when, and when last any college of the network was in touch with the company with a business id.

    ``visits`` are of all ``touches`` those that were made in person.
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
