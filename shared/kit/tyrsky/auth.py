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
"""Tokens that are remembered as verified, by their digests; the one that came first is forgotten first."""

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
        self._verified: dict[bytes, Verified] = {}

    async def caller(self, token: str) -> Caller:
        """The caller that the token names. A token is sent many times: while its key is the issuer's, its signature is
        verified once.

        :raises Rejected: ``token-invalid``, ``token-expired``, ``college-missing``, ``college-not-served``, or
            ``identity-unavailable`` when the keys cannot be had.
        """
        if len(token) > TOKEN_BYTES_MAX:
            raise Rejected("token-invalid")
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known and known.expires > time.time() - LEEWAY_SECONDS and known.key is await self.keys.find(known.kid):
            return known.caller
        found = await self._verify(token)
        while len(self._verified) >= VERIFIED_MAX:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = found
        return found.caller

    async def _verify(self, token: str) -> Verified:
        claims, key = await self._claims(token)
        if claims.college is None:
            raise Rejected("college-missing")
        if claims.college not in self._settings.colleges:
            raise Rejected("college-not-served", college=claims.college)
        caller = Caller(
            subject=claims.sub, college=claims.college, roles=frozenset(claims.roles) & ROLES, name=claims.name
        )
        return Verified(caller, str(key.key_id), key, claims.exp)

    async def _claims(self, token: str) -> tuple[Claims, jwt.PyJWK]:
        try:
            key = await self._key(Head.model_validate(jwt.get_unverified_header(token)))
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
            return Claims.model_validate(payload), key
        except jwt.ExpiredSignatureError:
            raise Rejected("token-expired") from None
        except (jwt.PyJWTError, ValidationError, ValueError, RecursionError):
            raise Rejected("token-invalid") from None

    async def _key(self, head: Head) -> jwt.PyJWK:
        """The issuer's key that the token names. The algorithm is the key's own: what the token says of it must agree,
        so that nobody picks a weaker one, or makes a shared secret of a public key."""
        if head.typ.lower() not in {"jwt", "at+jwt"} or head.alg not in self._settings.oidc_algorithms:
            raise Rejected("token-invalid")
        key = await self.keys.find(head.kid)
        if key is None or key.algorithm_name != head.alg:
            raise Rejected("token-invalid")
        return key


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
