"""Webhooks: what a service tells a receiver outside by HTTP, signed as Standard Webhooks (standardwebhooks.com).

A call is a :mod:`dispatch <tyrsky.dispatches>`, whose id is the header ``webhook-id``: the same in every attempt, and
so is the body, so that a receiver can drop what it has had. It may come twice, when an answer was lost; it may overtake
another.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

import httpx2
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import AfterValidator, AnyHttpUrl, Field, SecretStr, model_validator
from tyrsky_contracts.event import Envelope, Event

from tyrsky import dispatch_api, dispatches, settings, tracing
from tyrsky.dispatches import (
    AcceptDispatch,
    Dispatch,
    DispatchCommand,
    RecordDispatchDeferred,
    RecordDispatched,
    RecordDispatchRefused,
    StartDispatch,
)
from tyrsky.effects import RECORD_SECONDS, Outcome, Pace
from tyrsky.pausing import Pauses
from tyrsky.store import Loaded

SECRET_BYTES = range(24, 65)
"""As Standard Webhooks has it."""

PAUSE_SECONDS_MAX = 86_400

tracer = trace.get_tracer(__name__)


def _is_http(text: str) -> str:
    AnyHttpUrl(text)
    return text


def _is_secret(secret: SecretStr) -> SecretStr:
    try:
        key = signing_key(secret)
    except binascii.Error:
        key = b""
    if len(key) not in SECRET_BYTES:
        raise ValueError("not of the form whsec_<24 to 64 bytes in base64>")
    return secret


class Settings(settings.Settings):
    """Settings of a service that calls a webhook."""

    webhook_url: Annotated[str, AfterValidator(_is_http)] = Field(default=..., description="Where webhooks are posted.")
    webhook_secret: Annotated[SecretStr, AfterValidator(_is_secret)] = Field(
        default=..., description="What they are signed with, `whsec_...`; the receiver has the same."
    )
    webhook_seconds: float = Field(
        default=10,
        gt=0,
        le=140,
        description="How long one call may take; at most a quarter of STOP_SECONDS less 3 s.",
    )
    webhook_at_once: int = Field(default=16, ge=1, le=200, description="Calls at a time.")
    webhook_poll_seconds: float = Field(
        default=5, gt=0, le=300, description="How often it is looked what is due; what is new is called at once."
    )
    webhook_retry_seconds: float = Field(
        default=5, gt=0, le=3_600, description="Pause after a first call that failed; it doubles."
    )
    webhook_retry_seconds_max: float = Field(
        default=3_600, gt=0, le=PAUSE_SECONDS_MAX, description="Longest pause between two calls."
    )

    @model_validator(mode="after")
    def _a_stop_lasts_longer_than_a_call(self) -> Self:
        if self.webhook_seconds > self.finish_seconds - RECORD_SECONDS:
            raise ValueError(f"WEBHOOK_SECONDS may be a quarter of STOP_SECONDS less {RECORD_SECONDS} at most")
        return self


class Webhook:
    """Calls one webhook for every dispatch of a service, and shows at ``/dispatches`` what became of them."""

    aggregate = dispatches.aggregate
    routers = (dispatch_api.router,)
    indexes = ([("college", 1), ("state.accepted_at", 1), ("_id", 1)],)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = signing_key(settings.webhook_secret)
        self._client: httpx2.AsyncClient | None = None
        self.pace = Pace(
            settings.webhook_at_once,
            settings.webhook_seconds,
            settings.webhook_poll_seconds,
            Pauses(settings.webhook_retry_seconds, settings.webhook_retry_seconds_max),
        )

    def claim(self, found: Loaded[Dispatch], now: datetime, lease_until: datetime) -> DispatchCommand:
        """The command that claims the next attempt."""
        attempt, lost = found.state.attempts + 1, found.state.status == "sending"
        return StartDispatch(dispatch_id=found.id, now=now, attempt=attempt, lease_until=lease_until, lost=lost)

    async def attempt(self, claimed: Loaded[Dispatch]) -> Outcome:
        """One call."""
        body = body_of(claimed.state)
        with tracer.start_as_current_span(
            "webhook", kind=SpanKind.CLIENT, attributes={"peer.service": "webhook", "webhook.id": str(claimed.id)}
        ) as span:
            headers = signed(self._key, claimed.id, datetime.now(UTC), body)
            headers |= {"content-type": "application/json", "traceparent": tracing.traceparent() or ""}
            outcome = await self._post(body, headers)
            span.set_attribute("tyrsky.outcome", outcome.status)
            if outcome.status != "sent":
                span.set_attribute("error.type", outcome.reason)
                span.set_status(StatusCode.ERROR)
            return outcome

    async def _post(self, body: bytes, headers: dict[str, str]) -> Outcome:
        seconds = self._settings.webhook_seconds
        if self._client is None:
            # Less for connecting than for all: it shall be known that nothing was sent.
            patience = httpx2.Timeout(seconds, connect=seconds / 2, pool=seconds / 2)
            limits = httpx2.Limits(max_connections=self._settings.webhook_at_once)
            self._client = httpx2.AsyncClient(timeout=patience, limits=limits, trust_env=False)
        try:
            async with (
                asyncio.timeout(seconds),  # the client's own is for each of its steps
                self._client.stream("POST", self._settings.webhook_url, content=body, headers=headers) as answer,
            ):
                return verdict(answer.status_code, answer.headers.get("retry-after", ""))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
            return Outcome("deferred", "connection-failed")
        except (TimeoutError, httpx2.TimeoutException):
            return Outcome("deferred", "timeout", unsure=True)
        except (httpx2.HTTPError, OSError):
            return Outcome("deferred", "connection-lost", unsure=True)

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def news(self, claimed: Loaded[Dispatch], outcome: Outcome, now: datetime, retry_at: datetime) -> DispatchCommand:
        """The command that writes down what came of a call."""
        id, attempt = claimed.id, claimed.state.attempts
        match outcome.status:
            case "sent":
                return RecordDispatched(dispatch_id=id, now=now, attempt=attempt)
            case "refused":
                return RecordDispatchRefused(dispatch_id=id, now=now, attempt=attempt, reason=outcome.reason)
            case "deferred":
                return RecordDispatchDeferred(
                    dispatch_id=id,
                    now=now,
                    attempt=attempt,
                    reason=outcome.reason,
                    retry_at=retry_at,
                    unsure=outcome.unsure,
                )


def call(about: Envelope, event: Event, *, id: UUID, kind: str) -> AcceptDispatch:
    """What a policy answers with to have a webhook called with an event's fields. ``id`` is the call's, for ever: two
    wishes with the same one are one call. ``kind`` is the ``type`` that the receiver reads."""
    return AcceptDispatch(
        dispatch_id=id,
        now=datetime.now(UTC),
        kind=kind,
        data=event.model_dump(mode="json"),
        request=about,
        traceparent=tracing.traceparent(),
    )


def body_of(dispatch: Dispatch) -> bytes:
    """The body, the same in each attempt: what happened, when, and what about it."""
    at = dispatch.request.time if dispatch.request else dispatch.accepted_at
    content = {"type": dispatch.kind, "timestamp": at.isoformat(), "data": dispatch.data}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed(key: bytes, id: object, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks: id, time of the attempt, and the signature over both and the body."""
    seconds = int(at.timestamp())
    signature = hmac.digest(key, f"{id}.{seconds}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": str(id),
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def signing_key(secret: SecretStr) -> bytes:
    """The bytes of a ``whsec_...``.

    :raises binascii.Error: when it is not base64.
    """
    return base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)


def verdict(status: int, retry_after: str = "") -> Outcome:
    """What an answer means: 2xx is taken, 410 is no for good, everything else may pass."""
    if 200 <= status < 300:
        return Outcome("sent")
    if status == 410:
        return Outcome("refused", "http-410")
    asked = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0
    return Outcome("deferred", f"http-{status}", pause=timedelta(seconds=min(asked, PAUSE_SECONDS_MAX)))
