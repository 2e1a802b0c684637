"""Spans that find no room, or that the collector does not take, are lost and counted."""

import threading
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tyrsky import metrics, telemetry
from tyrsky.settings import Settings
from tyrsky.testing.tokens import Authority


def end_spans(provider: TracerProvider, count: int) -> None:
    for _ in range(count):
        provider.get_tracer("test").start_span("request").end()


def lost(why: str) -> float:
    return metrics.REGISTRY.get_sample_value("spans_lost_total", {"why": why}) or 0


@pytest.mark.parametrize("fails", [True, False])
def test_spans_that_are_lost_are_counted(authority: Authority, monkeypatch: pytest.MonkeyPatch, fails: bool):
    exporting, go_on = threading.Event(), threading.Event()

    class Slow(InMemorySpanExporter):
        def export(self, spans: Any) -> Any:
            exporting.set()
            go_on.wait(10)
            return SpanExportResult.FAILURE if fails else super().export(spans)

    monkeypatch.setattr(telemetry, "QUEUE_MAX", 600)
    settings = Settings(colleges=["vaao"], oidc_issuer=authority.issuer)
    exporter = Slow()
    provider = telemetry.provider("companies", settings, exporter=exporter)
    full, collector = lost("queue"), lost("collector")
    end_spans(provider, 600)
    assert exporting.wait(5)
    end_spans(provider, 60)
    assert lost("queue") == full + 60
    go_on.set()
    provider.force_flush()
    assert lost("collector") == collector + (600 if fails else 0)
    assert len(exporter.get_finished_spans()) == (0 if fails else 600)
    end_spans(provider, 1)
    provider.force_flush()
    assert lost("queue") == full + 60
    telemetry.close(provider)
