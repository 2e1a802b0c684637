"""``tyrsky token`` against a small identity provider; the e2e tests use Keycloak."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from typer.testing import CliRunner
from tyrsky import token_cli
from tyrsky.cli import app


class Realm:
    """Gives a token for one password, or for a device once somebody has logged in."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.pending = 2
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_port}/realms/tyrsky"

    def answer(self, path: str, wish: dict[str, str]) -> tuple[int, dict[str, Any]]:
        match path.rpartition("/")[2], wish.get("grant_type"):
            case "openid-configuration", _:
                return 200, {
                    "token_endpoint": f"{self.issuer}/token",
                    "device_authorization_endpoint": f"{self.issuer}/device",
                }
            case "device", _:
                page = f"{self.issuer}/open?code=AB-CD"
                return 200, {"device_code": "d1", "verification_uri": page, "interval": 0, "expires_in": 5}
            case _, "password" if wish["password"] == "good":
                return 200, {"access_token": "token-by-password"}
            case _, "password":
                return 401, {"error": "invalid_grant"}
            case _ if self.pending:
                self.pending -= 1
                return 400, {"error": "authorization_pending"}
            case _:
                return 200, {"access_token": "token-by-device"}

    def handler(self) -> type[BaseHTTPRequestHandler]:
        realm = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                wish = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
                realm.asked.append(wish)
                status, answer = realm.answer(self.path, wish)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the library looks for this name

            def log_message(self, format: str, *args: object) -> None:
                """A test's output is not the place."""

        return Handler


@pytest.fixture
def realm() -> Iterator[Realm]:
    found = Realm()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()


def run(realm: Realm, *words: str) -> Any:
    return CliRunner().invoke(app, ["token", "--issuer", realm.issuer, *words])


def test_by_password(realm: Realm):
    result = run(realm, "--user", "outi", "--password", "good")
    assert (result.exit_code, result.stdout) == (0, "token-by-password\n")
    assert realm.asked[-1]["client_id"] == token_cli.CLIENT


def test_a_wrong_password_is_told_in_plain_words(realm: Realm):
    result = run(realm, "--user", "outi", "--password", "bad")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"no token from {realm.issuer}: wrong user or password\n"


def test_by_a_page_to_open(realm: Realm):
    result = run(realm)
    assert (result.exit_code, result.stdout) == (0, "token-by-device\n")
    assert f"Open {realm.issuer}/open?code=AB-CD and log in: this waits for 5 s." in result.stderr


def test_nobody_is_there(realm: Realm):
    result = CliRunner().invoke(app, ["token", "--user", "outi", "--password", "x", "--issuer", "http://127.0.0.1:9"])
    assert result.exit_code == 1
    assert "nobody answers at http://127.0.0.1:9; --issuer or OIDC_ISSUER" in result.stderr
