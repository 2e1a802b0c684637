"""When a seat is reserved, then confirm it."""

from tyrsky import webhooks
from tyrsky.dispatches import AcceptDispatch
from tyrsky.policies import Policies
from tyrsky_contracts.event import Envelope

from seats.contracts import SeatReserved

policies = Policies()


@policies.when(SeatReserved)
def confirm_the_reservation(event: SeatReserved, about: Envelope) -> AcceptDispatch:
    """One reservation is one confirmation, however often its event is delivered: they have the same id."""
    return webhooks.call(about, event, id=event.reservation_id, kind="reservation.confirmed")
