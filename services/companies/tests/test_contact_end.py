"""Until when somebody is known, and what is left then."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from companies.contact import aggregate
from companies.contact_commands import (
    CheckRetention,
    EraseContact,
    RecordCopiesErased,
)
from companies.contact_state import (
    AddressesErased,
    Contact,
    ContactForgotten,
    ContactKept,
    CopiesErased,
)
from companies.retention import SETTLED, midnight, months_after
from tyrsky.testing import given

from .known_contacts import (
    COMPANY,
    DAY,
    EMAIL,
    ID,
    NOON,
    PHONE,
    TWO_YEARS_ON,
    added,
    aino,
    by_consent,
    change,
    consents,
    described,
    erased,
    noted,
    objected,
    objects,
    use,
    withdraws,
)

forgotten = ContactForgotten(at=NOON)
PERIOD_ENDS = date(2026, 11, 30)
ADDRESSES_GO = date(2027, 2, 28)


def check(now: datetime) -> CheckRetention:
    return CheckRetention(contact_id=ID, now=now)


def copies_erased(now: datetime) -> RecordCopiesErased:
    return RecordCopiesErased(contact_id=ID, now=now)


def erase(now: datetime = NOON) -> EraseContact:
    return EraseContact(contact_id=ID, now=now)


# -- until when --------------------------------------------------------------------------------------------------------


def test_a_contact_that_is_used_is_kept_for_two_years_from_then():
    given(aggregate, *aino).when(use(NOON + timedelta(hours=1))).then()
    given(aggregate, *aino).when(use(NOON + 40 * DAY)).then(ContactKept(keep_until=date(2028, 10, 11)))
    given(aggregate, *aino, ContactKept(keep_until=date(2029, 1, 1))).when(use(NOON + 40 * DAY)).then()


def test_what_was_kept_for_as_long_as_it_may_be_is_erased():
    then = midnight(TWO_YEARS_ON)
    given(aggregate, *aino).when(check(then - timedelta(seconds=1))).then()
    given(aggregate, *aino).when(check(then)).then(ContactForgotten(at=then), erased)


def test_who_was_used_meanwhile_is_not_erased():
    kept = ContactKept(keep_until=TWO_YEARS_ON + DAY)
    given(aggregate, *aino, kept).when(check(midnight(TWO_YEARS_ON))).then()


def test_the_addresses_of_an_instructor_go_three_months_after_the_period():
    instructor = described(period_ends_on=PERIOD_ENDS, phone=PHONE)
    state = aggregate.fold(None, [instructor, added])
    assert state is not None
    assert (state.addresses_until, state.due_at) == (ADDRESSES_GO, midnight(ADDRESSES_GO))
    given(aggregate, instructor, added).when(check(midnight(ADDRESSES_GO) - DAY)).then()
    outcome = given(aggregate, instructor, added).when(check(midnight(ADDRESSES_GO)))
    outcome.then(AddressesErased(at=midnight(ADDRESSES_GO)))
    assert outcome.state is not None
    assert (outcome.state.email, outcome.state.phone, outcome.state.found_by) == (None, None, ())
    assert outcome.state.name == "Aino Esimerkki"
    assert outcome.state.due_at == midnight(ADDRESSES_GO)  # the copies


def test_who_has_no_address_any_more_is_still_changed_and_given_one():
    gone = (described(period_ends_on=PERIOD_ENDS), added, AddressesErased(at=midnight(ADDRESSES_GO)))
    nameless = described(name="Aino T.", email=None, found_by=())
    given(aggregate, *gone).when(change(name="Aino T.")).then(nameless)
    given(aggregate, *gone).when(change(email=EMAIL)).then(described())


def test_a_contact_from_before_contacts_had_an_end_gets_two_years_and_can_be_found():
    old = Contact(company_id=COMPANY, name="Aino Esimerkki", role="workplace-instructor", email=EMAIL)
    assert list(aggregate.decide(old, check(NOON))) == [described()]


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2028, 2, 29), 24, date(2030, 2, 28)),
        (date(2026, 9, 30), 3, date(2026, 12, 30)),
        (date(2026, 12, 31), 24, date(2028, 12, 31)),
    ],
)
def test_months_are_those_of_the_calendar(day: date, months: int, then: date):
    assert months_after(day, months) == then


# -- erasure -----------------------------------------------------------------------------------------------------------


def test_of_who_is_erased_nothing_is_left_but_where_it_was():
    outcome = given(aggregate, *by_consent, noted, objected()).when(erase()).then(forgotten, erased)
    assert outcome.state == Contact(company_id=COMPANY, erased_at=NOON, copies_due=NOON, due_at=NOON)


def test_to_erase_twice_is_once():
    given(aggregate, *aino, forgotten, erased).when(erase(NOON + DAY)).then()
    given(aggregate, *aino, forgotten, erased).when(check(NOON + DAY)).then()


def test_copies_are_looked_for_at_once_and_again_for_what_was_being_written():
    again_at = NOON + SETTLED
    outcome = given(aggregate, *aino, forgotten, erased).when(copies_erased(NOON)).then(CopiesErased(again_at=again_at))
    assert outcome.state is not None
    assert outcome.state.due_at == again_at
    looked = (*aino, forgotten, erased, CopiesErased(again_at=again_at))
    given(aggregate, *looked).when(copies_erased(again_at - timedelta(seconds=1))).then()
    outcome = given(aggregate, *looked).when(copies_erased(again_at)).then(CopiesErased(again_at=None))
    assert outcome.state == Contact(company_id=COMPANY, erased_at=NOON)
    given(aggregate, *looked, CopiesErased(again_at=None)).when(copies_erased(NOON + DAY)).then()
    given(aggregate, *aino).when(copies_erased(NOON)).then()


def test_who_is_erased_is_not_used():
    given(aggregate, *aino, forgotten, erased).when(use(NOON + DAY)).then()


@pytest.mark.parametrize(
    "late", [change(name="Aino"), consents(), withdraws(), objects()], ids=lambda each: type(each).__name__
)
def test_nothing_is_written_down_of_who_is_erased(late: Any):
    given(aggregate, *aino, forgotten, erased).when(late).rejected("contact-erased")
