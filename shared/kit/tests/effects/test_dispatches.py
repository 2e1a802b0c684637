"""The rules of what is told outside."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tyrsky.dispatches import (
    KEEP_TRYING,
    AcceptDispatch,
    Dispatch,
    DispatchAccepted,
    DispatchCommand,
    DispatchDeferred,
    DispatchEnded,
    DispatchLost,
    DispatchStarted,
    RecordDispatchDeferred,
    RecordDispatched,
    RecordDispatchRefused,
    StartDispatch,
    aggregate,
)
from tyrsky.testing import given

ID = uuid4()
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
SOON, LATER = NOON + timedelta(seconds=40), NOON + timedelta(minutes=2)

accept = AcceptDispatch(dispatch_id=ID, now=NOON, kind="seat.reserved", data={"seat": 1})
accepted = DispatchAccepted(kind="seat.reserved", data={"seat": 1}, accepted_at=NOON, request=None, traceparent=None)
started = DispatchStarted(attempt=1, lease_until=SOON)
ended = DispatchEnded(status="sent", ended_at=NOON)


def start(attempt: int = 1, *, now: datetime = NOON, lost: bool = False) -> StartDispatch:
    return StartDispatch(dispatch_id=ID, now=now, attempt=attempt, lease_until=now + timedelta(seconds=40), lost=lost)


def defer(attempt: int = 1, *, now: datetime = NOON, unsure: bool = False) -> RecordDispatchDeferred:
    retry_at = now + timedelta(minutes=2)
    return RecordDispatchDeferred(
        dispatch_id=ID, now=now, attempt=attempt, reason="http-503", retry_at=retry_at, unsure=unsure
    )


def refuse(attempt: int = 1) -> RecordDispatchRefused:
    return RecordDispatchRefused(dispatch_id=ID, now=NOON, attempt=attempt, reason="http-410")


sent = RecordDispatched(dispatch_id=ID, now=NOON, attempt=1)


def after(*happenings: object) -> Dispatch:
    state = aggregate.fold(None, happenings)  # pyright: ignore[reportArgumentType] - of these tests
    assert state is not None
    return state


def test_it_is_due_as_soon_as_it_is_accepted_and_accepted_once():
    given(aggregate).when(accept).then(accepted)
    given(aggregate, accepted).when(accept).then()
    given(aggregate, accepted, started, ended).when(accept).then()
    assert after(accepted).due_at == NOON


def test_one_claim_gets_it():
    given(aggregate, accepted).when(start()).then(started)
    given(aggregate, accepted, started).when(start(1)).rejected("dispatch-not-due", field="attempt")
    given(aggregate, accepted, started).when(start(2)).rejected("dispatch-not-due", field="attempt")


def test_an_attempt_that_never_ended_is_made_again_and_remembered_as_unsure():
    again = DispatchStarted(attempt=2, lease_until=SOON + timedelta(seconds=40))
    given(aggregate, accepted, started).when(start(2, now=SOON, lost=True)).then(DispatchLost(), again)
    assert after(accepted, started, DispatchLost(), again).unsure


def test_what_was_taken_is_over_whichever_attempt_it_was():
    given(aggregate, accepted, started).when(sent).then(ended)
    given(aggregate, accepted, started, started.model_copy(update={"attempt": 2})).when(sent).then(ended)
    given(aggregate, accepted, started, ended).when(sent).then()
    assert (after(accepted, started, ended).due_at, after(accepted, started, ended).status) == (None, "sent")


def test_what_failed_waits_for_its_next_attempt():
    deferred = DispatchDeferred(reason="http-503", retry_at=LATER)
    given(aggregate, accepted, started).when(defer()).then(deferred)
    given(aggregate, accepted, started).when(defer(unsure=True)).then(DispatchLost(), deferred)
    given(aggregate, accepted, started, deferred).when(start(2, now=SOON)).rejected("dispatch-not-due", field="attempt")
    given(aggregate, accepted, started).when(defer(2)).then()  # late news
    assert after(accepted, started, deferred).due_at == LATER


def test_who_took_it_for_lost_waits_when_it_was_put_off_meanwhile():
    deferred = DispatchDeferred(reason="http-503", retry_at=LATER)
    late = start(2, now=SOON, lost=True)
    given(aggregate, accepted, started, deferred).when(late).rejected("dispatch-not-due", field="attempt")


def test_a_clock_alone_takes_nothing_from_another():
    given(aggregate, accepted, started).when(start(2, now=LATER)).rejected("dispatch-not-due", field="attempt")


def test_what_was_never_tried_is_due_whatever_the_clock_says():
    early = NOON - timedelta(minutes=10)
    begun = DispatchStarted(attempt=1, lease_until=early + timedelta(seconds=40))
    given(aggregate, accepted).when(start(now=early)).then(begun)


def test_a_no_for_good_ends_it():
    no = DispatchEnded(status="refused", reason="http-410", ended_at=NOON)
    given(aggregate, accepted, started).when(refuse()).then(no)
    given(aggregate, accepted, started, no).when(start(2, now=LATER)).rejected("dispatch-not-due", field="attempt")


def test_it_is_not_tried_for_ever():
    last = NOON + KEEP_TRYING
    expired = DispatchEnded(status="expired", ended_at=last)
    given(aggregate, accepted).when(start(now=last)).then(expired)
    almost = last - timedelta(minutes=1)
    given(aggregate, accepted, started).when(defer(now=almost)).then(
        DispatchDeferred(reason="http-503", retry_at=almost + timedelta(minutes=2)),
        DispatchEnded(status="expired", ended_at=almost),
    )


def test_nothing_can_be_asked_of_what_is_not_there():
    commands: list[DispatchCommand] = [start(), sent, defer(), refuse()]
    for command in commands:
        given(aggregate).when(command).rejected("dispatch-unknown")
