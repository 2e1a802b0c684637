"""Which traces are exported: a share of them, and every one with an error.

Whether a trace has an error is known when it ends. So what is not sampled is recorded all the same, and held in memory
until the spans of this service that hang together have ended; then it is exported when one of them failed, and else
forgotten. The holding is bounded: beyond the bounds a span is not held, unless it failed itself. What other services
did in the same trace they decide for themselves, by their own errors.

Whoever sends a request may say which trace it belongs to, and nothing else: neither whether it is exported, nor, by an
id of the right kind, that it is one of the share. What comes from Kafka or the store was decided by one of ours.
"""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState, get_current_span

HELD_MAX = 20_000
HELD_OF_TRACE_MAX = 1_000


class RecordAll(Sampler):
    """The sampling of a share of traces, which is decided where a request comes in; what falls outside is recorded."""

    def __init__(self, ratio: float) -> None:
        self._share = ParentBased(TraceIdRatioBased(ratio))
        self._ratio = ratio

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """A call out that nobody asked for (a look into the outbox, every second) is no trace."""
        if kind is SpanKind.CLIENT and not get_current_span(parent_context).get_span_context().is_valid:
            return SamplingResult(Decision.DROP)
        if kind is SpanKind.SERVER:
            share = random.random() < self._ratio  # noqa: S311 - not by the trace's id, which the client may choose
            return SamplingResult(Decision.RECORD_AND_SAMPLE if share else Decision.RECORD_ONLY, attributes)
        result = self._share.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is Decision.DROP:
            return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)
        return result

    def get_description(self) -> str:
        """For the SDK's own log."""
        return f"RecordAll({self._share.get_description()})"


@dataclass
class _Held:
    """Spans of one trace that hang together in this process."""

    under_way: int = 0
    failed: bool = False
    ended: list[ReadableSpan] = field(default_factory=list[ReadableSpan])


class KeepErrors(SpanProcessor):
    """Passes sampled spans on to ``export``, and the unsampled ones of a trace in which something failed."""

    def __init__(self, export: SpanProcessor, *, held_max: int = HELD_MAX) -> None:
        self._export = export
        self._held_max = held_max
        self._under_way: dict[int, _Held] = {}  # by the id of a span that has not ended
        self._held = 0
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """How many spans are in memory, ended or under way."""
        return self._held + len(self._under_way)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Remember which spans an unsampled one hangs together with."""
        if span.context is None or span.context.trace_flags.sampled:
            return
        with self._lock:
            if self.held >= self._held_max:
                return
            parent = self._under_way.get(span.parent.span_id) if span.parent is not None else None
            held = parent or _Held()
            held.under_way += 1
            self._under_way[span.context.span_id] = held

    def on_end(self, span: ReadableSpan) -> None:
        """Export, hold or forget."""
        if span.context is None or span.context.trace_flags.sampled:
            self._export.on_end(span)
            return
        failed = span.status.status_code is StatusCode.ERROR
        with self._lock:
            held = self._under_way.pop(span.context.span_id, None) or _Held(under_way=1)  # began when memory was full
            whole = self._settle(held, span, failed=failed)
        for each in whole:
            self._export.on_end(_sampled(each))

    def _settle(self, held: _Held, span: ReadableSpan, *, failed: bool) -> list[ReadableSpan]:
        held.under_way -= 1
        held.failed |= failed
        if failed or len(held.ended) < HELD_OF_TRACE_MAX:
            held.ended.append(span)
            self._held += 1
        if held.under_way:
            return []
        self._held -= len(held.ended)
        return held.ended if held.failed else []

    def shutdown(self) -> None:
        """Send what waits to be sent."""
        self._export.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits to be sent, and go on."""
        return self._export.force_flush(timeout_millis)


def _sampled(span: ReadableSpan) -> ReadableSpan:
    """The same span with the mark without which an exporter would leave it out."""
    context = span.context
    if context is None:
        return span
    marked = SpanContext(
        context.trace_id, context.span_id, context.is_remote, TraceFlags(TraceFlags.SAMPLED), context.trace_state
    )
    return copied(span, context=marked)


def copied(span: ReadableSpan, **changes: Any) -> ReadableSpan:
    """A span that has ended, with some of it changed."""
    same: dict[str, Any] = {
        "context": span.context,
        "parent": span.parent,
        "resource": span.resource,
        "attributes": span.attributes,
        "events": span.events,
        "links": span.links,
        "kind": span.kind,
        "status": span.status,
        "start_time": span.start_time,
        "end_time": span.end_time,
        "instrumentation_scope": span.instrumentation_scope,
    }
    return ReadableSpan(span.name, **{**same, **changes})
