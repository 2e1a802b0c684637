"""Visits, whatever is asked of them in whatever order."""

from datetime import timedelta

from companies.visit import FARTHEST, LONGEST, aggregate
from companies.visit_commands import PlanVisit, RemarkOnVisit, SendVisitors, ShareVisit, VisitCommand
from companies.visit_state import MannerChanged
from hypothesis import given as anything
from hypothesis import settings
from hypothesis import strategies as st
from tyrsky.aggregate import Happening, Rejected
from tyrsky_contracts.companies import VisitCancelled, VisitMoved, VisitRecorded
from tyrsky_contracts.notifications import NotificationRequested

from .known import (
    AINO,
    BERTTA,
    CONTACT,
    DAY,
    HOUR,
    ID,
    KEY,
    KUNTA,
    NOON,
    OTHER_KEY,
    TOMORROW,
    addressee,
    answer,
    cancel,
    move,
    plan,
    record,
    went,
)

one_of = st.sampled_from
keys = one_of([KEY, OTHER_KEY])
invites = st.none() | st.builds(addressee, keys)
moments = one_of([NOON, TOMORROW, TOMORROW + HOUR, TOMORROW + 9 * DAY, NOON + 2 * FARTHEST])
days = st.integers(-2, 5).map(lambda day: NOON + day * DAY)
needs = one_of(["training", "recruitment"])
which = st.just(ID)

COMMANDS = st.one_of(
    st.builds(plan, st.just(TOMORROW), invite=invites, partners=one_of([(), (KUNTA,)])),
    st.builds(cancel, moments, invite=invites),
    st.builds(answer, one_of(["confirmed", "declined"]), st.none() | keys, one_of(["", "Tervetuloa"]), moments),
    st.builds(record, needs, now=moments),
    st.builds(went, one_of([TOMORROW, NOON]), needs, now=moments, contact_id=one_of([None, CONTACT])),
    st.builds(move, days, now=moments, invite=invites, manner=one_of([None, "on-site", "phone"])),
    st.builds(ShareVisit, visit_id=which, partners=one_of([(), (KUNTA,)]), partners_see_contact=st.booleans()),
    st.builds(RemarkOnVisit, visit_id=which, now=moments, by=one_of([KUNTA, AINO]), words=st.just("Hyvä.")),
    st.builds(SendVisitors, visit_id=which, staff=one_of([(AINO,), (BERTTA,)])),
)


@settings(max_examples=300, deadline=None)
@anything(st.lists(COMMANDS, max_size=10))
def test_whatever_is_asked_a_visit_is_recorded_once_and_what_happened_tells_what_it_is(commands: list[VisitCommand]):
    state, happened = None, list[Happening]()
    for command in commands:
        try:
            happenings = aggregate.decide(state, command)
        except Rejected:
            continue
        state = aggregate.fold(state, happenings)
        happened += happenings
        assert state is not None
        if not isinstance(command, PlanVisit):  # whose repeat is known by its receipt; its id is the server's
            assert list(aggregate.decide(state, command)) == []
    assert aggregate.fold(None, happened) == state
    if state is None:
        return
    counts = {kind: sum(isinstance(each, kind) for each in happened) for kind in (VisitRecorded, VisitCancelled)}
    assert counts[VisitRecorded] <= 1
    assert counts[VisitCancelled] <= 1
    assert (state.status == "recorded") == bool(counts[VisitRecorded])
    assert timedelta(0) < state.ends_at - state.starts_at <= LONGEST
    moves = sum(isinstance(each, VisitMoved | MannerChanged) for each in happened)
    assert state.revision == counts[VisitCancelled] + moves
    revisions = [each.data.revision for each in happened if isinstance(each, NotificationRequested)]
    assert revisions == sorted(set(revisions))
    assert KEY not in state.model_dump_json()
    assert "matti" not in state.model_dump_json()
