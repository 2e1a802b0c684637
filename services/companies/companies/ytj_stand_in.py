"""An open API of the business register on loopback, for tests and for trying things out.

It serves pages, with ETags, and whatever else it is told to answer."""

import gzip
import json
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

PAGE = 100


@dataclass(frozen=True)
class Scripted:
    """One answer in place of the right one. ``cut`` closes the connection after so many bytes of the body; ``seconds``
    is how long it waits before each kilobyte of it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    cut: int | None = None
    seconds: float = 0


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    query: dict[str, str]
    headers: dict[str, str]
    at: float


class YtjStandIn:
    """Serves ``records``; the next answers are those of ``script``, as long as there are some."""

    def __init__(self, records: Iterable[dict[str, Any]] = ()) -> None:
        self.records = list(records)
        self.script: deque[Scripted] = deque()
        self.asked: list[Asked] = []
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": self}))
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """Where it is, as ``REGISTER_API`` has it."""
        return f"http://127.0.0.1:{self._server.server_port}/v3"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, query: dict[str, str]) -> bytes:
        """What the API would answer."""
        found = [each for each in self.records if _fits(each, query)]
        page = int(query.get("page", "1"))
        return body(found[(page - 1) * PAGE : page * PAGE], len(found))


def body(records: Sequence[Any], total: int | None = None) -> bytes:
    """An answer's body."""
    return json.dumps({"totalResults": len(records) if total is None else total, "companies": records}).encode()


def _fits(record: dict[str, Any], query: dict[str, str]) -> bool:
    if query.get("businessId", record["businessId"]["value"]) != record["businessId"]["value"]:
        return False
    cities = {office["city"].casefold() for each in record.get("addresses", ()) for office in each["postOffices"]}
    return "location" not in query or query["location"].casefold() in cities


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked has gone: that is what some tests are about."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[YtjStandIn]

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.api.asked.append(
            Asked(query, {name.lower(): each for name, each in self.headers.items()}, time.monotonic())
        )
        answer = self.api.script.popleft() if self.api.script else self._right(parts.path, query)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self._write(answer)

    def _right(self, path: str, query: dict[str, str]) -> Scripted:
        if path != "/v3/companies":
            return Scripted(404)
        told = self.api.answer(query)
        etag = f'"{sha256(told).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            return Scripted(304, headers={"ETag": etag})
        packed = "gzip" in self.headers.get("Accept-Encoding", "")
        headers = {"ETag": etag, "Content-Type": "application/json"}
        return Scripted(
            body=gzip.compress(told) if packed else told,
            headers={**headers, **({"Content-Encoding": "gzip"} if packed else {})},
        )

    def _write(self, answer: Scripted) -> None:
        whole = answer.body if answer.cut is None else answer.body[: answer.cut]
        try:
            step = 1_000 if answer.seconds else len(whole) or 1
            for start in range(0, len(whole), step):
                time.sleep(answer.seconds)
                self.wfile.write(whole[start : start + step])
                self.wfile.flush()
        except OSError:  # who asked has gone
            self.close_connection = True
        if answer.cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: who wants to know looks at ``asked``."""
