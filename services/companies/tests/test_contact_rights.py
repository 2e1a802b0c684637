"""What a person may ask for: no messages, their consent taken back, and to be forgotten."""

from datetime import date, datetime

import pytest
from companies.contact import aggregate
from companies.contact_state import (
    ConsentGiven,
    ConsentWithdrawn,
    ContactDescribed,
    ContactKept,
    ObjectionNoted,
)
from tyrsky.aggregate import Busy
from tyrsky.testing import given

from .known_contacts import (
    DAY,
    EMAIL,
    NOON,
    PHONE,
    TWO_YEARS_ON,
    added,
    after,
    aino,
    by_consent,
    change,
    consented,
    consents,
    described,
    hashes,
    noted,
    objected,
    objects,
    use,
    withdraws,
)

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


def test_who_objected_may_not_be_written_to():
    known = aggregate.fold(None, [*aino, noted, objected()])
    assert known is not None
    assert not known.may_be_written_to()


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


def test_a_consent_that_was_withdrawn_is_no_new_basis_and_keeps_nobody_for_longer():
    withdrawn = ConsentWithdrawn(at=NOON, how="Sähköposti.", keep_until=TWO_YEARS_ON)
    given(aggregate, *aino, consented, withdrawn).when(change(basis="consent")).rejected(
        "consent-missing", field="basis"
    )
    given(aggregate, *by_consent, withdrawn).when(change(role="other")).then(described(basis="consent", role="other"))
    soon = ContactKept(keep_until=(NOON + 3 * DAY).date())
    given(aggregate, *by_consent, soon).when(withdraws()).then(
        ConsentWithdrawn(at=NOON, how="Sähköposti.", keep_until=soon.keep_until)
    )


def test_an_objection_that_a_consent_ended_is_back_when_that_is_withdrawn():
    later = NOON + DAY
    happened = after(
        noted,
        ConsentGiven(at=later, how="x", keep_until=TWO_YEARS_ON),
        ConsentWithdrawn(at=later, how="x", keep_until=TWO_YEARS_ON),
    )
    assert not happened.may_be_written_to()
