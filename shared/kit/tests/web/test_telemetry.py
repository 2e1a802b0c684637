"""Traces: a share of them and every error, without a word about anybody, and never at the requests' cost."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from tyrsky import problems, telemetry
from tyrsky.sampling import KeepErrors, RecordAll
from tyrsky.settings import Settings
from tyrsky.telemetry import WithoutPersons
from tyrsky.testing.tokens import Authority

Tracing = Callable[..., tuple[TracerProvider, InMemorySpanExporter, KeepErrors]]


@pytest.fixture
def tracing() -> Iterator[Tracing]:
    """Makes a provider of a ratio whose spans can be looked at, and ends it."""
    made: list[TracerProvider] = []

    def make(ratio: float, **bounds: int) -> tuple[TracerProvider, InMemorySpanExporter, KeepErrors]:
        exporter = InMemorySpanExporter()
        keeper = KeepErrors(SimpleSpanProcessor(WithoutPersons(exporter)), **bounds)
        provider = TracerProvider(sampler=RecordAll(ratio), shutdown_on_exit=False)
        provider.add_span_processor(keeper)
        made.append(provider)
        return provider, exporter, keeper

    yield make
    for provider in made:
        provider.shutdown()


def names(exporter: InMemorySpanExporter) -> list[str]:
    return [span.name for span in exporter.get_finished_spans()]


def a_trace(provider: TracerProvider, *, fails: bool) -> None:
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("request"):
        with tracer.start_as_current_span("decide"):
            pass
        with tracer.start_as_current_span("save") as save:
            if fails:
                save.set_status(Status(StatusCode.ERROR, "maija@x.example"))


def test_a_trace_that_is_sampled_is_exported(tracing: Tracing):
    provider, exporter, _ = tracing(1.0)
    a_trace(provider, fails=False)
    assert names(exporter) == ["decide", "save", "request"]


def test_a_trace_that_is_not_sampled_is_forgotten(tracing: Tracing):
    provider, exporter, keeper = tracing(0.0)
    a_trace(provider, fails=False)
    assert names(exporter) == []
    assert keeper.held == 0


def test_a_trace_with_an_error_is_exported_whole_whatever_the_ratio(tracing: Tracing):
    provider, exporter, keeper = tracing(0.0)
    a_trace(provider, fails=True)
    a_trace(provider, fails=False)
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["decide", "save", "request"]
    assert len({span.context.trace_id for span in spans if span.context}) == 1
    assert keeper.held == 0


def test_the_ratio_is_a_share(tracing: Tracing):
    provider, exporter, _ = tracing(0.5)
    for _ in range(400):
        a_trace(provider, fails=False)
    assert 120 < names(exporter).count("request") < 280


@pytest.mark.parametrize(("flags", "exported"), [(TraceFlags.SAMPLED, ["here"]), (TraceFlags.DEFAULT, [])])
def test_the_callers_decision_goes_first(tracing: Tracing, flags: int, exported: list[str]):
    provider, exporter, _ = tracing(0.5)
    caller = NonRecordingSpan(SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(flags)))
    with provider.get_tracer("test").start_as_current_span("here", trace.set_span_in_context(caller)):
        pass
    assert names(exporter) == exported


@pytest.mark.parametrize(("ratio", "least", "most"), [(0.0, 0, 0), (0.5, 120, 280), (1.0, 400, 400)])
def test_a_client_does_not_say_which_traces_are_exported(tracing: Tracing, ratio: float, least: int, most: int):
    provider, exporter, keeper = tracing(ratio)
    tracer = provider.get_tracer("test")
    for trace_id in range(1, 401):  # ids of its own choice, which a share of all ids would take for the first of them
        client = SpanContext(
            trace_id,
            8,
            is_remote=True,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
            trace_state=TraceState([("x", "y")]),
        )
        outside = trace.set_span_in_context(NonRecordingSpan(client))
        with tracer.start_as_current_span("GET", outside, kind=SpanKind.SERVER), tracer.start_as_current_span("save"):
            pass
    spans = exporter.get_finished_spans()
    assert least <= names(exporter).count("GET") == names(exporter).count("save") <= most
    for span in spans:
        assert span.context is not None
        assert span.context.trace_id <= 400
        assert not span.context.trace_state
    assert keeper.held == 0


def test_work_that_outlives_its_request_belongs_to_it(tracing: Tracing):
    provider, exporter, _ = tracing(0.0)
    tracer = provider.get_tracer("test")
    request = tracer.start_span("request")
    relay = tracer.start_span("relay", trace.set_span_in_context(request))
    request.end()
    assert names(exporter) == []
    relay.set_status(Status(StatusCode.ERROR))
    relay.end()
    assert names(exporter) == ["request", "relay"]


def test_what_is_held_is_bounded_and_an_error_is_kept_all_the_same(tracing: Tracing):
    provider, exporter, keeper = tracing(0.0, held_max=10)
    tracer = provider.get_tracer("test")
    request = tracer.start_span("request")
    inside = trace.set_span_in_context(request)
    for n in range(100):
        span = tracer.start_span(f"step {n}", inside)
        if n == 99:
            span.set_status(Status(StatusCode.ERROR))
        span.end()
        assert keeper.held <= 10
    unended = [tracer.start_span("never ends") for _ in range(100)]
    assert keeper.held <= 10
    assert names(exporter) == ["step 99"]
    assert unended


def test_a_look_into_the_store_that_nobody_asked_for_is_no_trace(tracing: Tracing):
    provider, exporter, _ = tracing(1.0)
    tracer = provider.get_tracer("test")
    tracer.start_span("companies.find", kind=SpanKind.CLIENT).end()
    with tracer.start_as_current_span("request"):
        tracer.start_span("companies.find", kind=SpanKind.CLIENT).end()
    assert names(exporter) == ["companies.find", "request"]


def everything(span: ReadableSpan) -> str:
    return span.to_json()


@pytest.fixture
def traced(app: FastAPI, tracing: Tracing) -> InMemorySpanExporter:
    provider, exporter, _ = tracing(1.0)
    app._telemetry.update(telemetry.of_requests(provider))  # pyright: ignore[reportPrivateUsage] - else given when made
    return exporter


async def test_a_request_is_one_span_named_by_its_route(
    client: httpx2.AsyncClient, authority: Authority, traced: InMemorySpanExporter
):
    await client.get("/me?email=maija@x.example", headers={**authority.headers(), "User-Agent": "Maijan puhelin"})
    (span,) = traced.get_finished_spans()
    assert span.name == "GET /me"
    assert span.attributes is not None
    assert span.attributes["http.route"] == "/me"
    assert span.attributes["http.response.status_code"] == 200
    assert span.attributes["tyrsky.college"] == "vaao"


async def test_health_and_metrics_leave_no_span(client: httpx2.AsyncClient, traced: InMemorySpanExporter):
    for path in ("/livez", "/readyz", "/metrics"):
        await client.get(path)
    assert traced.get_finished_spans() == ()


async def test_spans_say_nothing_about_anybody(
    client: httpx2.AsyncClient, authority: Authority, traced: InMemorySpanExporter
):
    me = authority.headers(name="Maija Meikäläinen")
    await client.get("/fails/unexpected?who=maija")
    await client.get("/maija@x.example")
    await client.get("/visits?colour=maija", headers=me)
    await client.post("/visits", json={"place": "maija@x.example"}, headers={**me, "User-Agent": "maija"})
    told = "".join(everything(span) for span in traced.get_finished_spans()).lower()
    assert len(traced.get_finished_spans()) == 4
    for personal in ("maija", "meik", "127.0.0.1", "traceback"):
        assert personal not in told


async def test_an_unexpected_failure_is_an_error_on_the_span_and_tells_its_trace(
    client: httpx2.AsyncClient, traced: InMemorySpanExporter
):
    answer = await client.get("/fails/unexpected")
    (span,) = traced.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["exception.type"] == "ValueError"
    assert span.context is not None
    assert answer.json()["trace_id"] == trace.format_trace_id(span.context.trace_id)


async def test_a_refusal_is_no_error(client: httpx2.AsyncClient, traced: InMemorySpanExporter):
    await client.get("/fails/rejected")
    assert [span.status.status_code for span in traced.get_finished_spans()] == [StatusCode.UNSET]


@pytest.mark.parametrize("code", ["busy", "caller-busy"])
def test_who_finds_the_service_busy_is_no_error(tracing: Tracing, code: str):
    provider, exporter, keeper = tracing(0.0)
    with provider.get_tracer("test").start_as_current_span("GET") as span:
        problems.answer({"type": "http", "headers": []}, problems.known(code))
        span.set_status(StatusCode.ERROR)  # which FastAPI says of every status from 500 on
    assert names(exporter) == []
    assert keeper.held == 0


def test_an_exception_keeps_its_type_and_loses_its_words(tracing: Tracing):
    provider, exporter, _ = tracing(1.0)
    tracer = provider.get_tracer("test")
    with pytest.raises(ValueError, match="maija"), tracer.start_as_current_span("decide"):
        raise ValueError("maija@x.example is not an address")
    (span,) = exporter.get_finished_spans()
    assert "maija" not in everything(span)
    assert [event.attributes and event.attributes["exception.type"] for event in span.events] == ["ValueError"]
    assert span.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize("kind", ["zipkin", "otlp"])
def test_a_collector_that_is_gone_costs_the_requests_nothing(
    kind: Any, authority: Authority, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(telemetry, "EXPORT_SECONDS", 0.5)
    with socket.socket() as taken:  # bound and not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        settings = Settings(
            colleges=["vaao"], oidc_issuer=authority.issuer, traces_exporter=kind, traces_endpoint=endpoint
        )
        provider = telemetry.provider("companies", settings)
        began = time.perf_counter()
        for _ in range(1_000):
            a_trace(provider, fails=False)
        assert time.perf_counter() - began < 1
        began = time.perf_counter()
        telemetry.close(provider)
        assert time.perf_counter() - began < telemetry.EXPORT_SECONDS + 1


def test_the_service_is_named_and_nothing_is_exported_unless_asked(authority: Authority):
    settings = Settings(colleges=["vaao"], oidc_issuer=authority.issuer)
    provider = telemetry.provider("companies", settings)
    assert provider.resource.attributes["service.name"] == "companies"
    a_trace(provider, fails=True)
    telemetry.close(provider)


def test_spans_reach_an_exporter_in_batches(authority: Authority):
    class Counting(InMemorySpanExporter):
        batches = 0

        def export(self, spans: Any) -> Any:
            self.batches += 1
            return super().export(spans)

    exporter: SpanExporter = Counting()
    settings = Settings(colleges=["vaao"], oidc_issuer=authority.issuer)
    provider = telemetry.provider("companies", settings, exporter=exporter)
    for _ in range(100):
        a_trace(provider, fails=False)
    provider.force_flush()
    assert isinstance(exporter, Counting)
    assert (len(names(exporter)), exporter.batches) == (300, 1)
    telemetry.close(provider)
