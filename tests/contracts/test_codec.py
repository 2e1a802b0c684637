"""What leaves fits the contract; what arrives is read, or refused for ever with a reason that quotes nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from tyrsky_contracts import topics
from tyrsky_contracts.codec import BODY_BYTES_MAX, Codec, NotInContract, Undecodable, decode, encode, topic_of
from tyrsky_contracts.companies import CompanyTagged, VisitCancelled, VisitPlanned
from tyrsky_contracts.event import Envelope, Event
from tyrsky_contracts.topics import Topic

ID = UUID("0197f2c4-6a1e-7c3b-9d20-5b8e4f6a7c01")
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
SECRET = "Matti Meikäläinen"


def envelope(kind: str, **changes: Any) -> Envelope:
    return Envelope.model_validate(
        {
            "id": ID,
            "type": kind,
            "source": "/colleges/vaao/visits",
            "subject": str(ID),
            "time": NOON,
            "college": "vaao",
            "sequence": 1,
            "correlationid": "c",
            "causationid": "d",
            **changes,
        }
    )


PLANNED = VisitPlanned(
    visit_id=ID,
    company_id=ID,
    business_id="1234567-1",
    company_name="Esimerkki Oy",
    starts_at=NOON,
    ends_at=NOON + timedelta(hours=1),
)
ABOUT = envelope(VisitPlanned.type)


def test_what_was_encoded_is_decoded():
    assert decode(*encode(PLANNED, ABOUT)) == (PLANNED, ABOUT)


def test_headers_are_cloudevents_in_binary_mode():
    headers = dict(encode(PLANNED, envelope(VisitPlanned.type, traceparent="00-1-2-01"))[0])
    assert headers["content-type"] == b"application/json"
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_time"] == b"2026-09-01T12:00:00Z"
    assert headers["ce_sequence"] == b"1"
    assert headers["ce_traceparent"] == b"00-1-2-01"
    assert "ce_dataschema" not in headers


def test_a_topic_is_found_by_event_class_or_type():
    assert topic_of(PLANNED) is topic_of(VisitPlanned) is topic_of("tyrsky.visit.planned.v1") is topics.companies
    with pytest.raises(NotInContract, match=r"vaao\.internship\.started\.v1"):
        topic_of("vaao.internship.started.v1")


class Stranger(Event, type="tyrsky.stranger.came.v1"):
    """On no topic."""


class Impostor(Event, type="tyrsky.visit.planned.v1"):
    """Says that it is another."""


def made(kind: type[Event], **fields: Any) -> Event:
    """An event that was never validated."""
    return kind.model_construct(**fields)


REFUSED = {
    "an event on no topic": (Stranger(), envelope(Stranger.type)),
    "a class that takes another's type": (Impostor(), ABOUT),
    "an envelope of another type": (PLANNED, envelope(VisitCancelled.type)),
    "a source of another college": (PLANNED, envelope(VisitPlanned.type, source="/colleges/sasky/visits")),
    "an envelope that was never validated": (PLANNED, ABOUT.model_copy(update={"sequence": 0})),
    "a missing field": (made(VisitPlanned, visit_id=ID), ABOUT),
    "a value of another type": (made(VisitPlanned, **{**dict(PLANNED), "visit_id": SECRET}), ABOUT),
    "a number for a text": (made(VisitPlanned, **{**dict(PLANNED), "company_name": 5}), ABOUT),
    "a text of another form": (made(VisitPlanned, **{**dict(PLANNED), "business_id": SECRET}), ABOUT),
    "a text too long": (made(VisitPlanned, **{**dict(PLANNED), "company_name": "x" * 301}), ABOUT),
    "a time without a zone": (made(VisitPlanned, **{**dict(PLANNED), "starts_at": NOON.replace(tzinfo=None)}), ABOUT),
    "too many tags": (made(CompanyTagged, company_id=ID, tags=("x",) * 21), envelope(CompanyTagged.type)),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
def test_the_producer_refuses(refused: tuple[Event, Envelope]):
    with pytest.raises(NotInContract) as refusal:
        encode(*refused)
    assert SECRET not in str(refusal.value)
    assert refusal.value.__cause__ is None


HEADERS = encode(PLANNED, ABOUT)[0]
UNDECODABLE: dict[str, tuple[str, list[tuple[str, bytes | None]], bytes | None]] = {
    "no headers": ("envelope-malformed", [], b"{}"),
    "an empty header": ("envelope-malformed", [("ce_id", None)], b"{}"),
    "a header that is no text": ("envelope-malformed", [*HEADERS, ("ce_time", b"\xff\xfe")], b"{}"),
    "CloudEvents 2.0": ("envelope-malformed", [*HEADERS, ("ce_specversion", b"2.0")], b"{}"),
    "a huge header": ("envelope-malformed", [*HEADERS, ("ce_source", b"x" * 100_000)], b"{}"),
    "an unknown type": ("type-unknown", [*HEADERS, ("ce_type", b"tyrsky.visit.planned.v9")], b"{}"),
    "a type that is no type": ("type-unknown", [*HEADERS, ("ce_type", SECRET.encode())], b"{}"),
    "a tombstone": ("body-malformed", [*HEADERS], None),
    "broken JSON": ("body-malformed", [*HEADERS], b'{"visit_id": "' + SECRET.encode()),
    "bytes that are no text": ("body-malformed", [*HEADERS], b"\xff\xfe\x00"),
    "a list": ("body-malformed", [*HEADERS], b"[]"),
    "a field of another type": ("body-malformed", [*HEADERS], b'{"visit_id": "%s"}' % SECRET.encode()),
    "a huge body": ("body-too-large", [*HEADERS], b" " * (BODY_BYTES_MAX + 1)),
    "deep nesting": ("body-malformed", [*HEADERS], b"[" * 100_000),
}


@pytest.mark.parametrize(("cause", "headers", "body"), UNDECODABLE.values(), ids=UNDECODABLE.keys())
def test_what_cannot_be_read_says_why_and_quotes_nothing(
    cause: str, headers: list[tuple[str, bytes | None]], body: bytes | None
):
    with pytest.raises(Undecodable) as verdict:
        decode(headers, body)
    assert verdict.value.cause == cause
    assert SECRET not in str(verdict.value)
    assert verdict.value.__cause__ is None


def test_a_reader_ignores_fields_and_headers_that_it_does_not_know():
    headers, body = encode(PLANNED, ABOUT)
    later = body[:-1] + b',"weather":"rain"}'
    assert decode([*headers, ("ce_dataversion", b"7"), ("traceparent", b"00-a-b-01")], later) == (PLANNED, ABOUT)


def test_events_and_envelopes_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        PLANNED.company_name = "Toinen Oy"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValidationError, match="frozen"):
        ABOUT.sequence = 2  # pyright: ignore[reportAttributeAccessIssue]


def test_an_event_must_say_its_type():
    with pytest.raises(TypeError, match="Nameless has no type"):
        type("Nameless", (Event,), {})


class ShiftAgreedV1(Event, type="test.shift.agreed.v1"):
    """Hours were text."""

    hours: str

    def upcast(self) -> "ShiftAgreedV2":
        return ShiftAgreedV2(minutes=int(self.hours) * 60)


class ShiftAgreedV2(Event, type="test.shift.agreed.v2"):
    """Hours became minutes."""

    minutes: int

    def upcast(self) -> "ShiftAgreed":
        return ShiftAgreed(length=timedelta(minutes=self.minutes), paid=False)


class ShiftAgreed(Event, type="test.shift.agreed.v3"):
    """Whether it is paid came to be said."""

    length: timedelta
    paid: bool


class Circle(Event, type="test.circle.drawn.v1"):
    """Its newest version is itself."""

    def upcast(self) -> "Circle":
        return self


def shifts(*events: type[Event], name: str = "shifts") -> Topic:
    return Topic(name=name, about="", key="", events=events, producers=(), consumers=(), retention=None, public=False)


SHIFTS = Codec([shifts(ShiftAgreedV1, ShiftAgreedV2, ShiftAgreed, Circle)])


@pytest.mark.parametrize(
    ("kind", "body", "newest"),
    [
        (ShiftAgreedV1, b'{"hours":"8"}', ShiftAgreed(length=timedelta(hours=8), paid=False)),
        (ShiftAgreedV2, b'{"minutes":90}', ShiftAgreed(length=timedelta(minutes=90), paid=False)),
        (ShiftAgreed, b'{"length":"PT1H","paid":true}', ShiftAgreed(length=timedelta(hours=1), paid=True)),
    ],
)
def test_every_version_arrives_as_the_newest(kind: type[Event], body: bytes, newest: ShiftAgreed):
    event, about = SHIFTS.decode(envelope(kind.type).headers(), body)
    assert event == newest
    assert about == envelope(ShiftAgreed.type)


def test_a_retired_version_is_never_published_again():
    with pytest.raises(NotInContract, match="retired"):
        SHIFTS.encode(ShiftAgreedV1(hours="8"), envelope(ShiftAgreedV1.type))


def test_an_upcast_that_fails_is_a_verdict_on_the_message():
    with pytest.raises(Undecodable, match=r"upcast-failed: test\.shift\.agreed\.v1: ValueError") as verdict:
        SHIFTS.decode(envelope(ShiftAgreedV1.type).headers(), b'{"hours":"Matti"}')
    assert "Matti" not in str(verdict.value)


def test_versions_that_go_in_a_circle_end():
    with pytest.raises(Undecodable, match="more than 100 versions"):
        SHIFTS.decode(envelope(Circle.type).headers(), b"{}")


def test_an_event_is_on_one_topic():
    with pytest.raises(ValueError, match="is on shifts and on others"):
        Codec([shifts(ShiftAgreed), shifts(ShiftAgreed, name="others")])
