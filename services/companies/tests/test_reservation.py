"""Which college gets in touch first: what each asks, and what the log makes of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from companies.reservation import (
    LONGEST,
    PAUSE,
    ExtendReservation,
    Known,
    ReleaseContact,
    ReserveContact,
    aggregate,
    reservation_id,
)
from companies.views import Reserved, reservations
from hypothesis import given as anything
from hypothesis import strategies as st
from tyrsky.aggregate import Rejected
from tyrsky.projecting import Kept
from tyrsky.testing import given
from tyrsky_contracts.event import Envelope, Event
from tyrsky_contracts.reservations import ContactReserved, ReservationExtended, ReservationReleased

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BUSINESS_ID = "0100130-4"
ID = reservation_id("vaao", BUSINESS_ID)
WHICH: dict[str, Any] = {"reservation_id": ID, "business_id": BUSINESS_ID}
UNTIL = NOON + LONGEST

reserved = ContactReserved(**WHICH, reserved_at=NOON, until=UNTIL)
extended = ReservationExtended(**WHICH, until=UNTIL + LONGEST)
HELD = Known(heard_at=NOON, held_until=UNTIL)
LOST = Known(heard_at=NOON, others_until=UNTIL)


def reserve(known: Known = Known(), *, now: datetime = NOON, days: int = 14) -> ReserveContact:
    return ReserveContact(contact_reservation_id=ID, business_id=BUSINESS_ID, known=known, now=now, days=days)


def extend(known: Known = HELD, *, now: datetime = NOON + DAY, days: int = 14) -> ExtendReservation:
    return ExtendReservation(contact_reservation_id=ID, known=known, now=now, days=days)


def release(known: Known = HELD, *, now: datetime = NOON + DAY) -> ReleaseContact:
    return ReleaseContact(contact_reservation_id=ID, known=known, now=now)


def test_a_contact_is_reserved_for_fourteen_days_at_most():
    given(aggregate).when(reserve()).then(reserved)
    for days in (0, -1, 15):
        given(aggregate).when(reserve(days=days)).rejected("reservation-too-long", field="days")


def test_asking_twice_is_asking_once():
    given(aggregate, reserved).when(reserve()).then()  # the log has not told yet
    given(aggregate, reserved).when(reserve(HELD, now=NOON + DAY)).then()


def test_who_comes_second_is_told_until_when():
    for happened in ((), (reserved,)):
        refused = given(aggregate, *happened).when(reserve(LOST, now=NOON + DAY))
        refused.rejected("contact-reserved")
        assert refused.refusal is not None
        assert refused.refusal.about == {"until": UNTIL}


def test_it_lapses_by_itself_and_others_may_go_first_then():
    given(aggregate, reserved).when(reserve(LOST, now=UNTIL)).then(
        ContactReserved(**WHICH, reserved_at=UNTIL, until=UNTIL + LONGEST)
    )
    for early in (UNTIL, UNTIL + PAUSE - timedelta(seconds=1)):
        given(aggregate, reserved).when(reserve(HELD, now=early)).rejected("reservation-too-soon")
    again = UNTIL + PAUSE
    given(aggregate, reserved).when(reserve(HELD, now=again)).then(
        ContactReserved(**WHICH, reserved_at=again, until=again + LONGEST)
    )


def test_it_is_extended_once_by_who_has_it():
    given(aggregate, reserved).when(extend()).then(extended)
    longer = HELD.but(held_until=extended.until)
    given(aggregate, reserved, extended).when(extend(longer)).rejected("reservation-extended-already")
    for known, now in ((LOST, NOON + DAY), (HELD, UNTIL)):
        given(aggregate, reserved).when(extend(known, now=now)).rejected("reservation-not-held")
    given(aggregate).when(extend()).rejected("contact-reservation-unknown")


def test_it_is_released_once():
    let_go = ReservationReleased(**WHICH, released_at=NOON + DAY)
    given(aggregate, reserved).when(release()).then(let_go)
    given(aggregate, reserved, let_go).when(release(Known(heard_at=NOON, held_until=NOON + DAY))).then()
    given(aggregate, reserved).when(release(LOST)).then()


# -- what the log makes of it -----------------------------------------------------------------------------------------


class Log:
    """The topic, as every deployment reads it."""

    def __init__(self) -> None:
        self.kept = Kept[Reserved]()
        self.sequences: dict[str, int] = {}

    def __call__(self, college: str, event: Event) -> Reserved:
        sequence = self.sequences[college] = self.sequences.get(college, 0) + 1
        about = Envelope(
            id=uuid4(),
            type=event.type,
            source=f"/colleges/{college}/reservations",
            subject=str(reservation_id(college, BUSINESS_ID)),
            time=NOON,
            college=college,
            sequence=sequence,
            correlationid="c",
            causationid="c",
            partitionkey=BUSINESS_ID,
        )
        self.kept = reservations.fold(self.kept, event, about)
        assert self.kept.row is not None
        return self.kept.row


def test_of_two_in_the_same_second_the_one_that_is_read_first_has_it_and_both_learn_it():
    log = Log()
    log("vaao", reserved)
    row = log("sasky", reserved)
    assert row.known_to("vaao") == Known(heard_at=NOON, held_until=UNTIL)
    assert row.known_to("sasky") == Known(heard_at=NOON, others_until=UNTIL)
    assert row.known_to("ahlman") == Known(others_until=UNTIL)


def test_when_it_lapsed_or_was_released_the_next_has_it():
    log = Log()
    log("vaao", reserved)
    later = ContactReserved(**WHICH, reserved_at=UNTIL, until=UNTIL + LONGEST)
    row = log("sasky", later)
    assert (row.holder, row.until, row.held) == ("sasky", UNTIL + LONGEST, {"vaao": UNTIL})
    row = log("sasky", ReservationReleased(**WHICH, released_at=UNTIL + DAY))
    assert row.known_to("sasky") == Known(heard_at=UNTIL, held_until=UNTIL + DAY)
    assert row.known_to("vaao") == Known(heard_at=NOON, held_until=UNTIL)


def test_nobody_extends_or_releases_what_another_has_or_longer_than_may_be():
    log = Log()
    log("vaao", ContactReserved(**WHICH, reserved_at=NOON, until=NOON + 100 * DAY))
    log("sasky", reserved)
    assert log("sasky", ReservationReleased(**WHICH, released_at=NOON)).holder == "vaao"
    assert log("sasky", extended).until == UNTIL
    assert log("vaao", ReservationExtended(**WHICH, until=NOON + 100 * DAY)).until == UNTIL + LONGEST
    assert log("vaao", ReservationExtended(**WHICH, until=NOON + 200 * DAY)).until == UNTIL + LONGEST


asked = st.lists(
    st.tuples(st.sampled_from(["vaao", "sasky", "ahlman"]), st.sampled_from("rel"), st.integers(0, 60)), max_size=30
)


@anything(asked)
def test_whoever_asks_whatever_nobody_has_it_for_long_and_never_two(wishes: list[tuple[str, str, int]]):
    log, states = Log(), dict[str, Any]()
    row, now = Reserved(), NOON
    held_since: dict[str, datetime] = {}
    for college, what, hours in wishes:
        now += timedelta(hours=12 * hours)
        known = row.known_to(college)
        command = {"r": reserve(known, now=now), "e": extend(known, now=now), "l": release(known, now=now)}[what]
        state = states.get(college)
        try:
            happenings = aggregate.decide(state, command)
        except Rejected:
            continue
        for event in happenings:
            states[college] = aggregate.evolve(states.get(college), event)
            assert isinstance(event, Event)
            before = row
            row = log(college, event)
            if isinstance(event, ContactReserved) and row.holder == college and row != before:
                held_since[college] = event.reserved_at
        if row.holder and row.until:
            assert row.until - held_since[row.holder] <= 2 * LONGEST
        holders = [each for each in ("vaao", "sasky", "ahlman") if row.holder == each]
        assert len(holders) <= 1
