"""An identity provider for tests: it signs tokens with keys of its own and serves those keys on loopback.

with Authority() as authority:
    settings = Settings(oidc_issuer=authority.issuer, colleges=["vaao"])
    headers = {"Authorization": f"Bearer {authority.token(college='vaao', roles=['outreach'])}"}
"""

import json
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tyrsky.auth import Role

AUDIENCE = "tyrsky"


class Key:
    """A signing key. Elliptic, for such are made in no time; RSA where a test is about RSA."""

    def __init__(self, algorithm: str = "ES256") -> None:
        self.kid = uuid4().hex
        self.algorithm = algorithm
        if algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
            published = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            published = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.published = {**published, "kid": self.kid, "alg": algorithm, "use": "sig"}


class Authority:
    """Issuer of tokens, with its discovery document and its keys. ``asked`` counts how often the keys were fetched;
    ``published``, when set, is what they are told to be."""

    def __init__(self, *keys: Key) -> None:
        self.keys = list(keys) or [Key()]
        self.published: list[Any] | None = None
        self.asked = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/realms/tyrsky"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Be gone: connections are refused from now on."""
        self._server.shutdown()
        self._server.server_close()

    def rotate(self, algorithm: str = "ES256") -> Key:
        """Sign with a new key from now on, and publish no other."""
        self.keys = [Key(algorithm)]
        return self.keys[0]

    def claims(
        self, college: str | None = "vaao", roles: Sequence[Role] = ("outreach",), **others: Any
    ) -> dict[str, Any]:
        """What a good token says, and ``others``; a claim that is None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "b7d1f0f2-6f0e-4c64-9f6e-1f4c5a4a0001",
            "iat": now,
            "exp": now + 300,
            "typ": "Bearer",
            "college": college,
            "roles": list(roles),
            **others,
        }
        return {name: claim for name, claim in claims.items() if claim is not None}

    def token(self, college: str | None = "vaao", roles: Sequence[Role] = ("outreach",), **others: Any) -> str:
        """A token of a caller; ``others`` are claims that are otherwise than in a good one."""
        return self.signed(self.claims(college, roles, **others))

    def signed(self, claims: dict[str, Any], *, key: Key | None = None, headers: dict[str, Any] | None = None) -> str:
        """A token with just these claims."""
        key = key or self.keys[0]
        return jwt.encode(claims, key.private, key.algorithm, headers={"kid": key.kid, **(headers or {})})

    def headers(
        self, college: str | None = "vaao", roles: Sequence[Role] = ("outreach",), **others: Any
    ) -> dict[str, str]:
        """The Authorization header of a caller."""
        return {"Authorization": f"Bearer {self.token(college, roles, **others)}"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith("/.well-known/openid-configuration"):
                    answer: dict[str, Any] = {"issuer": authority.issuer, "jwks_uri": f"{authority.issuer}/keys"}
                else:
                    authority.asked += 1
                    published = authority.published
                    answer = {"keys": [key.published for key in authority.keys] if published is None else published}
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """A test's output is not the place."""

        return Handler
