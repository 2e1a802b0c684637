"""Each request leaves one line in the log and one observation in the metrics: its route, never its path or query.

A path may hold a name that somebody searched for; the route is the template out of the code.
"""

import logging
import time

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tyrsky import health, metrics

log = logging.getLogger(__name__)

QUIET = {health.LIVE, health.READY, metrics.PATH}
UNMATCHED = "(none)"


class Access:
    """Middleware: measures and logs requests. Inside the tracing middleware, so that the line has the trace's id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        with metrics.http_requests_under_way.track_inprogress():
            try:
                await self.app(scope, receive, watched)
            finally:
                _tell(scope, status, time.perf_counter() - began)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", UNMATCHED)
    method = scope["method"] if scope["method"] in _METHODS else "(other)"
    metrics.http_request_seconds.labels(method, route, status).observe(seconds)
    about = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
    log.log(logging.DEBUG if route in QUIET else logging.INFO, "%s %s %s", method, route, status, extra=about)


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def install(app: FastAPI) -> None:
    """Measure and log the app's requests."""
    app.add_middleware(Access)
