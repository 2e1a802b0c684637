"""What a group of commands comes to, upon one aggregate as it was loaded, before anything is written."""

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic
from uuid import UUID, uuid5

from opentelemetry import trace
from opentelemetry.trace import StatusCode
from pydantic_core import PydanticSerializationError
from tyrsky_contracts.audit import Audited
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.event import Envelope, Event

from tyrsky import tracing
from tyrsky.aggregate import Aggregate, Busy, C, Command, Erasure, Happening, Rejected, S, Unknown
from tyrsky.receipts import Receipt
from tyrsky.remembering import Remembered
from tyrsky.store import CANNOT_BE_ENCODED, Change, Document, Loaded, Outgoing

DRAFT_BYTES_MAX = 2 * 2**20
"""Events and answers that one write takes, about: what comes to more goes in the next."""

OUTBOX_MAX = 1_000
OUTBOX_BYTES_MAX = 4 * 2**20
"""Events of one aggregate that may wait to be published. Kafka has been away for long; saving on would fill up the
document, which has 16 MB for everything."""

tracer = trace.get_tracer(__name__)


@dataclass(frozen=True)
class Ask(Generic[S, C]):
    """A command, who asks for it, and what must hold. ``id`` is the same for each repeat of the same wish; ``memory``
    is asked whether it came before, and told of the answer; ``at`` is the time of the events that come of it; ``by`` is
    who asks, for the audit."""

    command: C
    id: UUID
    college: str
    fingerprint: str = ""
    expected_version: int | None = None
    answer: Callable[[Loaded[S]], Document] | None = None
    cause: Envelope | None = None
    memory: Remembered | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    by: str = "service"


@dataclass(frozen=True)
class Done(Generic[S]):
    """What came of it: ``answer`` as it was given the first time, ``replayed`` when that was earlier."""

    version: int
    answer: Document | None
    replayed: bool = False


