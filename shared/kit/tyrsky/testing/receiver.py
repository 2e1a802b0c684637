"""A receiver of webhooks on this machine, for tests and for trying things out: it checks the signature and keeps calls.

with receiving(secret) as receiver:
    receiver.answers = [503, HANG]  # to the next two calls; then 204
    ...
    assert receiver.types == ["reservation.confirmed"]
"""

import hmac
import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr

from tyrsky.webhooks import signed, signing_key

HANG = 0
"""An answer that does not come while the receiver lives."""

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the one in the standard's documentation
BODY_BYTES_MAX = 1_000_000
AGE_SECONDS_MAX = 300


@dataclass(frozen=True)
class Call:
    """One call of the webhook, whatever it was answered."""

    id: str
    body: bytes
    answer: int
    headers: dict[str, str]
    genuine: bool

    @property
    def content(self) -> dict[str, Any]:
        """What was told."""
        return json.loads(self.body)


class Receiver:
    """What came, and what the next calls are answered."""

    def __init__(self, secret: str) -> None:
        self._key = signing_key(SecretStr(secret))
        self._lock = threading.Lock()
        self.over = threading.Event()
        self.calls: list[Call] = []
        self.answers: list[int] = []
        self.delay_seconds = 0.0
        self.tell: Callable[[Call], None] = lambda _: None
        self.url = ""

    @property
    def taken(self) -> list[Call]:
        """The calls that were answered with success; one that came before among them."""
        return [call for call in self.calls if 200 <= call.answer < 300]

    def take(self, headers: dict[str, str], body: bytes) -> Call:
        """Keep a call, and say what it is to be answered."""
        with self._lock:
            genuine = self._is_genuine(headers, body)
            answer = 401 if not genuine else self.answers.pop(0) if self.answers else 204
            call = Call(headers.get("webhook-id", ""), body, answer, headers, genuine)
            self.calls.append(call)
            self.tell(call)
            return call

    def _is_genuine(self, headers: dict[str, str], body: bytes) -> bool:
        told = headers.get("webhook-timestamp", "")
        if not told.isdecimal() or abs(int(told) - time.time()) > AGE_SECONDS_MAX:
            return False
        expected = signed(self._key, headers.get("webhook-id", ""), datetime.fromtimestamp(int(told), UTC), body)
        return hmac.compare_digest(expected["webhook-signature"], headers.get("webhook-signature", ""))


@contextmanager
def receiving(secret: str = SECRET, *, port: int = 0) -> Generator[Receiver]:
    """A receiver on a port of this machine, any free one by default."""
    receiver = Receiver(secret)
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(receiver))
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/webhook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length", "0")), BODY_BYTES_MAX)
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = receiver.take(headers, self.rfile.read(length))
            if call.answer == HANG:
                receiver.over.wait()
                self.close_connection = True
                return
            time.sleep(receiver.delay_seconds)
            self.send_response(call.answer)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a body may name people."""

    return Handler
