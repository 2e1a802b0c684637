"""What is said of a message that failed, in logs and traces; no server."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tyrsky import deliveries
from tyrsky.deliveries import Message, cause_of, key_text, mark_failed, process_span, unversioned
from tyrsky_contracts.notifications import NotificationSent

from .rig import delivery

HOP = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BORN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_a_cause_says_what_and_where_but_quotes_nothing():
    cause = cause_of(raised(KeyError("maija.meikalainen@example.fi")))
    assert cause.startswith("KeyError in raised (test_deliveries.py:")
    with pytest.raises(ValueError, match="maija") as caught:
        NotificationSent.model_validate({"kind": "maija.meikalainen", "attempts": "maija"})
    assert "maija" not in cause_of(caught.value)
    assert "attempts int_parsing" in cause_of(caught.value)


def test_any_bytes_may_be_a_key_and_long_keys_stay_apart():
    assert key_text(None) is None
    assert key_text(b"\xff\x00") == "\\xff\x00"
    first, second = key_text(b"k" * 1000), key_text(b"k" * 1001)
    assert first != second
    assert first
    assert len(first) < 200


def test_the_version_is_not_part_of_what_a_group_wants():
    assert unversioned("tyrsky.visit.planned.v12") == "tyrsky.visit.planned"
    assert unversioned("tyrsky.visit.very.vocal") == "tyrsky.visit.very.vocal"


def test_a_span_is_the_hops_child_and_linked_to_the_events_birth(monkeypatch: pytest.MonkeyPatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(deliveries, "_tracer", provider.get_tracer("test"))
    heard = delivery("a", 1).message
    message = Message(
        heard.topic,
        0,
        7,
        heard.key,
        (*heard.headers, ("traceparent", HOP.encode()), ("ce_traceparent", BORN.encode())),
        heard.body,
    )
    with process_span(message, "g") as span:
        mark_failed(span, raised(KeyError("secret")))
    (found,) = exporter.get_finished_spans()
    assert found.parent
    assert found.attributes
    assert trace.format_span_id(found.parent.span_id) == HOP.split("-")[2]
    assert [trace.format_trace_id(link.context.trace_id) for link in found.links] == [BORN.split("-")[1]]
    assert (found.name, found.kind) == ("process visits", trace.SpanKind.CONSUMER)
    assert found.attributes["messaging.kafka.offset"] == 7
    assert found.attributes["messaging.consumer.group.name"] == "g"
    assert found.attributes["error.type"] == "KeyError"
    assert found.status.status_code is trace.StatusCode.ERROR
    assert "secret" not in str(found.to_json())


def test_a_message_without_a_trace_begins_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deliveries, "_tracer", TracerProvider().get_tracer("test"))
    with process_span(Message("t", 0, 0, None, (("ce_type", None), ("traceparent", b"\xff")), None), "g") as span:
        assert span.get_span_context().is_valid
