"""Whether the service lives, and whether it is ready: ``/livez``, and ``/readyz``, which names each missing part.

A part is a name and something to await that fails when the part does not answer::

    health.part("mongo", lambda: database.command("ping"), at="127.0.0.1:27117")

Anybody may ask, through the gateway too, and as often as they like: the parts are asked once a second at most.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

log = logging.getLogger(__name__)

LIVE = "/livez"
READY = "/readyz"

CHECK_SECONDS = 2
TELL_SECONDS = 3
KEPT_SECONDS = 1

FORWARDED = "X-Forwarded-For"
"""Set by the gateway, and by any other that passes a request on: who asks is outside."""


class PartsMissing(Exception):  # noqa: N818 - reads as the sentence that it prints
    """The service did not start: parts that it needs did not answer in time. The message names them."""


@dataclass(frozen=True)
class Part:
    """Something that the service needs, and where it is."""

    name: str
    check: Callable[[], Awaitable[object]]
    at: str


@dataclass
class Health:
    """The parts of one service.

    ``pauses`` tells which consumer groups wait since nothing succeeds, and why. That is shown, but the service is
    ready: what comes by request it can do. Not outside: it is for those who run the service.
    """

    pauses: Callable[[], dict[str, str]] = dict
    _parts: list[Part] = field(default_factory=list[Part])
    _look: asyncio.Task[dict[str, str]] | None = None
    _looked_at: float = -float("inf")

    def part(self, name: str, check: Callable[[], Awaitable[object]], *, at: str = "") -> None:
        """The service needs this part."""
        self._parts.append(Part(name, check, at))

    async def missing(self, *, kept_seconds: float = 0) -> dict[str, str]:
        """The parts that do not answer: name to what kind of failure it was (no message: it may hold an address).

        Who asks while they are being asked gets that answer, and who does within ``kept_seconds`` the last one.
        """
        look = self._look
        if look is None or (look.done() and time.monotonic() - self._looked_at >= kept_seconds):
            look = self._look = asyncio.create_task(self._ask())
        return await asyncio.shield(look)  # one who goes away takes nobody else's answer along

    async def _ask(self) -> dict[str, str]:
        failures = await asyncio.gather(*(_failure(part) for part in self._parts))
        self._looked_at = time.monotonic()
        return {part.name: failure for part, failure in zip(self._parts, failures, strict=True) if failure}

    async def wait(self, seconds: float) -> None:
        """Wait until every part answers, and say every few seconds what is waited for.

        :raises PartsMissing: when some do not answer within the time.
        """
        began = time.monotonic()
        told = -TELL_SECONDS
        while missing := await self.missing():
            waited = time.monotonic() - began
            sentence = ", ".join(f"{p.name} at {p.at} ({missing[p.name]})" for p in self._parts if p.name in missing)
            if waited >= seconds:
                raise PartsMissing(f"gave up after {waited:.0f} s of waiting for {sentence}")
            if waited - told >= TELL_SECONDS:
                told = waited
                log.info("waiting for %s", sentence)
            await asyncio.sleep(min(0.25, seconds / 10))

    async def readiness(self, request: Request) -> JSONResponse:
        """The answer of ``/readyz``."""
        missing = await self.missing(kept_seconds=KEPT_SECONDS)
        ready = not missing
        parts = {part.name: missing.get(part.name, "ok") for part in self._parts}
        told: dict[str, object] = {"status": "ready" if ready else "not-ready", "parts": parts}
        if FORWARDED not in request.headers:
            told["pauses"] = self.pauses()
        return JSONResponse(told, 200 if ready else 503, {"Cache-Control": "no-store"})

    async def close(self) -> None:
        """Stop asking."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)


async def _failure(part: Part) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await part.check()
    except Exception as error:
        return type(error).__name__
    return None


async def _alive() -> dict[str, str]:
    return {"status": "alive"}


def install(app: FastAPI, health: Health) -> None:
    """Serve ``/livez`` and ``/readyz``. Living asks nothing of the parts: a restart would not bring them back."""
    app.add_api_route(LIVE, _alive, include_in_schema=False)
    app.add_api_route(READY, health.readiness, include_in_schema=False, response_model=None)
