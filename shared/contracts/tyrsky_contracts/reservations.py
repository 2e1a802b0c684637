"""Events on the topic ``contact-reservations``: which college gets in touch with a company first. Keyed by business id.

Whether a reservation holds is decided by the log: of two, the one that is read first, as long as it lasts. Every reader
comes to the same, for all events of a business id lie on one partition.
"""

from uuid import UUID

from pydantic import AwareDatetime

from tyrsky_contracts.event import BusinessId, Event


class ContactReserved(Event, type="tyrsky.contact-reservation.reserved.v1"):
    """A college wants to be the first to get in touch with a company, until then."""

    reservation_id: UUID
    business_id: BusinessId
    reserved_at: AwareDatetime
    until: AwareDatetime


class ReservationExtended(Event, type="tyrsky.contact-reservation.extended.v1"):
    """It needs more time, once."""

    reservation_id: UUID
    business_id: BusinessId
    until: AwareDatetime


class ReservationReleased(Event, type="tyrsky.contact-reservation.released.v1"):
    """It needs the reservation no more."""

    reservation_id: UUID
    business_id: BusinessId
    released_at: AwareDatetime
