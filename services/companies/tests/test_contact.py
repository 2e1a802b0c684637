"""The rules of contacts: who they are, and what of them leaves the college."""

from datetime import date
from typing import Any

import pytest
from companies.contact import aggregate
from companies.contact_state import Consent, ConsentGiven, Contact
from companies.retention import midnight
from tyrsky.testing import given

from .known_contacts import (
    COMPANY,
    DAY,
    EMAIL,
    ID,
    NOON,
    PHONE,
    TWO_YEARS_ON,
    add,
    added,
    change,
    described,
)

TODAY = NOON.date()


def test_the_network_learns_that_there_is_a_contact_and_the_college_who():
    outcome = given(aggregate).when(add).then(described(), added)
    assert outcome.state == Contact(
        company_id=COMPANY,
        name="Aino Esimerkki",
        role="workplace-instructor",
        language="fi",
        email=EMAIL,
        name_keys=("aino esimerkki", "esimerkki"),
        found_by=(f"email:{EMAIL}",),
        keep_until=TWO_YEARS_ON,
        due_at=midnight(TWO_YEARS_ON),
    )


def test_a_contact_can_be_reached_somehow():
    given(aggregate).when(add.model_copy(update={"email": None})).rejected("contact-unreachable", field="email")
    given(aggregate, described(), added).when(change(email=None)).rejected("contact-unreachable", field="email")


def test_a_contact_is_added_once():
    given(aggregate, described(), added).when(add).rejected("contact-already-added")


def test_what_is_changed_is_changed_and_stays_in_the_college():
    new = described(phone=PHONE, email=None, found_by=("phone:+358401234567",))
    given(aggregate, described(), added).when(change(phone=PHONE, email=None)).then(new)


def test_a_change_to_what_is_so_already_is_none():
    given(aggregate, described(), added).when(change(NOON + 40 * DAY, name="Aino Esimerkki", language="fi")).then()


def test_a_change_of_something_else_leaves_the_consent_alone():
    consented = ConsentGiven(at=NOON, how="x", keep_until=TWO_YEARS_ON)
    outcome = given(aggregate, described(), consented).when(change(role="other"))
    assert outcome.state is not None
    assert outcome.state.consent == Consent(at=NOON, how="x")


def test_nobody_changes_a_contact_that_is_not():
    given(aggregate).when(change(language="sv")).rejected("contact-unknown")


def test_nothing_was_learnt_tomorrow():
    tomorrow = TODAY + DAY
    given(aggregate).when(add.model_copy(update={"collected_on": TODAY})).then(described(collected_on=TODAY), added)
    given(aggregate).when(add.model_copy(update={"collected_on": tomorrow})).rejected(
        "moment-in-the-future", field="collected_on"
    )


def test_a_contact_by_consent_has_given_one():
    by_consent = add.model_copy(update={"basis": "consent"})
    given(aggregate).when(by_consent).rejected("consent-missing", field="consent")
    consent = Consent(at=NOON - DAY, how="Lomake.")
    given(aggregate).when(by_consent.model_copy(update={"consent": consent})).then(
        described(basis="consent"), ConsentGiven(at=NOON - DAY, how="Lomake.", keep_until=TWO_YEARS_ON), added
    )
    late = Consent(at=NOON + DAY, how="Lomake.")
    given(aggregate).when(by_consent.model_copy(update={"consent": late})).rejected(
        "moment-in-the-future", field="consent"
    )


def test_consent_becomes_the_basis_when_there_is_one():
    given(aggregate, described(), added).when(change(basis="consent")).rejected("consent-missing", field="basis")
    consented = ConsentGiven(at=NOON, how="Lomake.", keep_until=TWO_YEARS_ON)
    given(aggregate, described(), added, consented).when(change(basis="consent")).then(described(basis="consent"))


@pytest.mark.parametrize(
    ("period", "code"),
    [
        ({"role": "decision-maker", "period_ends_on": date(2026, 12, 18)}, "period-of-an-instructor"),
        ({"period_ends_on": date(2026, 6, 1)}, "period-long-over"),
        ({"period_ends_on": date(2031, 9, 2)}, "period-ends-too-far-ahead"),
        ({"period_ends_on": date(9999, 12, 31)}, "period-ends-too-far-ahead"),
    ],
)
def test_a_period_is_an_instructors_and_neither_long_over_nor_far_ahead(period: dict[str, Any], code: str):
    given(aggregate).when(add.model_copy(update=period)).rejected(code, field="period_ends_on")


def test_a_document_from_before_contacts_had_an_end_is_read():
    before = {"company_id": str(COMPANY), "name": "Aino", "role": "other", "language": "fi", "email": EMAIL}
    assert Contact.model_validate({**before, "phone": None, "invited_to": [str(ID)]}).keep_until is None
