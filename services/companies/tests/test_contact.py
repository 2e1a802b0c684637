"""The rules of contacts, and what of them leaves the college."""

from uuid import uuid4

from companies.contact import (
    AddContact,
    ChangeContact,
    Contact,
    ContactDescribed,
    aggregate,
)
from tyrsky.testing import given
from tyrsky_contracts.companies import ContactAdded

ID, COMPANY = uuid4(), uuid4()

add = AddContact(
    contact_id=ID,
    company_id=COMPANY,
    name="Aino Esimerkki",
    role="workplace-instructor",
    language="fi",
    email="aino@kahvila.example",
)
described = ContactDescribed(
    company_id=COMPANY,
    name="Aino Esimerkki",
    role="workplace-instructor",
    language="fi",
    email="aino@kahvila.example",
    phone=None,
)
added = ContactAdded(contact_id=ID, company_id=COMPANY, role="workplace-instructor")


def test_the_network_learns_that_there_is_a_contact_and_the_college_who():
    outcome = given(aggregate).when(add).then(described, added)
    assert outcome.state == Contact(
        company_id=COMPANY,
        name="Aino Esimerkki",
        role="workplace-instructor",
        language="fi",
        email="aino@kahvila.example",
    )


def test_a_contact_can_be_reached_somehow():
    given(aggregate).when(add.model_copy(update={"email": None})).rejected("contact-unreachable", field="email")
    given(aggregate, described, added).when(ChangeContact(contact_id=ID, email=None)).rejected(
        "contact-unreachable", field="email"
    )


def test_a_contact_is_added_once():
    given(aggregate, described, added).when(add).rejected("contact-already-added")


def test_what_is_changed_is_changed_and_stays_in_the_college():
    change = ChangeContact(contact_id=ID, phone="040 123", email=None)
    given(aggregate, described, added).when(change).then(
        described.model_copy(update={"phone": "040 123", "email": None})
    )


def test_a_change_to_what_is_so_already_is_none():
    change = ChangeContact(contact_id=ID, name="Aino Esimerkki", language="fi")
    given(aggregate, described, added).when(change).then()


def test_nobody_changes_a_contact_that_is_not():
    given(aggregate).when(ChangeContact(contact_id=ID, language="sv")).rejected("contact-unknown")


def test_what_an_earlier_version_kept_of_invitations_is_passed_over():
    kept = {**described.model_dump(), "invited_to": [str(uuid4())]}
    assert Contact.model_validate(kept) == given(aggregate).when(add).state
