"""Traces: made by FastAPI itself and by PyMongo's instrumentation, cleaned here of personal data, and exported beside
the requests in batches. A collector that is slow or gone costs spans, never time.
"""

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from tyrsky import health, metrics
from tyrsky.sampling import KeepErrors, RecordAll, copied
from tyrsky.settings import Settings

log = logging.getLogger(__name__)

# The instrumentations read it when they are first used: names of attributes as they are today, and only those.
os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")

WATCHED = frozenset({health.LIVE, health.READY, metrics.PATH})
"""Who watches the service leaves no trace."""

EXPORT_SECONDS = 3
QUEUE_MAX = 4_096

PERSONAL = frozenset(
    {
        "client.address",
        "client.port",
        "db.query.text",
        "db.statement",
        "enduser.id",
        "exception.message",
        "exception.stacktrace",  # ends with the message
        "http.client_ip",
        "http.target",
        "http.url",
        "http.user_agent",
        "net.peer.ip",
        "network.peer.address",
        "network.peer.port",
        "url.full",
        "url.path",  # the route is kept
        "url.query",
        "user_agent.original",
    }
)
"""Attributes that may say who somebody is: addresses, what was searched for, what an exception says."""


class Room(SpanProcessor):
    """So many spans wait at most; what finds no room is lost, and counted. (The SDK's own queue counts for itself.)"""

    def __init__(self, exporter: SpanExporter) -> None:
        self._waiting = 0
        self._most = QUEUE_MAX
        self._lock = threading.Lock()
        self._batches = BatchSpanProcessor(
            WithoutPersons(exporter, self._gone),
            max_queue_size=QUEUE_MAX,
            schedule_delay_millis=500,
            max_export_batch_size=512,
            export_timeout_millis=EXPORT_SECONDS * 1000,
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Let it wait for the next batch."""
        with self._lock:
            room = self._waiting < self._most
            self._waiting += room
        if room:
            self._batches.on_end(span)
        else:
            metrics.spans_lost.labels("queue").inc()

    def _gone(self, count: int) -> None:
        with self._lock:
            self._waiting -= count

    def shutdown(self) -> None:
        """Send what waits to be sent."""
        self._batches.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits to be sent, and go on."""
        return self._batches.force_flush(timeout_millis)


class WithoutPersons(SpanExporter):
    """Hands spans on without personal data, whoever put it there."""

    def __init__(self, exporter: SpanExporter, gone: Callable[[int], None] = lambda _: None) -> None:
        self._exporter = exporter
        self._gone = gone

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export what remains of the spans."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export([without_persons(span) for span in spans])
        except Exception as error:  # a collector that is gone: the exporter's own message would hold its address
            log.warning("%d spans were lost: the collector did not take them (%s)", len(spans), type(error).__name__)
        finally:
            self._gone(len(spans))
        if result is SpanExportResult.FAILURE:
            metrics.spans_lost.labels("collector").inc(len(spans))
        return result

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return self._exporter.force_flush(timeout_millis)


def without_persons(span: ReadableSpan) -> ReadableSpan:
    """A span without its personal attributes, without exceptions' messages, and without a status in words."""
    events = [Event(event.name, _kept(event.attributes), event.timestamp) for event in span.events]
    return copied(span, attributes=_kept(span.attributes), events=events, status=Status(span.status.status_code))


def _kept(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if name not in PERSONAL}


def provider(service: str, settings: Settings, *, exporter: SpanExporter | None = None) -> TracerProvider:
    """The process's tracer provider, exporting where the settings say (or to ``exporter``, in tests)."""
    made = TracerProvider(
        resource=Resource.create({SERVICE_NAME: service}),
        sampler=RecordAll(settings.traces_ratio),
        shutdown_on_exit=False,
    )
    exporter = exporter or _exporter(settings)
    if exporter is not None:
        made.add_span_processor(KeepErrors(Room(exporter)))
    return made


def _exporter(settings: Settings) -> SpanExporter | None:
    """Imported here, each with the libraries of its protocol: who does not export has neither in memory."""
    match settings.traces_exporter:
        case "none":
            return None
        case "zipkin":
            from tyrsky import zipkin

            return zipkin.exporter(settings.traces_endpoint, seconds=EXPORT_SECONDS)
        case "otlp":
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            return OTLPSpanExporter(endpoint=settings.traces_endpoint, timeout=EXPORT_SECONDS)


def close(tracing: TracerProvider) -> None:
    """Send what waits to be sent, for a few seconds at most."""
    ending = threading.Thread(target=tracing.shutdown, daemon=True)
    ending.start()
    ending.join(EXPORT_SECONDS)


def install_store() -> None:
    """Trace commands to MongoDB, of clients that are made after this: to those before, PyMongo adds no listener."""
    if not PymongoInstrumentor().is_instrumented_by_opentelemetry:
        PymongoInstrumentor().instrument(capture_statement=False)


def of_requests(tracing: TracerProvider) -> TelemetryConfig:
    """What FastAPI is to do of its own telemetry: one span a request, for ``FastAPI(telemetry=...)``."""
    return {
        "tracer_provider": tracing,
        "tracing": True,
        "metrics": False,  # ours are tyrsky.metrics
        "logs": False,  # they would hold what was sent, and what exceptions say
        "operation_spans": False,
        "exclude": lambda scope: scope.get("path") in WATCHED,
    }


def install(tracing: TracerProvider) -> None:
    """Make ``tracing`` the process's own."""
    trace.set_tracer_provider(tracing)
