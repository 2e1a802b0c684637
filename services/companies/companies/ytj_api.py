"""A client of the business register's open API (YTJ, version 3): gentle with it, and not taken in by what it answers.

It asks so often a second at most, one request at a time; what fails for now is tried again after pauses that grow,
with chance in them, or when the API says (``Retry-After``). An answer has a limit in seconds, in bytes and in
companies. What the companies are, is for ``ytj`` to say.
"""

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Annotated, Any, Self

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random,
    wait_random_exponential,
)

ADDRESS = "https://avoindata.prh.fi/opendata-ytj-api/v3"

PAGE_COMPANIES = 100
"""So many companies a page has at most; the API says."""

ANSWER_BYTES_MAX = 20_000_000
"""A page of the largest companies has a tenth of it."""

PAUSE_SECONDS_MAX = 60
"""Longest pause before a request is tried again. Who is told to stay away for longer does."""

OK, NOT_MODIFIED = 200, 304
TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Asking:
    """How the API is asked."""

    address: str = ADDRESS
    per_second: float = 1
    seconds: float = 30
    attempts: int = 5


class ApiFailed(Exception):  # noqa: N818 - says what came of it
    """The API gave no answer that can be used. Says why, and never quotes what it sent."""


class ApiAway(ApiFailed):
    """Not now: it could not be reached, or was busy, each time it was tried."""


class ApiSaysLater(ApiAway):
    """It says when to come back; it is not to be asked before."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it says to come back in {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Seen:
    """What an answer said of its own version, to be shown when the same is asked for again."""

    etag: str | None = None
    last_modified: str | None = None


NEVER_SEEN = Seen()


class Answer(BaseModel):
    """The companies that were asked for, as the API has them."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    companies: Annotated[tuple[Any, ...], Field(max_length=PAGE_COMPANIES)]
    total_results: Annotated[int | None, Field(ge=0, le=10_000_000)] = None
    seen: Seen = Seen()
    unchanged: bool = False


UNCHANGED = Answer(companies=(), unchanged=True)


class YtjApi:
    """The open API, for one process: every request of it goes through here."""

    def __init__(self, asking: Asking, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._asking = asking
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._next_at = 0.0
        self._client = httpx2.AsyncClient(
            timeout=asking.seconds,
            headers={"User-Agent": "Tyrsky (open source; outreach of vocational colleges)", "Accept-Encoding": "gzip"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def page(self, number: int, *, location: str | None = None) -> Answer:
        """The ``number``-th page, from 1, of all companies, or of those whose place has a name.

        :raises ApiFailed: when there is no such answer.
        """
        return await self._ask({"page": str(number), **({"location": location} if location else {})}, NEVER_SEEN)

    async def company(self, business_id: str, seen: Seen = NEVER_SEEN) -> Answer:
        """The company with a business id, or none; ``unchanged`` when it is as it was ``seen``.

        :raises ApiFailed: when there is no such answer.
        """
        answer = await self._ask({"businessId": business_id}, seen)
        if len(answer.companies) > 1:
            raise ApiFailed("there are several companies with one business id")
        return answer

    async def _ask(self, query: dict[str, str], seen: Seen) -> Answer:
        headers = {"If-None-Match": seen.etag, "If-Modified-Since": seen.last_modified}
        request = self._client.build_request(
            "GET",
            f"{self._asking.address}/companies",
            params=query,
            headers={name: value for name, value in headers.items() if value},
        )
        trying = AsyncRetrying(
            stop=stop_after_attempt(self._asking.attempts),
            retry=retry_if_exception_type(ApiAway),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        return await trying(self._once, request)

    async def _once(self, request: httpx2.Request) -> Answer:
        async with self._turn:  # also while an answer is awaited: a slow API is not asked for more
            await self._sleep(max(0.0, self._next_at - time.monotonic()))
            self._next_at = time.monotonic() + 1 / self._asking.per_second
            try:
                async with asyncio.timeout(self._asking.seconds):
                    return await self._answer(request)
            except (httpx2.TransportError, TimeoutError) as error:
                raise ApiAway(f"no whole answer came ({type(error).__name__})") from error

    async def _answer(self, request: httpx2.Request) -> Answer:
        answer = await self._client.send(request, stream=True)
        try:
            if answer.status_code == NOT_MODIFIED:
                return UNCHANGED
            if answer.status_code in TRY_AGAIN:
                seconds = _retry_after(answer.headers.get("Retry-After"))
                raise ApiAway(f"it answered {answer.status_code}") if seconds is None else ApiSaysLater(seconds)
            if answer.status_code != OK:
                raise ApiFailed(f"it answered {answer.status_code}")
            found = Answer.model_validate_json(await _body(answer))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            if first["type"] == "json_invalid":  # a proxy's page, or half an answer
                raise ApiAway("its answer is no JSON") from None
            raise ApiFailed(f"its answer is of another form ({first['type']})") from None
        finally:
            await answer.aclose()
        seen = Seen(_short(answer.headers.get("ETag")), _short(answer.headers.get("Last-Modified")))
        return found.model_copy(update={"seen": seen, "unchanged": False})


def _pause(state: RetryCallState) -> float:
    """How long before the next try.

    :raises ApiSaysLater: when the API said to stay away for longer than is waited for.
    """
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, ApiSaysLater):
        if error.seconds > PAUSE_SECONDS_MAX:
            raise error
        return error.seconds + wait_random(0, 1)(state)  # others were told the same
    return wait_random_exponential(multiplier=1, max=PAUSE_SECONDS_MAX)(state)


def _retry_after(said: str | None) -> float | None:
    """Seconds from now; None when it does not say, or nothing that is understood."""
    if said is None:
        return None
    if said.isascii() and said.isdigit() and len(said) < 10:
        return float(said)
    try:
        when = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


async def _body(answer: httpx2.Response) -> bytes:
    """The body, unpacked here and not by the client: a few kilobytes can hold gigabytes.

    :raises ApiFailed: when it is too large, or packed otherwise than was asked for.
    """
    packing = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("identity", "gzip"):
        raise ApiFailed("its answer is packed in a way that was not asked for")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if packing == "gzip" else None
    body = bytearray()
    async for chunk in answer.aiter_raw():
        try:
            body += unpacker.decompress(chunk, ANSWER_BYTES_MAX + 1 - len(body)) if unpacker else chunk
        except zlib.error:
            raise ApiAway("its answer is broken") from None
        if len(body) > ANSWER_BYTES_MAX:
            raise ApiFailed(f"its answer is larger than {ANSWER_BYTES_MAX:,} bytes")
    if unpacker and not unpacker.eof:
        raise ApiAway("its answer is cut")
    return bytes(body)


def _short(header: str | None) -> str | None:
    """What can be sent back as it came."""
    return header if header and len(header) <= 200 and header.isascii() and header.isprintable() else None
