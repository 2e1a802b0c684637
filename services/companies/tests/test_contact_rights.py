"""What a person may ask for: no messages, their consent taken back, and to be forgotten."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from companies.contact import aggregate
from companies.contact_commands import (
    CheckRetention,
    EraseContact,
    RecordCopiesErased,
    UseContact,
    WithdrawConsent,
)
from companies.contact_state import (
    AddressesErased,
    ConsentGiven,
    ConsentWithdrawn,
    Contact,
    ContactDescribed,
    ContactForgotten,
    ContactKept,
    CopiesErased,
    ObjectionNoted,
)
from companies.retention import SETTLED, midnight, months_after
from tyrsky.aggregate import Busy
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
    after,
    change,
    consents,
    described,
    erased,
    hashes,
    invite,
    objected,
    objects,
)

aino = (described(), added)
noted = ObjectionNoted(at=NOON, how="Soitti.")
consented = ConsentGiven(at=NOON, how="Lomake messuilla.", keep_until=TWO_YEARS_ON)
by_consent = (described(basis="consent"), consented, added)
forgotten = ContactForgotten(at=NOON)
PERIOD_ENDS = date(2026, 11, 30)
ADDRESSES_GO = date(2027, 2, 28)


def withdraws(at: datetime = NOON, now: datetime = NOON) -> WithdrawConsent:
    return WithdrawConsent(contact_id=ID, now=now, at=at, how="Sähköposti.")


def use(now: datetime) -> UseContact:
    return UseContact(contact_id=ID, now=now)


def check(now: datetime) -> CheckRetention:
    return CheckRetention(contact_id=ID, now=now)


def copies_erased(now: datetime) -> RecordCopiesErased:
    return RecordCopiesErased(contact_id=ID, now=now)


def erase(now: datetime = NOON) -> EraseContact:
    return EraseContact(contact_id=ID, now=now)


# -- objection ---------------------------------------------------------------------------------------------------------


def test_the_network_hears_of_an_objection_by_hash_alone():
    outcome = given(aggregate, *aino).when(objects()).then(noted, objected())
    assert EMAIL not in outcome.happenings[1].model_dump_json()
    assert outcome.state is not None
    assert not outcome.state.may_be_written_to()


def test_each_address_is_told():
    both = described(phone=PHONE)
    outcome = given(aggregate, both, added).when(objects(NOON, NOON, EMAIL, PHONE))
    outcome.then(noted, objected(EMAIL), objected(PHONE))


def test_an_objection_told_twice_is_one():
    given(aggregate, *aino, noted, objected()).when(objects(now=NOON + DAY)).then()
    given(aggregate, *aino, noted, objected()).when(objects(NOON - DAY)).then()


def test_who_objects_again_later_is_heard_again():
    """In between they may have consented, here or elsewhere."""
    later = NOON + DAY
    given(aggregate, *aino, noted, objected()).when(objects(later, later)).then(
        ObjectionNoted(at=later, how="Soitti."), objected(at=later)
    )


def test_nobody_has_objected_tomorrow():
    given(aggregate, *aino).when(objects(NOON + DAY)).rejected("moment-in-the-future", field="at")


def test_who_objected_is_not_invited():
    given(aggregate, *aino, noted, objected()).when(invite()).then()


def test_staff_cannot_undo_an_objection():
    outcome = given(aggregate, *aino, noted, objected()).when(change(NOON + DAY, name="Aino Toinen", basis="contract"))
    assert outcome.state is not None
    assert not outcome.state.may_be_written_to()


def test_a_new_address_of_who_objected_is_told_too():
    new = "aino@uusi.example"
    known = {new: hashes.of(new)}
    given(aggregate, *aino, noted, objected()).when(change(email=new, hashes=known)).then(
        described(email=new, found_by=(f"email:{new}",)), objected(new)
    )
    given(aggregate, *aino, noted, objected()).when(change(name="Aino T.", hashes={})).then(described(name="Aino T."))


def test_addresses_that_changed_since_they_were_looked_up_are_looked_up_again():
    with pytest.raises(Busy):
        aggregate.decide(after(), objects(NOON, NOON, "aino@vanha.example"))


def test_an_objection_in_another_college_is_one():
    assert after().may_be_written_to()
    assert not after().may_be_written_to(NOON)


# -- consent -----------------------------------------------------------------------------------------------------------


def test_a_later_consent_of_the_persons_own_ends_an_objection():
    later = NOON + DAY
    outcome = given(aggregate, *aino, noted, objected()).when(consents(later, later))
    outcome.then(ConsentGiven(at=later, how="Lomake messuilla.", keep_until=TWO_YEARS_ON + DAY))
    assert outcome.state is not None
    assert outcome.state.may_be_written_to()
    assert outcome.state.may_be_written_to(NOON)
    assert not outcome.state.may_be_written_to(later)


@pytest.mark.parametrize("at", [NOON, NOON - DAY])
def test_a_consent_from_before_the_objection_does_not(at: datetime):
    given(aggregate, *aino, noted, objected()).when(consents(at)).rejected("consent-not-later", field="at")
    elsewhere = consents(at, objected_in_network_at=NOON)
    given(aggregate, *aino).when(elsewhere).rejected("consent-not-later", field="at")


def test_a_consent_told_twice_is_one():
    given(aggregate, *aino, consented).when(consents(now=NOON + DAY)).then()


def test_nobody_has_consented_tomorrow():
    given(aggregate, *aino).when(consents(NOON + DAY)).rejected("moment-in-the-future", field="at")


def test_a_consent_is_withdrawn_once_and_not_before_it_was_given():
    withdrawn = ConsentWithdrawn(at=NOON, how="Sähköposti.", keep_until=TWO_YEARS_ON)
    given(aggregate, *aino).when(withdraws()).rejected("consent-not-given")
    given(aggregate, *aino, consented).when(withdraws()).then(withdrawn)
    given(aggregate, *aino, consented, withdrawn).when(withdraws()).then()
    given(aggregate, *aino, consented).when(withdraws(NOON - DAY)).rejected("withdrawn-before-given", field="at")
    given(aggregate, *aino, consented).when(withdraws(NOON + DAY)).rejected("moment-in-the-future", field="at")


def test_what_was_withdrawn_is_given_anew_by_a_later_consent_alone():
    withdrawn = ConsentWithdrawn(at=NOON, how="Sähköposti.", keep_until=TWO_YEARS_ON)
    given(aggregate, *aino, consented, withdrawn).when(consents()).rejected("consent-not-later", field="at")
    outcome = given(aggregate, *by_consent, withdrawn).when(consents(NOON + DAY, NOON + DAY))
    assert outcome.state is not None
    assert outcome.state.may_be_written_to()


def test_whose_consent_was_the_basis_is_not_written_to_without_it_and_soon_erased():
    outcome = given(aggregate, *by_consent).when(withdraws())
    outcome.then(ConsentWithdrawn(at=NOON, how="Sähköposti.", keep_until=date(2026, 10, 1)))
    assert outcome.state is not None
    assert not outcome.state.may_be_written_to()
    given(aggregate, *by_consent, *outcome.happenings).when(use(NOON + 20 * DAY)).then()
    kept = given(aggregate, *by_consent, *outcome.happenings).when(change(basis="contract"))
    assert isinstance(kept.happenings[0], ContactDescribed)
    assert kept.happenings[0].keep_until == TWO_YEARS_ON


def test_an_objection_that_a_consent_ended_is_back_when_that_is_withdrawn():
    later = NOON + DAY
    happened = after(
        noted,
        ConsentGiven(at=later, how="x", keep_until=TWO_YEARS_ON),
        ConsentWithdrawn(at=later, how="x", keep_until=TWO_YEARS_ON),
    )
    assert not happened.may_be_written_to()


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


@pytest.mark.parametrize("late", [invite(), use(NOON + DAY)], ids=["invite", "use"])
def test_who_is_erased_is_not_invited(late: Any):
    given(aggregate, *aino, forgotten, erased).when(late).then()


@pytest.mark.parametrize(
    "late", [change(name="Aino"), consents(), withdraws(), objects()], ids=lambda each: type(each).__name__
)
def test_nothing_is_written_down_of_who_is_erased(late: Any):
    given(aggregate, *aino, forgotten, erased).when(late).rejected("contact-erased")
