"""Who calls: an access token of the network's identity provider, verified here, in every service.

    Outreach = Annotated[Caller, Depends(role("outreach", "coordinator"))]

The token's ``college`` claim says for whom the caller acts; its ``roles`` say what they may do. A token is trusted by
its signature, issuer, audience and times. Which client asked for it (``azp``) is left to the identity provider: it puts
the audience only into the tokens of clients that may call.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import jwt
from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from opentelemetry import trace
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tyrsky_contracts.event import CollegeCode

from tyrsky.aggregate import Rejected
from tyrsky.keys import Keys
from tyrsky.settings import Settings

Role = Literal["outreach", "coordinator", "admin", "operator", "municipal-partner"]
ROLES: frozenset[str] = frozenset(get_args(Role))

TOKEN_BYTES_MAX = 8_192
LEEWAY_SECONDS = 10  # clocks of two machines differ by seconds, not by minutes

VERIFIED_MAX = 4_096
"""Tokens that are remembered as verified, by their digests; the one that was shown longest ago is forgotten first."""

FAILURES_SHARE = 1 / 5
"""Of the time, that wrong signatures may take at the door: each is little work, and anybody can send it."""

_bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    scheme_name="token",
    description="An access token of the network's identity provider; `tyrsky token` fetches one for a demo user.",
)


class Caller(BaseModel):
    """Who calls, and for which college."""

    model_config = ConfigDict(frozen=True)

    subject: str
    college: str
    roles: frozenset[str]
    name: str | None = None


class Head(BaseModel):
    """What a token says of its own making; anybody may have written it."""

    alg: str
    kid: str
    typ: str = "JWT"


class Claims(BaseModel):
    """What is read of a token. Roles that are not ours are the identity provider's own business."""

    sub: Annotated[str, Field(min_length=1, max_length=255)]
    college: CollegeCode | None = None
    roles: Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)] = []
    name: Annotated[str | None, Field(max_length=255)] = None
    exp: float


@dataclass(frozen=True)
class Verified:
    """Whose a token is, by which key, until when."""

    caller: Caller
    kid: str
    key: jwt.PyJWK
    expires: float


class Verifier:
    """Tells whose a token is, or refuses it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.keys = Keys(settings)
        self._verified: dict[bytes, Verified] = {}  # in the order in which they were last shown
        self._failures = Allowance(FAILURES_SHARE)

    async def caller(self, token: str) -> Caller:
        """The caller that the token names. A token is sent many times: while its key is the issuer's, its signature is
        verified once.

        :raises Rejected: ``token-invalid``, ``token-expired``, ``college-missing``, ``college-not-served``, or
            ``identity-unavailable`` when the keys cannot be had.
        """
        if len(token) > TOKEN_BYTES_MAX:
            raise Rejected("token-invalid")
        digest = hashlib.sha256(token.encode()).digest()
        if known := self._known(digest):
            return known
        head = self._head(token)
        return self._verify(token, digest, self._agreed(head, await self.keys.find(head.kid)))

    def recognised(self, token: str) -> Caller | None:
        """The caller that the token names, told at once with what is known here, for who must tell callers apart before
        any of them is let in; None when the token is no good, or cannot be told so quickly."""
        if len(token) > TOKEN_BYTES_MAX:
            return None
        digest = hashlib.sha256(token.encode()).digest()
        met = digest in self._verified  # with the keys of before, when these are new
        if known := self._known(digest):
            return known
        if not met and not self._failures.left():
            return None
        try:
            head = self._head(token)
            key = self._agreed(head, self.keys.at_hand(head.kid))
        except Rejected:  # which cost nearly nothing
            return None
        began = time.perf_counter()
        try:
            return self._verify(token, digest, key)
        except Rejected:
            self._failures.spend(time.perf_counter() - began)
            return None

    def _known(self, digest: bytes) -> Caller | None:
        """Whose the token is that was verified before, if it still is good."""
        known = self._verified.pop(digest, None)
        if known is None or known.expires <= time.time() - LEEWAY_SECONDS:
            return None
        if known.key is not self.keys.at_hand(known.kid):
            return None
        self._verified[digest] = known
        return known.caller

    def _verify(self, token: str, digest: bytes, key: jwt.PyJWK) -> Caller:
        claims = self._claims(token, key)
        if claims.college is None:
            raise Rejected("college-missing")
        if claims.college not in self._settings.colleges:
            raise Rejected("college-not-served", college=claims.college)
        caller = Caller(
            subject=claims.sub, college=claims.college, roles=frozenset(claims.roles) & ROLES, name=claims.name
        )
        self._verified.pop(digest, None)  # two requests with the same new token
        while len(self._verified) >= VERIFIED_MAX:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = Verified(caller, str(key.key_id), key, claims.exp)
        return caller

    def _claims(self, token: str, key: jwt.PyJWK) -> Claims:
        try:
            payload = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._settings.oidc_audience,
                issuer=self._settings.oidc_issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub"], "enforce_minimum_key_length": True},
            )
            if payload.get("typ", "Bearer") != "Bearer":  # Keycloak marks its identity and refresh tokens here
                raise Rejected("token-invalid")
            return Claims.model_validate(payload)
        except jwt.ExpiredSignatureError:
            raise Rejected("token-expired") from None
        except (jwt.PyJWTError, ValidationError, ValueError, RecursionError):
            raise Rejected("token-invalid") from None

    def _head(self, token: str) -> Head:
        try:
            head = Head.model_validate(jwt.get_unverified_header(token))
        except (jwt.PyJWTError, ValidationError, ValueError, RecursionError):
            raise Rejected("token-invalid") from None
        if head.typ.lower() not in {"jwt", "at+jwt"} or head.alg not in self._settings.oidc_algorithms:
            raise Rejected("token-invalid")
        return head

    def _agreed(self, head: Head, key: jwt.PyJWK | None) -> jwt.PyJWK:
        """The issuer's key that the token names. The algorithm is the key's own: what the token says of it must agree,
        so that nobody picks a weaker one, or makes a shared secret of a public key."""
        if key is None or key.algorithm_name != head.alg:
            raise Rejected("token-invalid")
        return key


class Allowance:
    """A share of the time, of which a second's can be saved up."""

    def __init__(self, share: float) -> None:
        self._share = self._left = share
        self._at = time.monotonic()

    def left(self) -> bool:
        """Whether there is any."""
        now = time.monotonic()
        self._left = min(self._share, self._left + (now - self._at) * self._share)
        self._at = now
        return self._left > 0

    def spend(self, seconds: float) -> None:
        """It took so long."""
        self._left -= seconds


def install(app: FastAPI, verifier: Verifier) -> None:
    """Let the app's routes ask for their :data:`caller`."""
    app.state.verifier = verifier


async def caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Dependency: who calls. Without a valid token the request is refused."""
    if credentials is None:
        raise Rejected("token-missing")
    verifier: Verifier = request.app.state.verifier
    found = await verifier.caller(credentials.credentials)
    trace.get_current_span().set_attribute("tyrsky.college", found.college)
    return found


def role(*names: Role) -> Callable[..., Awaitable[Caller]]:
    """Dependency: who calls, when they have at least one of the roles; else ``role-missing``."""

    async def with_role(found: Annotated[Caller, Depends(caller)]) -> Caller:
        if found.roles.isdisjoint(names):
            raise Rejected("role-missing", needed=sorted(names))
        return found

    return with_role
