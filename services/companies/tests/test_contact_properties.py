"""Whatever is asked of a contact, in whatever order: what must hold holds."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from companies.contact import aggregate, decide, evolve
from companies.contact_commands import (
    CheckRetention,
    ContactCommand,
    EraseContact,
    RecordCopiesErased,
    UseContact,
    WithdrawConsent,
)
from companies.contact_state import Contact
from companies.retention import kept_until
from hypothesis import given, settings
from hypothesis import strategies as st
from tyrsky.aggregate import Erasure, Happening, Rejected
from tyrsky.store import bson
from tyrsky_contracts.contacts import ContactObjected
from tyrsky_contracts.event import Event

from .known_contacts import DAY, EMAIL, ID, NOON, PHONE, add, change, consents, hashes, objects

OTHER = "aino@uusi.example"
ADDRESSES = (EMAIL, OTHER, PHONE)
KNOWN = {address: hashes.of(address) for address in ADDRESSES}
PERSONAL = ("Aino", "kahvila.example", "uusi.example", "040 123", "+35840", "Soitti", "Lomake")

LAST = kept_until((NOON + 900 * DAY).date())
"""No day is later than two years after the last one that there is."""

days = st.integers(0, 900).map(lambda number: NOON + number * DAY)
Asked = tuple[datetime, ContactCommand]


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """Some command, at some time."""
    now = draw(days)
    at = now - draw(st.integers(-1, 30)) * DAY
    which: dict[str, Any] = {"contact_id": ID, "now": now}
    return now, draw(
        st.sampled_from(
            [
                add.model_copy(update={"now": now}),
                change(now, email=draw(st.sampled_from([None, EMAIL, OTHER])), hashes=KNOWN),
                change(now, phone=draw(st.sampled_from([None, PHONE])), hashes=KNOWN),
                change(now, basis=draw(st.sampled_from(["consent", "contract"]))),
                change(now, period_ends_on=draw(st.none() | st.just(at.date()))),
                consents(at, now),
                WithdrawConsent(at=at, how="Soitti.", **which),
                objects(at, now, *ADDRESSES),
                UseContact(**which),
                CheckRetention(**which),
                EraseContact(**which),
                RecordCopiesErased(**which),
            ]
        )
    )


def told(wishes: Sequence[Asked]) -> list[tuple[Contact | None, ContactCommand, list[Happening], Contact | None]]:
    """Each command that was granted, with what was before it, what it came to, and what was after."""
    state: Contact | None = None
    granted: list[tuple[Contact | None, ContactCommand, list[Happening], Contact | None]] = []
    for _, command in sorted(wishes, key=lambda each: each[0]):
        try:
            happened = list(decide(state, command))
        except Rejected:
            continue
        after = aggregate.fold(state, happened)
        granted.append((state, command, happened, after))
        state = after
    return granted


histories = st.lists(asked(), min_size=1, max_size=25).map(lambda wishes: told([(NOON, add), *wishes]))
many = settings(max_examples=60, deadline=None)


@many
@given(histories)
def test_who_objected_or_was_erased_may_never_be_written_to(history: Any):
    objected_at: datetime | None = None
    for before, _, happened, _ in history:
        if before and before.may_be_written_to():
            assert before.erased_at is None
            assert objected_at is None or before.consented_at > objected_at
        objections = [each.at for each in happened if isinstance(each, ContactObjected)]
        objected_at = max((at for at in (objected_at, *objections) if at), default=None)


@many
@given(histories)
def test_an_erased_one_holds_nothing_personal(history: Any):
    for _, _, _, after in history:
        if after.erased_at:
            ours = {"company_id", "erased_at", "copies_due", "copies_looked_for", "due_at"}
            assert after == Contact.model_validate(after.model_dump(include=ours))
            assert not any(word in after.model_dump_json() for word in PERSONAL)


@many
@given(histories)
def test_what_goes_out_to_the_network_names_nobody(history: Any):
    public = [each for _, _, happened, _ in history for each in happened if isinstance(each, Event)]
    for each in public:
        assert not any(word in each.model_dump_json() for word in PERSONAL)


@many
@given(histories)
def test_nothing_comes_back_once_it_was_erased(history: Any):
    erased = False
    for before, _, happened, after in history:
        erased = erased or bool(before and before.erased_at)
        assert not erased or (after.erased_at == before.erased_at and not after.name)
        assert sum(isinstance(each, Erasure) for each in happened) <= 1


@many
@given(histories)
def test_whoever_is_known_has_a_day_on_which_that_ends(history: Any):
    for _, _, _, after in history:
        if after.erased_at is None:
            assert after.keep_until is not None
            assert after.due_at is not None
            assert after.keep_until <= LAST
        assert (after.due_at is None) == bool(after.erased_at and after.copies_due is None)


@many
@given(histories)
def test_an_address_of_who_objected_is_known_to_the_network(history: Any):
    heard: set[str] = set()
    for _, _, happened, after in history:
        heard |= {each.hash for each in happened if isinstance(each, ContactObjected)}
        if after.objection:
            assert {KNOWN[each] for each in (after.email, after.phone) if each} <= heard


@many
@given(histories)
def test_the_same_again_changes_nothing(history: Any):
    for _, command, happened, after in history:
        if happened:
            with suppress(Rejected):
                assert list(decide(after, command)) == []


@many
@given(histories)
def test_what_was_stored_and_what_is_replayed_is_the_same(history: Any):
    happened = [each for _, _, happened, _ in history for each in happened]
    state: Contact | None = None
    for each in happened:
        state = evolve(state, each)
        assert Contact.model_validate(bson(state.model_dump())) == state
    assert state == history[-1][3]
