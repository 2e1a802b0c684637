"""A message on its way to a handler: what came from Kafka, what it says, and why it could not be taken."""

import hashlib
import traceback
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from opentelemetry import trace
from pydantic import ValidationError
from tyrsky_contracts.codec import Undecodable
from tyrsky_contracts.event import Envelope, Event
from tyrsky_contracts.topics import Topic

from tyrsky import tracing

KEY_LENGTH_MAX = 200

BUGS = (
    TypeError,
    ValueError,  # pydantic's ValidationError too
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    NameError,
    NotImplementedError,
)
"""Errors that the same event brings again at once: to try it a second time only holds up the others."""

_tracer = trace.get_tracer("tyrsky.consuming")


@dataclass(frozen=True, slots=True)
class Message:
    """What Kafka delivered, or a dead letter kept of it."""

    topic: str
    partition: int
    offset: int
    key: str | None
    headers: tuple[tuple[str, bytes | None], ...]
    body: bytes | None

    @property
    def id(self) -> str:
        """Where it is in its topic; never changes."""
        return f"{self.partition}-{self.offset}"

    def header(self, name: str) -> str:
        """The first header of that name as text; empty when there is none."""
        return next((value.decode("utf-8", "replace") for found, value in self.headers if found == name and value), "")


def key_text(key: bytes | None) -> str | None:
    """A message's key as text, whatever bytes somebody wrote, and not longer than an id may be."""
    if key is None:
        return None
    text = key.decode("utf-8", "backslashreplace")
    return text if len(text) <= KEY_LENGTH_MAX else f"{text[:100]}~{hashlib.sha256(key).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that was understood."""

    message: Message
    event: Event
    about: Envelope


@dataclass(frozen=True, slots=True)
class Failure:
    """The delivery at ``index`` of its key could not be taken; those before it were, those behind it were not tried."""

    index: int
    error: Exception
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: how many deliveries took effect (or had already), and which keys stopped where."""

    count: int
    failures: Mapping[str, Failure] = field(default_factory=dict[str, Failure])


@dataclass(frozen=True, slots=True)
class Edition:
    """Which edition of its data a reaction works on, where that is, and up to which offsets it came complete.

    Policies have one for ever. A projection that was rebuilt has the next: who held a partition under the old one
    must begin again where the rebuild ended.
    """

    number: int = 0
    collection: str = ""
    complete: Mapping[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])


class Reaction(Protocol):
    """What a consumer group does with events: policies, or one projection."""

    @property
    def group(self) -> str:
        """The consumer group, ``<service>-<purpose>``."""
        ...

    @property
    def events(self) -> Collection[type[Event]]:
        """The events it takes."""
        ...

    def wants(self, college: str) -> bool:
        """Whether events of this college concern it."""
        ...

    async def edition(self) -> Edition:
        """What it works on now."""
        ...

    async def take(self, queues: Mapping[str, Sequence[Delivery]], edition: Edition) -> Taken:
        """Take deliveries, in order within a key, on an edition. Repeats change nothing.

        :raises pymongo.errors.ConnectionFailure: when the store is out of reach; then nothing is known of any of them.
        """
        ...


class Codec(Protocol):
    """What is asked of the contracts."""

    def topic_of(self, event: type[Event], /) -> Topic:
        """The topic an event is published on."""
        ...

    def decode(self, headers: Sequence[tuple[str, bytes | None]], body: bytes | None, /) -> tuple[Event, Envelope]:
        """What a message says."""
        ...


def unversioned(kind: str) -> str:
    """``tyrsky.visit.planned.v2`` without its version: who wants an event wants the versions to come as well."""
    name, _, version = kind.rpartition(".v")
    return name if version.isdigit() else kind


def cause_of(error: BaseException) -> str:
    """Why something failed, in words that hold no data of the event: exceptions like to quote what they choked on."""
    match error:
        case Undecodable():
            return str(error)
        case ValidationError():
            faults = error.errors(include_input=False, include_url=False, include_context=False)[:5]
            what = ", ".join(f"{fault['loc'][0] if fault['loc'] else ''} {fault['type']}".strip() for fault in faults)
            return f"{error.title} does not validate: {what}"
        case _:
            frames = traceback.extract_tb(error.__traceback__)
            where = f" in {frames[-1].name} ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
            return f"{type(error).__name__}{where}"


@contextmanager
def process_span(message: Message, group: str) -> Generator[trace.Span]:
    """The consumer's span of one message: a child of its last hop, linked to where the event was born."""
    hop = tracing.remote(message.header("traceparent"))
    born = trace.get_current_span(tracing.remote(message.header("ce_traceparent")))
    links = [trace.Link(born.get_span_context())] if born.get_span_context().is_valid else []
    with _tracer.start_as_current_span(
        f"process {message.topic}",
        context=hop,
        kind=trace.SpanKind.CONSUMER,
        links=links,
        attributes={
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": message.topic,
            "messaging.destination.partition.id": str(message.partition),
            "messaging.consumer.group.name": group,
            "messaging.kafka.offset": message.offset,
            "messaging.message.id": message.header("ce_id"),
            "cloudevents.event_type": message.header("ce_type"),
            "tyrsky.college": message.header("ce_college"),
        },
        record_exception=False,  # its text may quote the event
        set_status_on_exception=False,
    ) as span:
        yield span


def mark_failed(span: trace.Span, error: BaseException) -> None:
    """Write a failure on a span, without the event's content."""
    span.set_attribute("error.type", type(error).__qualname__)
    span.set_status(trace.Status(trace.StatusCode.ERROR, cause_of(error)))
