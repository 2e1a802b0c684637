"""``tyrsky webhooks receive``: calls are taken, checked and told."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx2
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner
from tyrsky import webhooks_cli
from tyrsky.testing.receiver import SECRET
from tyrsky.webhooks import signed, signing_key

BODY = b'{"type":"seat.reserved"}'


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def call(port: int, headers: dict[str, str]) -> int:
    until = time.monotonic() + 20
    while True:
        try:
            return httpx2.post(f"http://127.0.0.1:{port}/webhook", content=BODY, headers=headers).status_code
        except httpx2.ConnectError:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_call_is_told_with_its_id_and_whether_it_is_genuine():
    port = free_port()
    right = signed(signing_key(SecretStr(SECRET)), "one", datetime.now(UTC), BODY)
    with ThreadPoolExecutor() as pool:
        told = pool.submit(CliRunner().invoke, webhooks_cli.app, ["receive", "--port", str(port), "--calls", "2"])
        assert call(port, right) == 204
        assert call(port, right | {"webhook-id": "two"}) == 401
        assert told.result(20).output.splitlines() == [
            f"signature right one {BODY.decode()}",
            f"SIGNATURE WRONG two {BODY.decode()}",
        ]


def test_a_port_that_is_taken_is_named(taken: int):
    told = CliRunner().invoke(webhooks_cli.app, ["receive", "--port", str(taken)])
    assert (told.exit_code, told.output) == (1, f"cannot listen on port {taken}: Address already in use\n")


def test_a_secret_that_is_none_is_said():
    told = CliRunner().invoke(webhooks_cli.app, ["receive", "--secret", "whsec_!"])
    assert (told.exit_code, told.output) == (1, "the secret is not of the form whsec_<base64>\n")
