from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from notifications.kinds import KINDS
from notifications.notification import (
    ADDRESS_KEPT,
    ForgetRecipient,
    RecipientForgotten,
    RecordDeferred,
    RecordRefused,
    RecordSent,
    SendingDeferred,
    SendingEnded,
    SendingLost,
    SendingStarted,
    StartSending,
    aggregate,
)
from tyrsky.testing import given
from tyrsky_contracts.notifications import NotificationRefused, NotificationSent

from .known import ID, IN_FIVE_DAYS, LATER, NOON, SOON, VISIT, VISIT_STARTS, accepted, invitation, request

MINUTE = timedelta(minutes=1)


def start(attempt: int = 1, now: datetime = NOON, *, lost: bool = False) -> StartSending:
    return StartSending(notification_id=ID, now=now, attempt=attempt, lease_until=now + MINUTE, lost=lost)


def started(attempt: int = 1, now: datetime = NOON) -> SendingStarted:
    return SendingStarted(attempt=attempt, lease_until=now + MINUTE)


def sent(attempt: int = 1, now: datetime = SOON) -> RecordSent:
    return RecordSent(notification_id=ID, now=now, attempt=attempt)


def deferred(attempt: int = 1, retry_at: datetime = LATER, *, unsure: bool = False) -> RecordDeferred:
    return RecordDeferred(
        notification_id=ID, now=SOON, attempt=attempt, reason="4.2.1", retry_at=retry_at, unsure=unsure
    )


def refusal(reason: str, attempts: int = 1) -> NotificationRefused:
    return NotificationRefused(
        notification_id=ID, kind="visit-invitation", about=VISIT, attempts=attempts, reason=reason
    )


def delivery(attempts: int = 1) -> NotificationSent:
    return NotificationSent(notification_id=ID, kind="visit-invitation", about=VISIT, attempts=attempts)


NO_ADDRESSES = [
    "",
    "teppo",
    "teppo@",
    "@metalli.example",
    "a@b@c.example",
    "teppo@metalli.example\r\nBcc: eve@evil.example",
    "teppo@[127.0.0.1]",
    "teppo@localhost",
    "jörg@metalli.example",
    "<teppo@metalli.example>",
    "a@b.example,c@d.example",
]

WAITS = SendingDeferred(reason="4.2.1", retry_at=LATER)


@pytest.fixture
def never_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = replace(KINDS["visit-invitation"], again_when_unsure=False)
    monkeypatch.setitem(KINDS, "visit-invitation", kind)


def test_a_request_is_accepted_and_due_at_once():
    outcome = given(aggregate).when(request()).then(accepted())
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.due_at) == ("accepted", NOON)


def test_a_request_delivered_twice_is_one_notification():
    given(aggregate, accepted()).when(request()).then()


@pytest.mark.parametrize("address", NO_ADDRESSES, ids=range(len(NO_ADDRESSES)))
def test_what_is_no_mail_address_is_recorded_as_refused_and_never_tried(address: str):
    outcome = given(aggregate).when(request(to_email=address))
    outcome.then(accepted(to_email=address), SendingEnded(ended_at=NOON), refusal("address-malformed", attempts=0))
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.due_at) == ("refused", None)


def test_a_domain_may_have_letters_that_are_not_ascii():
    given(aggregate).when(request(to_email="info@hämeenlinna.fi")).then(accepted(to_email="info@hämeenlinna.fi"))


def test_nothing_is_sent_of_what_was_never_accepted():
    given(aggregate).when(start()).rejected("notification-unknown")


def test_a_notification_is_sent():
    given(aggregate, accepted()).when(start()).then(started())
    outcome = given(aggregate, accepted(), started()).when(sent()).then(SendingEnded(ended_at=SOON), delivery())
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.due_at, outcome.state.ended_at) == ("sent", None, SOON)


def test_of_two_senders_one_gets_it():
    given(aggregate, accepted(), started()).when(start()).rejected("notification-not-due", field="attempt")


def test_what_is_over_is_not_sent_again():
    over = (accepted(), started(), SendingEnded(ended_at=SOON), delivery())
    given(aggregate, *over).when(start(attempt=2, now=LATER)).rejected("notification-not-due", field="attempt")


def test_it_is_not_tried_before_its_time():
    waiting = (accepted(), started(), WAITS)
    given(aggregate, *waiting).when(start(attempt=2, now=SOON)).rejected("notification-not-due", field="attempt")
    given(aggregate, *waiting).when(start(attempt=2, now=LATER)).then(started(attempt=2, now=LATER))


def test_who_took_it_for_lost_waits_when_it_was_put_off_meanwhile():
    waiting = (accepted(), started(), WAITS)
    given(aggregate, *waiting).when(start(2, now=SOON, lost=True)).rejected("notification-not-due", field="attempt")


def test_a_try_that_failed_for_the_moment_leaves_it_accepted_for_later():
    outcome = given(aggregate, accepted(), started()).when(deferred()).then(WAITS)
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.due_at, outcome.state.reason) == ("accepted", LATER, "4.2.1")


def test_a_refusal_is_for_good():
    refused = RecordRefused(notification_id=ID, now=SOON, attempt=1, reason="5.1.1")
    outcome = given(aggregate, accepted(), started()).when(refused)
    outcome.then(SendingEnded(ended_at=SOON), refusal("5.1.1"))
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.reason) == ("refused", "5.1.1")


