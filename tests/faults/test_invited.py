"""Who was to be invited, and was: made-up visits with one flaw each must each be counted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.faults import invited
from tests.faults.invariants import Note
from tests.faults.ledger import Wish
from tests.faults.test_invariants import VISIT, wish

PLANNED = replace(wish("plan-visit", VISIT, id="v1"), asked_at=5)
SENT = Note("n1", "v1", "sent", unsure=False)
CAME = {"<n1@vaao.example>": 1}


def contact(version: int, answered_at: float, email: str | None) -> Wish:
    return replace(
        wish("change-contact", "/contacts/c1", version=version, id="c1", email=email), answered_at=answered_at
    )


def wrong(notes: Sequence[Note], mails: Mapping[str, int], *contacts: Wish) -> Sequence[str]:
    return invited.mails_came([*contacts, PLANNED], notes, mails).wrong


def test_an_invitation_that_never_came_is_counted():
    assert wrong([SENT], CAME) == []
    assert wrong([], {}) == [f"{VISIT}: no notification"]
    assert wrong([SENT], {}) == [f"{VISIT}: notification n1 is sent, and no mail came"]
    assert wrong([replace(SENT, status="expired")], {}) == [f"{VISIT}: its notification n1 is expired"]


def test_that_a_visit_was_moved_is_no_invitation_to_it():
    moved = replace(SENT, id="n2", change="moved", revision=1)
    assert wrong([moved], {"<n2@vaao.example>": 1}) == [f"{VISIT}: no notification"]
    assert wrong([SENT, moved], CAME) == []


def test_a_contact_that_has_an_address_is_invited_and_one_that_has_none_is_not():
    has, none = contact(2, 1, "koe@faults.example"), contact(2, 1, None)
    assert wrong([], {}, has) == [f"{VISIT}: no notification"]
    assert wrong([], {}, none) == []
    assert wrong([SENT], CAME, none) == [f"{VISIT}: notification n1, to somebody without an address"]
    counted = invited.mails_came([none, PLANNED], [], {}).also
    assert counted == {"invitations": 0, "visits to somebody without an address": 1}


def test_what_counts_is_what_a_contact_was_when_it_was_invited():
    has, none = contact(2, 1, "koe@faults.example"), contact(3, 2, None)
    assert wrong([], {}, has, none) == []
    assert wrong([], {}, none, replace(has, version=4, answered_at=3)) == [f"{VISIT}: no notification"]


def test_of_a_contact_that_is_changed_meanwhile_either_is_right():
    has = contact(2, 1, "koe@faults.example")
    for meanwhile in (contact(3, 6, None), _unanswered(None)):
        assert wrong([], {}, has, meanwhile) == []
        assert wrong([SENT], CAME, has, meanwhile) == []


def _unanswered(email: str | None) -> Wish:
    lost = wish("change-contact", "/contacts/c1", status=0)
    return replace(lost, asked=replace(lost.asked, body={"email": email}))
