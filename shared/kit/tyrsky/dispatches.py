"""A dispatch: something to be told once to a receiver outside, such as a webhook, and what became of it. Pure.

``accepted`` → ``sending`` → ``sent``, or ``refused`` (the receiver said no for good), or ``expired``; a try that fails
for the moment leads back to ``accepted``, with a later ``due_at``. When an attempt ended and nobody knows how, it is
made again: its receiver knows by the dispatch's id that it had it before. :mod:`tyrsky.effects` makes the attempts.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, JsonValue
from tyrsky_contracts.event import Envelope

from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown

Status = Literal["accepted", "sending", "sent", "refused", "expired"]

KEEP_TRYING = timedelta(days=5)


class Effective(State):
    """What the state of every effect outside has.

    ``status`` is ``accepted`` while it waits and ``sending`` during an attempt. ``due_at`` is when it is looked at
    next: the first try, or the next one. It is ``None`` when all is done. ``request`` and ``traceparent`` join the
    sending, which comes later, to what led to it.
    """

    status: Status = "accepted"
    due_at: AwareDatetime | None
    attempts: int = 0
    request: Envelope | None = None
    traceparent: str | None = None

    def is_due(self, now: AwareDatetime, *, lost: bool) -> bool:
        """Whether the next attempt may begin. What was never tried may, whatever the clock says;
        what was put off, when its time has come; what is under way, when it is ``lost``, for none may take so long."""
        match self.status:
            case "accepted":
                return self.due_at is not None and (not self.attempts or self.due_at <= now)
            case "sending":
                return lost
            case _:
                return False


class Dispatch(Effective):
    """What is to be told, and what became of it."""

    kind: str
    data: dict[str, JsonValue]
    accepted_at: AwareDatetime
    unsure: bool = False
    reason: str | None = None
    ended_at: AwareDatetime | None = None


class DispatchCommand(Command):
    """A wish about one dispatch."""

    dispatch_id: UUID
    now: AwareDatetime


class AcceptDispatch(DispatchCommand):
    """Take it on. ``kind`` says what it is about, in the words of those who get it."""

    kind: Annotated[str, Field(max_length=100)]
    data: dict[str, JsonValue]
    request: Envelope | None = None
    traceparent: str | None = None


class StartDispatch(DispatchCommand):
    """Claim it for one attempt, until ``lease_until``. Of two claims, the attempt's number picks one. ``lost``: the
    attempt that is under way was seen to stand still for longer than any may take."""

    attempt: int
    lease_until: AwareDatetime
    lost: bool = False


class RecordDispatched(DispatchCommand):
    """The receiver took it."""

    attempt: int


class RecordDispatchDeferred(DispatchCommand):
    """The attempt failed for the moment. ``unsure``: it was handed over, and no answer came."""

    attempt: int
    reason: str
    retry_at: AwareDatetime
    unsure: bool = False


class RecordDispatchRefused(DispatchCommand):
    """The receiver will not take it, ever."""

    attempt: int
    reason: str


class DispatchAccepted(PrivateEvent):
    """It was taken on."""

    kind: str
    data: dict[str, JsonValue]
    accepted_at: AwareDatetime
    request: Envelope | None
    traceparent: str | None


class DispatchStarted(PrivateEvent):
    """An attempt began."""

    attempt: int
    lease_until: AwareDatetime


class DispatchLost(PrivateEvent):
    """An attempt came to no known end: the receiver may have taken it."""


class DispatchDeferred(PrivateEvent):
    """An attempt failed for the moment."""

    reason: str
    retry_at: AwareDatetime


class DispatchEnded(PrivateEvent):
    """Nothing more will be tried."""

    status: Status
    reason: str | None = None
    ended_at: AwareDatetime


def decide(dispatch: Dispatch | None, command: DispatchCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match dispatch, command:
        case None, AcceptDispatch():
            accepted = command.model_dump(exclude={"now", "dispatch_id"})
            return [DispatchAccepted(accepted_at=command.now, **accepted)]
        case None, _:
            raise Unknown("dispatch", command.dispatch_id)
        case Dispatch(), AcceptDispatch():
            return []  # a request is delivered twice
        case Dispatch(), StartDispatch():
            return _start(dispatch, command)
        case Dispatch(ended_at=None), RecordDispatched():
            # Whichever attempt it was: the receiver has it.
            return [DispatchEnded(status="sent", ended_at=command.now)]
        case Dispatch(status="sending", attempts=attempts), RecordDispatchDeferred(attempt=attempt) if (
            attempt == attempts
        ):
            lost = [DispatchLost()] if command.unsure else []
            deferred = DispatchDeferred(reason=command.reason, retry_at=command.retry_at)
            return [*lost, deferred, *_expired(dispatch, command, at=command.retry_at)]
        case Dispatch(status="sending", attempts=attempts), RecordDispatchRefused(attempt=attempt) if (
            attempt == attempts
        ):
            return [DispatchEnded(status="refused", reason=command.reason, ended_at=command.now)]
        case _:
            return []  # late news of an attempt that was given up


def _start(dispatch: Dispatch, command: StartDispatch) -> Sequence[Happening]:
    if not dispatch.is_due(command.now, lost=command.lost) or command.attempt != dispatch.attempts + 1:
        raise Rejected("dispatch-not-due", field="attempt")
    lost = [DispatchLost()] if dispatch.status == "sending" else []
    started = DispatchStarted(attempt=command.attempt, lease_until=command.lease_until)
    return [*lost, *(_expired(dispatch, command, at=command.now) or [started])]


def _expired(dispatch: Dispatch, command: DispatchCommand, *, at: AwareDatetime) -> Sequence[Happening]:
    """The end, when an attempt at that moment would come too late."""
    if at < dispatch.accepted_at + KEEP_TRYING:
        return []
    return [DispatchEnded(status="expired", ended_at=command.now)]


def evolve(dispatch: Dispatch | None, happening: Happening) -> Dispatch:
    """The dispatch after ``happening``."""
    match dispatch, happening:
        case None, DispatchAccepted():
            return Dispatch(due_at=happening.accepted_at, **dict(happening))
        case Dispatch(), DispatchStarted():
            return dispatch.but(status="sending", attempts=happening.attempt, due_at=happening.lease_until)
        case Dispatch(), DispatchLost():
            return dispatch.but(unsure=True)
        case Dispatch(), DispatchDeferred():
            return dispatch.but(status="accepted", due_at=happening.retry_at, reason=happening.reason)
        case Dispatch(), DispatchEnded():
            reason = happening.reason if happening.status != "expired" else dispatch.reason
            return dispatch.but(status=happening.status, reason=reason, due_at=None, ended_at=happening.ended_at)
        case _:
            raise TypeError(f"{type(happening).__name__} does not happen to this dispatch")


aggregate = Aggregate("dispatch", Dispatch, DispatchCommand, decide, evolve, plural="dispatches")
