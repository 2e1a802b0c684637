"""The gateway alone, on ports of its own: what it says when a service is not there, and what its page shows."""

import re
import subprocess
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from deploy.local import caddy, services
from deploy.local.part import Part
from deploy.local.progress import Failed
from deploy.local.stack import ROOT, Stack
from tests.tools import free_port

SITE = caddy.FOLDER / "site"
START_SECONDS = 20
LIMIT = int(caddy.BODY_BYTES_MAX)


class Service(BaseHTTPRequestHandler):
    """Tells what it was asked."""

    def do_GET(self) -> None:
        self._tell(f"{self.path} {self.headers.get('traceparent', 'no trace')}", 404 if "nobodys" in self.path else 200)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length) if length else -1)  # of unknown length: until the gateway breaks off
        self._tell(f"{len(body)} bytes")

    def _tell(self, text: str, status: int = 200) -> None:
        told = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None:
        """Not among the tests' output."""


OWN = ROOT / "docs" / "examples" / "seats"


@pytest.fixture
def gateway(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx2.Client]:
    """Caddy with the project's rules, and those of a college's own service, which is the same process; ``companies``
    answers, ``notifications`` is down."""
    monkeypatch.setenv("GATEWAY_OWN", str(OWN))
    with running(stack, caddy.part(stack)) as http:
        yield http


@contextmanager
def running(stack: Stack, part: Part) -> Generator[httpx2.Client]:
    """The gateway as a part says, and a service that answers as ``companies``."""
    service = ThreadingHTTPServer(("127.0.0.1", stack.ports["companies"]), Service)
    threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True).start()
    process = subprocess.Popen(
        part.command, env={**part.env, "SEATS": stack.address("companies")}, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + START_SECONDS
    while part.ready() and time.monotonic() < until:
        time.sleep(0.05)
    with httpx2.Client(base_url=stack.url("gateway"), timeout=30) as http:
        yield http
    process.terminate()
    process.wait()
    service.shutdown()
    service.server_close()


@pytest.mark.stack
def test_a_service_that_is_down_is_a_problem_in_the_readers_language(gateway: httpx2.Client):
    answer = gateway.get("/notifications", headers={"Accept-Language": "sv-FI, fi;q=0.5"})
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "service-unavailable"
    assert answer.json()["title"].startswith("Tjänsten svarar inte")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.stack
def test_paths_find_their_service_and_no_other_path_does(gateway: httpx2.Client):
    assert gateway.get("/visits/1").text.startswith("/visits/1 ")
    assert gateway.get("/openapi/companies.json").text.startswith("/openapi.json ")
    assert gateway.get("/health/companies").text.startswith("/readyz ")
    for hidden in ("/metrics", "/livez", "/openapi.json", "/companiesx", "/openapi/other.json"):
        assert gateway.get(hidden).json()["code"] == "not-found", hidden


@pytest.mark.stack
def test_a_service_of_a_colleges_own_has_its_paths_like_any_other(gateway: httpx2.Client):
    assert gateway.get("/rooms/1").text.startswith("/rooms/1 ")
    assert gateway.get("/health/seats").text.startswith("/readyz ")
    assert gateway.get("/openapi/seats.json").text.startswith("/openapi.json ")
    assert gateway.get("/roomsx").json()["code"] == "not-found"


def test_a_folder_without_routes_is_told(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GATEWAY_OWN", str(tmp_path / "mistyped"))
    with pytest.raises(Failed, match=r"GATEWAY_OWN: there is no \*\.caddy in .*mistyped"):
        caddy.part(stack)


@pytest.mark.stack
def test_a_problem_is_explained_by_who_has_it_also_when_another_is_down(stack: Stack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_OWN", str(OWN))
    nobody = f"127.0.0.1:{free_port()}"
    with running(stack, caddy.part(stack, {"NOTIFICATIONS": stack.address("companies"), "COMPANIES": nobody})) as http:
        began = time.monotonic()
        assert [http.get("/problems/busy").status_code for _ in range(5)] == [200] * 5
        assert http.get("/problems/nobodys").status_code == 404
        assert time.monotonic() - began < 5
    with running(stack, caddy.part(stack, {"NOTIFICATIONS": nobody, "COMPANIES": nobody})) as http:
        assert http.get("/problems/room-full").text.startswith("/problems/room-full ")  # seats is up
        assert http.get("/problems/busy").json()["code"] == "service-unavailable"


@pytest.mark.stack
def test_of_several_instances_those_that_are_down_are_passed_over(stack: Stack):
    several = f"127.0.0.1:{free_port()} {stack.address('companies')} 127.0.0.1:{free_port()}"
    with running(stack, caddy.part(stack, {"COMPANIES": several, "UPSTREAM_REST": "30s"})) as http:
        began = time.monotonic()
        assert [http.post("/companies", content=b"1").status_code for _ in range(40)] == [200] * 40
        assert time.monotonic() - began < 10  # each that is down is tried once, and then left alone


@pytest.mark.stack
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/", 405, "method-not-allowed"),
        ("DELETE", "/index.html", 405, "method-not-allowed"),
        ("GET", "/%00", 400, "gateway-refused"),
    ],
)
def test_whatever_the_gateway_refuses_is_a_problem(
    gateway: httpx2.Client, method: str, path: str, status: int, code: str
):
    answer = gateway.request(method, path)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, status, code)


def pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 100_000):
        yield b"1" * 100_000


@pytest.mark.stack
@pytest.mark.parametrize("path", ["/companies", "/openapi/companies.json"])
@pytest.mark.parametrize("size", [LIMIT + 1, 10_000_000])
def test_a_body_that_is_too_large_is_a_problem_every_time(gateway: httpx2.Client, path: str, size: int):
    for _ in range(10):
        answer = gateway.post(path, content=b"1" * size)
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


@pytest.mark.stack
def test_a_body_that_turns_out_to_be_too_large_is_a_problem_every_time(gateway: httpx2.Client):
    for _ in range(10):
        answer = gateway.post("/companies", content=pieces(10 * LIMIT))
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


@pytest.mark.stack
def test_what_is_within_the_limits_of_a_service_reaches_it(gateway: httpx2.Client):
    assert gateway.post("/companies", content=b"1" * LIMIT).text == f"{LIMIT} bytes"
    assert gateway.get("/companies", headers={"X-Long": "x" * 60_000}).text == "/companies no trace"


@pytest.mark.stack
def test_a_trace_passes_through_and_none_is_begun(gateway: httpx2.Client):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert gateway.get("/visits", headers={"traceparent": trace}).text == f"/visits {trace}"
    assert gateway.get("/visits").text == "/visits no trace"


@pytest.mark.stack
def test_the_page_and_all_that_it_loads_come_from_here(gateway: httpx2.Client):
    for page in ("/", "/docs/"):
        shown = gateway.get(page)
        assert "default-src 'self'" in shown.headers["Content-Security-Policy"]
        loaded = re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', shown.text)
        assert loaded
        for asset in loaded:
            assert gateway.get(asset).is_success, asset


def test_the_page_lists_every_service():
    page, start = (SITE / "index.html").read_text(), (SITE / "docs" / "start.js").read_text()
    assert re.findall(r'data-health="(\w+)"', page) == list(services.NAMES)
    assert re.findall(r"/openapi/(\w+)\.json", page) == list(services.NAMES)
    (named,) = re.findall(r"^const services = .*$", start, re.MULTILINE)
    assert re.findall(r'"(\w+)"', named) == list(services.NAMES)


def test_every_service_has_a_place_in_the_rules():
    rules = (caddy.FOLDER / "Caddyfile").read_text()
    assert re.findall(r"^\s*import service (\w+) ", rules, re.MULTILINE) == list(services.NAMES)
