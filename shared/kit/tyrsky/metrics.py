"""What a service counts and measures, for Prometheus at ``/metrics``. Declared here, all of it; set where it happens.

Labels are names out of the code (a route, a topic, a group), never what a caller sent: their number stays small, and no
personal data gets in.
"""

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

PATH = "/metrics"

REGISTRY = CollectorRegistry()
"""Ours alone: a library that registers metrics of its own does not show up here by surprise."""

ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

http_request_seconds = Histogram(
    "http_request_seconds",
    "How long requests took, by route template.",
    ["method", "route", "status"],
    registry=REGISTRY,
    buckets=_SECONDS,
)
http_requests_under_way = Gauge(
    "http_requests_under_way", "Requests past the door whose answers are not all sent.", registry=REGISTRY
)
http_requests_waiting = Gauge("http_requests_waiting", "Requests that wait for a place.", registry=REGISTRY)
http_requests_refused = Counter(
    "http_requests_refused", "Requests that got no place, by the problem's code.", ["code"], registry=REGISTRY
)
http_streams = Gauge("http_streams", "Event streams that are open.", registry=REGISTRY)
http_connections = Gauge("http_connections", "Connections of clients.", registry=REGISTRY)
http_connections_closed = Counter(
    "http_connections_closed", "Connections that were closed since they brought nothing.", ["why"], registry=REGISTRY
)

spans_lost = Counter(
    "spans_lost", "Spans that were to be exported and were not, by why.", ["why"], registry=REGISTRY
)  # fmt: skip

outbox_size = Gauge(
    "outbox_size", "Aggregates with events that are not yet published.", ["aggregate"], registry=REGISTRY
)
outbox_oldest_age_seconds = Gauge(
    "outbox_oldest_age_seconds", "Age of the oldest event not yet published.", ["aggregate"], registry=REGISTRY
)
events_published = Counter("events_published", "Events that Kafka took.", ["topic"], registry=REGISTRY)
relay_failures = Counter(
    "relay_failures", "Times that events could not be published, and will be tried again.", registry=REGISTRY
)
relay_takeovers = Counter(
    "relay_takeovers", "Relays that were no more, whose events were taken over.", registry=REGISTRY
)  # fmt: skip
store_conflicts = Counter(
    "store_conflicts", "Saves that another write had overtaken, and that were decided again.", ["aggregate"],
    registry=REGISTRY,
)  # fmt: skip

effects_attempted = Counter(
    "effects_attempted", "Attempts at effects outside, by what became of them.", ["aggregate", "outcome"],
    registry=REGISTRY,
)  # fmt: skip

due_overdue_seconds = Gauge(
    "due_overdue_seconds", "How long overdue the first is that waits to be looked after.", ["aggregate", "field"],
    registry=REGISTRY,
)  # fmt: skip

consumer_lag = Gauge("consumer_lag", "Messages not yet handled.", ["group", "topic"], registry=REGISTRY)
consumer_retries = Counter("consumer_retries", "Messages tried again after a failure.", ["group"], registry=REGISTRY)
consumer_paused = Gauge("consumer_paused", "1 while a group waits, as all fails.", ["group"], registry=REGISTRY)
consumer_rebuilds = Counter("consumer_rebuilds", "Consumers that hung, built anew.", ["group"], registry=REGISTRY)
dead_letters_replayed = Counter(
    "dead_letters_replayed", "Messages put aside that were taken at last.", ["group", "topic"], registry=REGISTRY
)
policies_rejected = Counter(
    "policies_rejected", "Commands of policies that the rules refused.", ["group", "policy", "code"], registry=REGISTRY
)
parked_keys = Gauge(
    "parked_keys", "Keys whose messages wait behind one that failed.", ["group"], registry=REGISTRY
)  # fmt: skip
dead_letters = Gauge(
    "dead_letters", "Dead letters that are kept, those of parked keys among them.", ["group"], registry=REGISTRY
)
dead_letters_kept = Counter(
    "dead_letters_kept", "Messages put aside, by why.", ["group", "topic", "kind"], registry=REGISTRY
)


def install(app: FastAPI) -> None:
    """Serve ``/metrics``. The gateway does not route it: it is for those who run the service."""

    async def metrics() -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    app.add_api_route(PATH, metrics, include_in_schema=False)
