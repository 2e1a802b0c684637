"""Events into Kafka: a batch is seen whole or not at all, and of a relay that was given up nothing more is ever seen.

Who publishes is a *holder*: one relay, with an id of its own that is never used again. It sends in transactions, and
its id is theirs. Whoever takes its work over *fences* the id first, at the broker: what was under way is aborted, and
what the old process still sends, however late and whatever its clock says, is refused. Readers who read what is
committed see neither.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from tyrsky import tracing
from tyrsky.store import Outgoing

LANES = 2
"""Producers of a holder, used in turn. Kafka finishes a transaction after it was answered; the next one of the same
producer would wait for that, and aiokafka tries again after 20 ms."""

tracer = trace.get_tracer(__name__)

Partition = tuple[str, int]
"""A topic, and a number."""

Places = dict[Partition, int]
"""Offsets by partition."""


class NotTaken(Exception):  # noqa: N818 - reads as the sentence that it is
    """Kafka is there, and does not take a message: too large, say. ``which`` is the topic and the key of those that it
    refused, and of those that went with them."""

    def __init__(self, why: str, which: Collection[tuple[str, bytes]]) -> None:
        super().__init__(why)
        self.which = frozenset(which)


@dataclass(frozen=True)
class Message:
    """One event as Kafka takes it."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


def key_of(id: str, entry: Outgoing) -> bytes:
    """Kafka's key of an event of the aggregate ``id``."""
    return entry.headers.get("ce_partitionkey", id).encode()


def message(id: str, entry: Outgoing) -> Message:
    """CloudEvents' attributes as they were saved, and the hop: the span that sends."""
    with tracer.start_as_current_span(
        f"send {entry.topic}",
        tracing.remote(entry.headers.get("ce_traceparent")),
        kind=SpanKind.PRODUCER,
        attributes={
            "messaging.system": "kafka",
            "messaging.operation.type": "send",
            "messaging.destination.name": entry.topic,
            "messaging.message.id": entry.headers["ce_id"],
            "cloudevents.event_type": entry.headers["ce_type"],
        },
    ):
        headers = [(name, value.encode()) for name, value in entry.headers.items()]
        hop = tracing.traceparent()
        return Message(
            entry.topic,
            key_of(id, entry),
            entry.body.encode(),
            [*headers, ("traceparent", hop.encode())] if hop else headers,
        )


class Sender(Protocol):
    """What one holder publishes with."""

    async def begins(self, topic: str) -> Places | None:
        """Where the topic's partitions end now; None when Kafka says that there is no such topic.

        :raises Exception: it did not say.
        """
        ...

    async def send(self, messages: Sequence[Message]) -> Sequence[tuple[Partition, int]]:
        """Commit all of them at once, in order per key, or none; the place of each.

        :raises NotTaken: of some of them at least one can be sent neither now nor later.
        :raises Exception: what became of them is not known until the holder is fenced. After any error the sender is to
            be closed, and another holder opened.
        """
        ...

    async def stable(self, partitions: Iterable[Partition]) -> Places:
        """Before which places readers of what is committed see all: what was sent there, and is known to be committed,
        they see.

        :raises Exception: it is not known: Kafka does not answer, or may have taken back what it said.
        """
        ...

    async def end_what_hangs(self, partitions: Iterable[Partition]) -> None:
        """Let what was committed be seen there, if Kafka forgot to. Changes nothing about what is another's.

        :raises Exception: as ``send``.
        """
        ...

    async def close(self) -> None:
        """Let go of it, whatever is under way."""
        ...


class Log(Protocol):
    """Kafka, as far as a relay sees it."""

    async def open(self, holder: str) -> Sender:
        """Begin to publish under a new id."""
        ...

    async def fence(self, lanes: Sequence[str], topics: Iterable[str]) -> None:
        """Once this returns, these lanes commit no other transaction, and no reader of these topics waits for any of
        theirs: whether those that were open are seen, ``seen`` tells from now on. Idempotent."""
        ...

    async def seen(self, since: Places) -> Mapping[tuple[str, str], int]:
        """The last sequence of each topic and aggregate that readers can see at or behind these offsets."""
        ...


def lanes_of(holder: str) -> list[str]:
    """The transactional ids of a holder of this version. What another's are, its document says: see ``holding``."""
    return [f"{holder}-{number}" for number in range(LANES)]
