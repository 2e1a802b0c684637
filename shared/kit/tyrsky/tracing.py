"""Where a trace goes on: W3C trace context as text, in and out of headers and documents."""

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_propagator = TraceContextTextMapPropagator()


def traceparent() -> str | None:
    """The current span as a ``traceparent``; None outside a trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


def remote(parent: str | None) -> Context:
    """The context in which a span has ``parent`` as its parent; without one, a new trace begins."""
    nothing = set_span_in_context(INVALID_SPAN, Context())
    return _propagator.extract({"traceparent": parent}, nothing) if parent else nothing
