"""The wiring of companies, without its consumers: the benchmark is about commands and lists.

``BENCH_TELEMETRY=false`` leaves out tracing and metrics, to see what they cost. No deployment can ask for that.
"""

from typing import Any

from companies import (
    api,
    area,
    company,
    contact,
    feed,
    field,
    indexes,
    need,
    note,
    potential,
    priorities,
    reservation,
    visit,
)
from tyrsky import metrics, telemetry
from tyrsky.service import Service
from tyrsky_contracts import topics
from tyrsky_contracts.codec import Codec

from tests.bench.served.settings import Settings


class _Nothing:
    """Of everything, nothing."""

    def __call__(self, *_: object, **__: object) -> "_Nothing":
        return self

    def __getattr__(self, name: str) -> "_Nothing":
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


settings = Settings.read()
if not settings.bench_telemetry:
    nothing: Any = _Nothing()
    telemetry.install = telemetry.install_store = nothing
    telemetry.of_requests = lambda _: {"tracing": False, "metrics": False, "logs": False}  # pyright: ignore[reportUnknownLambdaType]
    metrics.http_request_seconds = metrics.http_requests_under_way = metrics.events_published = nothing

# Who changed what is written as it is everywhere, and beside what happened: it is part of each command.
events = (*topics.companies.events, *topics.audit.events)
own = topics.companies.model_copy(update={"name": settings.bench_topic, "events": events})
service = Service("companies", settings, codec=Codec([own]))
service.keeps(company.aggregate, field.aggregate, contact.aggregate, note.aggregate, area.aggregate)
service.keeps(visit.aggregate, need.aggregate, potential.aggregate, feed.aggregate)
service.keeps(reservation.aggregate, priorities.aggregate)
service.serves(api.router)
service.prepares(lambda: indexes.prepare(service.database))


@service.app.get("/fails", include_in_schema=False)
async def fails() -> None:
    """What no service should do, and after a call to the store, to see that its whole trace is kept."""
    await service.database["companies"].find_one({"_id": "nobody"})
    raise ZeroDivisionError


app = service.asgi()