def test_a_try_that_never_ended_is_made_again_and_recorded_as_unsure():
    outcome = given(aggregate, accepted(), started()).when(start(attempt=2, now=LATER, lost=True))
    outcome.then(SendingLost(), started(attempt=2, now=LATER))
    assert outcome.state is not None
    assert outcome.state.unsure


def test_a_message_handed_over_without_an_answer_is_tried_again_and_recorded_as_unsure():
    outcome = given(aggregate, accepted(), started()).when(deferred(unsure=True)).then(SendingLost(), WAITS)
    assert outcome.state is not None
    assert outcome.state.unsure


@pytest.mark.usefixtures("never_twice")
def test_a_kind_that_may_not_come_twice_ends_when_unsure():
    tried = (accepted(), started())
    lost = (SendingLost(), SendingEnded(ended_at=LATER), refusal("unsure"))
    given(aggregate, *tried).when(start(attempt=2, now=LATER, lost=True)).then(*lost)
    given(aggregate, *tried).when(deferred(unsure=True)).then(lost[0], SendingEnded(ended_at=SOON), lost[2])


def test_what_is_too_old_is_not_sent():
    outcome = given(aggregate, accepted()).when(start(now=IN_FIVE_DAYS))
    outcome.then(SendingEnded(ended_at=IN_FIVE_DAYS), refusal("expired", attempts=0))
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.reason) == ("expired", "expired")


def test_nobody_is_invited_to_a_visit_that_has_begun():
    the_day_before = VISIT_STARTS - timedelta(days=1)
    outcome = given(aggregate, accepted(now=the_day_before)).when(start(now=VISIT_STARTS))
    outcome.then(SendingEnded(ended_at=VISIT_STARTS), refusal("expired", attempts=0))


def test_that_a_visit_is_cancelled_is_told_until_it_would_be_over():
    cancelled = invitation.model_copy(update={"change": "cancelled"})
    late = accepted(now=VISIT_STARTS - timedelta(days=1), data=cancelled)
    assert given(aggregate, late).when(start(now=VISIT_STARTS)).happenings[0] != SendingEnded(ended_at=VISIT_STARTS)
    outcome = given(aggregate, late).when(start(now=invitation.ends_at))
    outcome.then(SendingEnded(ended_at=invitation.ends_at), refusal("expired", attempts=0))


def test_it_does_not_wait_for_a_try_that_would_come_too_late():
    outcome = given(aggregate, accepted(), started()).when(deferred(retry_at=IN_FIVE_DAYS))
    waits = SendingDeferred(reason="4.2.1", retry_at=IN_FIVE_DAYS)
    outcome.then(waits, SendingEnded(ended_at=SOON), refusal("expired"))
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.reason, outcome.state.due_at) == ("expired", "4.2.1", None)


def test_news_of_a_try_that_was_given_up_changes_nothing_unless_it_was_sent():
    given_up = (accepted(), started(), SendingLost(), started(attempt=2, now=LATER))
    given(aggregate, *given_up).when(deferred(attempt=1)).then()
    refused = RecordRefused(notification_id=ID, now=LATER, attempt=1, reason="5.1.1")
    given(aggregate, *given_up).when(refused).then()
    given(aggregate, *given_up).when(sent(attempt=1, now=LATER)).then(SendingEnded(ended_at=LATER), delivery())


def test_a_second_word_after_the_end_changes_nothing():
    over = (accepted(), started(), SendingEnded(ended_at=SOON), delivery())
    given(aggregate, *over).when(sent()).then()
    given(aggregate, *over).when(deferred()).then()


def forget(now: datetime = SOON) -> ForgetRecipient:
    return ForgetRecipient(notification_id=ID, now=now)


def test_who_is_forgotten_gets_nothing_that_waits():
    outcome = given(aggregate, accepted()).when(forget())
    outcome.then(SendingEnded(ended_at=SOON), refusal("recipient-erased", attempts=0), RecipientForgotten())
    assert outcome.state is not None
    assert (outcome.state.status, outcome.state.due_at, outcome.state.forget_at) == ("refused", None, None)
    assert "teppo" not in outcome.state.model_dump_json().lower()


def test_an_attempt_that_was_under_way_changes_nothing_of_that():
    happened = [SendingEnded(ended_at=SOON), refusal("recipient-erased"), RecipientForgotten()]
    given(aggregate, accepted(), started(), *happened).when(sent(now=LATER)).then()
    given(aggregate, accepted(), started(), *happened).when(deferred()).then()


def test_of_what_was_sent_it_is_forgotten_to_whom():
    asked = accepted().model_copy(update={"data": invitation.model_copy(update={"answer_url": "https://x.example/k"})})
    happened = [asked, started(), SendingEnded(ended_at=SOON), delivery()]
    outcome = given(aggregate, *happened).when(forget(LATER)).then(RecipientForgotten())
    assert outcome.state is not None
    assert outcome.state.data.answer_url is None
    assert (outcome.state.status, outcome.state.to_email, outcome.state.to_name) == ("sent", "", "")
    given(aggregate, *happened, RecipientForgotten()).when(forget(LATER)).then()


def test_whatever_has_ended_has_a_day_on_which_it_is_forgotten_for_whom_it_was():
    outcome = given(aggregate, accepted(), started()).when(sent())
    assert outcome.state is not None
    assert outcome.state.forget_at == SOON + ADDRESS_KEPT
