"""The rules of contacts, and what of them leaves the college."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from companies.contact import (
    INVITED_KEPT,
    AddContact,
    ChangeContact,
    Contact,
    ContactDescribed,
    InviteContact,
    aggregate,
)
from tyrsky.testing import given
from tyrsky_contracts.companies import ContactAdded
from tyrsky_contracts.notifications import NotificationRequested, VisitInvitation

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=3)
ID, COMPANY, VISIT = uuid4(), uuid4(), uuid4()

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


def invite(visit_id: UUID = VISIT) -> InviteContact:
    return InviteContact(
        contact_id=ID,
        visit_id=visit_id,
        company_name="Kahvila Oy",
        starts_at=LATER,
        ends_at=LATER + timedelta(hours=1),
    )


def invited(visit_id: UUID = VISIT) -> NotificationRequested:
    return NotificationRequested(
        kind="visit-invitation",
        to_email="aino@kahvila.example",
        to_name="Aino Esimerkki",
        language="fi",
        about=visit_id,
        data=VisitInvitation(company_name="Kahvila Oy", starts_at=LATER, ends_at=LATER + timedelta(hours=1)),
    )


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


def test_a_contact_is_invited_in_their_own_language_at_their_address():
    outcome = given(aggregate, described, added).when(invite()).then(invited())
    assert outcome.state is not None
    assert outcome.state.invited_to == (VISIT,)


def test_a_contact_is_invited_to_a_visit_once():
    given(aggregate, described, added, invited()).when(invite()).then()


def test_another_visit_is_another_invitation():
    other = uuid4()
    given(aggregate, described, added, invited()).when(invite(other)).then(invited(other))


def test_who_has_no_address_gets_no_mail():
    by_phone = described.model_copy(update={"email": None, "phone": "040 123"})
    given(aggregate, by_phone, added).when(invite()).then()


def test_the_invitations_that_are_remembered_have_a_limit():
    many = [invited(uuid4()) for _ in range(INVITED_KEPT)]
    outcome = given(aggregate, described, added, *many).when(invite())
    assert outcome.state is not None
    assert [outcome.state.invited_to[-1], len(outcome.state.invited_to)] == [VISIT, INVITED_KEPT]


def test_a_contact_that_is_not_is_not_invited():
    given(aggregate).when(invite()).rejected("contact-unknown")
