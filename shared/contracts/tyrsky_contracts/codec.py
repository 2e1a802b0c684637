"""Between an event and a Kafka message: what leaves fits the contract, what arrives is the newest version of itself."""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from tyrsky_contracts.event import EVENT_TYPE, Envelope, Event
from tyrsky_contracts.topics import ALL, Topic

BODY_BYTES_MAX = 262_144
"""An event is ids and facts. Kafka itself refuses about 1 MB."""

VERSIONS_MAX = 100
"""The longest chain of upcasts; more is a circle."""

Cause = Literal["envelope-malformed", "type-unknown", "body-too-large", "body-malformed", "upcast-failed"]


class NotInContract(Exception):  # noqa: N818 - a refusal to publish
    """The producer's mistake: this event may not be published. Says why, never with the event's content."""


class Undecodable(Exception):  # noqa: N818 - a verdict on a message
    """The message will never be read by this version of the contracts. Says why, never with the message's content.

    ``cause`` is a word to act on: an event whose type is merely unknown is one that a newer producer added.
    """

    def __init__(self, cause: Cause, about: str) -> None:
        super().__init__(f"{cause}: {about}")
        self.cause: Cause = cause


class Codec:
    """Encodes and decodes the events of some topics. The module's functions do it for the network's."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics: dict[str, Topic] = {}
        self._events: dict[str, type[Event]] = {}
        for topic in topics:
            for event in topic.events:
                if event.type in self._events:
                    raise ValueError(f"{event.type} is on {self._topics[event.type].name} and on {topic.name}")
                self._topics[event.type] = topic
                self._events[event.type] = event

    def topic_of(self, event: Event | type[Event] | str) -> Topic:
        """The topic that an event, a class of events or a type belongs to.

        :raises NotInContract: when no topic has it.
        """
        name = event if isinstance(event, str) else event.type
        if name not in self._topics:
            raise NotInContract(f"no topic has {name}")
        return self._topics[name]

    def encode(self, event: Event, envelope: Envelope) -> tuple[list[tuple[str, bytes]], bytes]:
        """The headers and the body to publish on ``topic_of(event)``.

        :raises NotInContract: when the event is not on the map, is retired, is not of the envelope's type, or does not
            fit its own model, however it was made.
        """
        if self._events.get(event.type) is not type(event):
            raise NotInContract(f"no topic has {type(event).__name__} ({event.type})")
        if envelope.type != event.type:
            raise NotInContract(f"{event.type} in an envelope for {envelope.type}")
        if not envelope.source.startswith(f"/colleges/{envelope.college}/"):
            raise NotInContract(f"{event.type}: source {envelope.source} is not of the college {envelope.college}")
        if type(event).upcast is not Event.upcast:
            raise NotInContract(f"{event.type} is retired; publish its newest version")
        try:
            headers = Envelope.model_validate(envelope.model_dump(warnings="error")).headers()
            body = event.model_dump_json(warnings="error").encode()
            type(event).model_validate_json(body, strict=True)
        except ValidationError as error:
            raise NotInContract(f"{event.type}: {_faults(error)}") from None
        except PydanticSerializationError:
            raise NotInContract(f"{event.type}: a field's value is not of the field's type") from None
        if len(body) > BODY_BYTES_MAX:
            raise NotInContract(f"{event.type}: {len(body)} bytes, more than {BODY_BYTES_MAX}")
        return headers, body

    def decode(self, headers: Iterable[tuple[str, bytes | None]], body: bytes | None) -> tuple[Event, Envelope]:
        """The event of a message in its newest version, and its envelope, whose type is the event's.

        :raises Undecodable: when it cannot be read, now or later.
        """
        try:
            envelope = Envelope.from_headers(headers)
        except ValidationError as error:
            raise Undecodable("envelope-malformed", _faults(error)) from None
        kind = self._events.get(envelope.type)
        if kind is None:
            about = envelope.type if EVENT_TYPE.match(envelope.type) else "not even of the form of a type"
            raise Undecodable("type-unknown", about)
        if len(body or b"") > BODY_BYTES_MAX:
            raise Undecodable("body-too-large", f"{kind.type}: more than {BODY_BYTES_MAX} bytes")
        try:
            event = kind.model_validate_json(body or b"")
        except ValidationError as error:
            raise Undecodable("body-malformed", f"{kind.type}: {_faults(error)}") from None
        newest = _newest(event)
        return newest, envelope.model_copy(update={"type": newest.type})


def _newest(event: Event) -> Event:
    newest = event
    for _ in range(VERSIONS_MAX):
        try:
            newer = newest.upcast()
        except Exception as error:  # a rule that a college wrote; its message may quote the event
            raise Undecodable("upcast-failed", f"{newest.type}: {type(error).__name__}") from None
        if newer is None:
            return newest
        newest = newer
    raise Undecodable("upcast-failed", f"{event.type}: more than {VERSIONS_MAX} versions")


def _faults(error: ValidationError) -> str:
    """Which fields, and what is wrong with each; neither values nor keys that came in the message."""
    return ", ".join(
        f"{fault['loc'][0]} {fault['type']}" if fault["loc"] else fault["type"]
        for fault in error.errors(include_input=False, include_url=False, include_context=False)[:10]
    )


_network = Codec(ALL)
topic_of = _network.topic_of
encode = _network.encode
decode = _network.decode
