"""``tyrsky serve`` as it is run: a process, its limits at the socket, its log, its end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner
from tyrsky.cli import app, commands
from tyrsky.heads import HEAD_BYTES_MAX

SERVICE = """
import asyncio
from tyrsky import access, health, limits, problems, settings
from fastapi import FastAPI

found = settings.Settings()
app = FastAPI()
health.install(app, health.Health())
limits.install(app, found)
access.install(app)
problems.install(app)

begun = []

@app.get("/slow/{name}")
async def slow(name: str) -> str:
    begun.append(name)
    await asyncio.sleep(0.3)
    begun.remove(name)
    return "done"

@app.get("/begun")
async def who() -> list[str]:
    return begun
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(folder: Path, **changes: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder),
        "COLLEGES": '["vaao"]',
        "OIDC_ISSUER": "http://127.0.0.1:9/realms/tyrsky",
        "HEADER_BYTES_MAX": "4096",
        **changes,
    }


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from tyrsky.cli import app; app()", *words]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("services")
    (folder / "tryout").mkdir()
    (folder / "tryout/__init__.py").touch()
    (folder / "tryout/main.py").write_text(SERVICE)
    return folder


@pytest.fixture(scope="module")
def served(package: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    process = subprocess.Popen(
        command("serve", "tryout"), env=environment(package, HTTP_PORT=str(port)), stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/livez")
            break
        except httpx2.HTTPError:
            time.sleep(0.1)
    yield process, port
    process.kill()
    process.wait()


def raw(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(sent)
        return rest_of(connection)


def rest_of(connection: socket.socket) -> bytes:
    answer = b""
    while chunk := connection.recv(65_536):
        answer += chunk
    return answer


def test_it_answers_and_does_not_say_what_it_is_made_of(served: tuple[subprocess.Popen[str], int]):
    answer = httpx2.get(f"http://127.0.0.1:{served[1]}/slow/x")
    assert answer.json() == "done"
    assert "server" not in answer.headers


@pytest.mark.parametrize("size", [5_000, 100_000])
def test_headers_beyond_the_limit_are_a_problem(served: tuple[subprocess.Popen[str], int], size: int):
    answer = httpx2.get(f"http://127.0.0.1:{served[1]}/slow/x", headers={"X-Long": "x" * size})
    assert (answer.status_code, answer.json()["code"]) == (431, "headers-too-large")


def test_headers_without_an_end_are_cut_off(served: tuple[subprocess.Popen[str], int]):
    # One byte over, so that nothing is left unread: for that the connection would be reset, and the answer lost.
    answer = raw(served[1], b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ".ljust(HEAD_BYTES_MAX + 1, b"x"))
    assert answer.startswith(b"HTTP/1.1 400")


def test_trailers_without_an_end_are_cut_off(served: tuple[subprocess.Popen[str], int]):
    head = b"POST /begun HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    with socket.create_connection(("127.0.0.1", served[1]), timeout=5) as connection:
        connection.sendall(head)
        time.sleep(0.1)  # so that what follows comes by itself
        connection.sendall(b"X-Long: ".ljust(HEAD_BYTES_MAX + 1, b"x"))
        assert rest_of(connection).startswith(b"HTTP/1.1 400")


def test_requests_one_behind_the_other_are_answered_in_turn(served: tuple[subprocess.Popen[str], int]):
    one = b"GET /slow/a HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = raw(served[1], one * 2 + one.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    assert answer.count(b'"done"') == 3


def test_a_body_that_is_too_large_ends_the_connection(served: tuple[subprocess.Popen[str], int]):
    head = b"POST /slow/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n"
    answer = raw(served[1], head + b"x" * 1_000)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"body-too-large" in answer


def test_a_stop_finishes_what_is_under_way_and_the_log_is_json(served: tuple[subprocess.Popen[str], int]):
    process, port = served
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /slow/maija HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while httpx2.get(f"http://127.0.0.1:{port}/begun").json() != ["maija"]:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert rest_of(connection).endswith(b'"done"')
    out, _ = process.communicate(timeout=10)
    lines = [json.loads(line) for line in out.splitlines()]
    assert "GET /slow/{name} 200" in [line["message"] for line in lines]
    assert "maija" not in out
    assert {line["service"] for line in lines} == {"tryout"}


def test_wrong_settings_are_one_sentence_each(package: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(package))
    run = CliRunner().invoke(app, ["serve", "tryout"], env=environment(package, HTTP_PORT="x"))
    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr.startswith("tryout: the settings are wrong:\n  HTTP_PORT: Input should be a valid integer")


def test_a_service_that_there_is_not(package: Path):
    run = CliRunner().invoke(app, ["serve", "nothing"], env=environment(package))
    assert run.exit_code == 2
    assert "there is no service in a package nothing" in run.stderr


@pytest.mark.parametrize("command", ["settings", "problems"])
def test_a_page_of_a_service_that_there_is_not(command: str):
    run = CliRunner().invoke(commands(command), [command, "nothing"])
    assert run.exit_code == 2
    assert "there is no service in a package nothing" in run.stderr


def test_read_models_of_a_service_that_is_not_set_up(package: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(package)
    run = CliRunner().invoke(commands("project"), ["project", "hash", "tryout", "x"], env={"HTTP_PORT": "x"})
    assert run.exit_code == 2
    assert "HTTP_PORT: Input should be a valid integer" in run.stdout