class Draft(Generic[S, C]):
    """An aggregate, loaded and led on by commands. ``bytes`` is what their events and answers take, about."""

    def __init__(self, aggregate: Aggregate[S, C], codec: Codec, id: UUID, loaded: Loaded[S] | None) -> None:
        self._aggregate = aggregate
        self._codec = codec
        self._id = id
        self._loaded = loaded
        self._state = loaded.state if loaded else None
        self._version = loaded.version if loaded else 0
        self._sequence = loaded.sequence if loaded else 0
        self._outgoing: list[Outgoing] = []
        self._receipts: dict[str, Receipt] = dict(loaded.receipts) if loaded else {}
        self._new: list[Receipt] = []
        self._waiting = loaded.waiting if loaded else 0
        self._waiting_bytes = loaded.waiting_bytes if loaded else 0
        self._forgets = False
        self.bytes = 0

    def change(self) -> Change[S] | None:
        """What there is to write; None when nothing changed."""
        if self._state is None or not self._new:
            return None
        # The clock, and not when it was asked: a policy's command is as old as the event that it follows.
        now = datetime.now(UTC)
        return Change(self._state, self._version, self._sequence, self._outgoing, self._new, now, self._forgets)

    def decide(self, ask: Ask[S, C], earlier: Receipt | BaseException | None, traceparent: str | None) -> Done[S]:
        """Decide one command upon what those before it have come to. ``earlier`` is what the memory has of it.

        :raises Rejected: the rules' refusal; ``version-stale``; ``key-reused``; ``not-storable``.
        :raises Busy: too much waits to be published.
        """
        with _decision_span(ask.command, traceparent):
            if isinstance(earlier, BaseException):
                raise earlier
            if earlier := self._receipts.get(str(ask.id)) or earlier:
                if earlier.fingerprint != ask.fingerprint:
                    raise Rejected("key-reused")
                if ask.answer and earlier.answer is None and self._state is not None:
                    return self._as_it_is(ask, self._state)
                return Done(earlier.version, earlier.answer, replayed=True)
            if self._waiting >= OUTBOX_MAX or self._waiting_bytes >= OUTBOX_BYTES_MAX:
                raise Busy
            if ask.expected_version is not None and self._version != ask.expected_version:
                raise Unknown(self._aggregate.name, self._id) if self._state is None else Rejected("version-stale")
            try:
                return self._evolve(ask)
            except (*CANNOT_BE_ENCODED, PydanticSerializationError):
                raise Rejected("not-storable") from None

    def _as_it_is(self, ask: Ask[S, C], state: S) -> Done[S]:
        """What was answered is forgotten, since it told of somebody: so much is left as everybody may see."""
        assert ask.answer
        return Done(self._version, ask.answer(Loaded(self._id, ask.college, self._version, state)), replayed=True)

    def _evolve(self, ask: Ask[S, C]) -> Done[S]:
        happenings = self._aggregate.decide(self._state, ask.command)
        state = self._aggregate.fold(self._state, happenings)
        if state is None:
            raise Unknown(self._aggregate.name, self._id)
        version, sequence = self._version + len(happenings), self._sequence
        outgoing: list[Outgoing] = []
        key = self._aggregate.partition(state) if self._aggregate.partition else None
        for index, event in enumerate(happenings):
            if isinstance(event, Event):
                sequence += 1
                outgoing.append(self._outgoing_of(event, uuid5(ask.id, f"{self._id} {index}"), sequence, ask, key))
        if happenings and self._aggregate.about:
            sequence += 1
            entry = uuid5(ask.id, f"{self._id} audit")
            audited = self._audited(entry, self._aggregate.about(self._id, state), happenings, ask)
            outgoing.append(self._outgoing_of(audited, entry, sequence, ask, key))
        answer = ask.answer(Loaded(self._id, ask.college, version, state)) if ask.answer else None
        receipt = Receipt(str(ask.id), ask.fingerprint, version, answer, datetime.now(UTC)).measured()
        # Only now, when nothing can fail any more, does it count.
        if any(isinstance(each, Erasure) for each in happenings):
            self._forget()
        self._state, self._version, self._sequence = state, version, sequence
        if happenings:
            self._receipts[receipt.key] = receipt
            self._new.append(receipt)
        waiting_bytes = sum(len(each.body) for each in outgoing)
        self._outgoing += outgoing
        self._waiting += len(outgoing)
        self._waiting_bytes += waiting_bytes
        self.bytes += waiting_bytes + receipt.bytes
        return Done(version, answer)

    def _audited(self, entry: UUID, about: UUID, happenings: Sequence[Happening], ask: Ask[S, C]) -> Audited:
        return Audited(
            entry=entry,
            kind=self._aggregate.name,
            thing=self._id,
            about=about,
            by=ask.cause.type if ask.cause else ask.by,
            happened=tuple(dict.fromkeys(kebab(type(each).__name__) for each in happenings)),
        )

    def _forget(self) -> None:
        """Of what was answered so far."""
        self._forgets = True
        self._receipts = {key: each.forgotten() for key, each in self._receipts.items()}
        self._new = [each.forgotten() for each in self._new]

    def _outgoing_of(
        self, event: Event, event_id: UUID, sequence: int, ask: Ask[S, C], partitionkey: str | None
    ) -> Outgoing:
        """An event as it will be published. Its id follows from the command's, so that when a command is decided again
        after its receipt is gone, those who read the event know it again."""
        envelope = Envelope(
            id=event_id,
            type=event.type,
            source=f"/colleges/{ask.college}/{self._aggregate.plural}",
            subject=str(self._id),
            time=ask.at,
            college=ask.college,
            sequence=sequence,
            correlationid=ask.cause.correlationid if ask.cause else str(ask.id),
            causationid=str(ask.cause.id if ask.cause else ask.id),
            traceparent=tracing.traceparent(),
            partitionkey=partitionkey,
        )
        headers, body = self._codec.encode(event, envelope)
        topic = self._codec.topic_of(event).name
        return Outgoing(topic, sequence, {name: value.decode() for name, value in headers}, body.decode())


def kebab(name: str) -> str:
    """The name of a class as a word of the audit: ``CompanyTagged`` is ``company-tagged``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


@contextmanager
def _decision_span(command: Command, traceparent: str | None) -> Generator[None]:
    """A span of the decision. A refusal is an answer, and no error; what an exception says stays out of the trace."""
    with tracer.start_as_current_span(
        f"decide {type(command).__name__}",
        tracing.remote(traceparent),
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except Rejected as refusal:
            span.set_attribute("tyrsky.rejected", refusal.code)
            raise
        except Exception as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(StatusCode.ERROR)
            raise
