"""What the network's events tell: how much each company is reached, and which addresses are to be left alone."""

from pydantic import AwareDatetime
from tyrsky.aggregate import State
from tyrsky.projecting import Projection
from tyrsky_contracts.companies import VisitRecorded
from tyrsky_contracts.contacts import ContactObjected
from tyrsky_contracts.event import Envelope


class Reach(State):
    """How often, and when last, any college of the network visited the company with a business id."""

    visits: int = 0
    last_reached_at: AwareDatetime | None = None


reach = Projection("reach", Reach, key=lambda event: event.business_id)


@reach.on(VisitRecorded)
def reached(row: Reach, event: VisitRecorded, about: Envelope) -> Reach:
    """One visit more; visits are not always recorded in the order in which they were made."""
    last = max(row.last_reached_at or event.visited_at, event.visited_at)
    return row.but(visits=row.visits + 1, last_reached_at=last)


class Objected(State):
    """When the person with an address, known by its hash, last said that they want no messages."""

    at: AwareDatetime | None = None


objections = Projection("objections", Objected, key=lambda event: event.hash)


@objections.on(ContactObjected)
def objected(row: Objected, event: ContactObjected, about: Envelope) -> Objected:
    """In whichever college it was; colleges are heard of in any order."""
    return row.but(at=max(row.at or event.at, event.at))
