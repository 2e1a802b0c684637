"""The identity provider's public keys (JWKS): fetched once, kept, and fetched again when they grow old or one lacks.

Known keys go on serving when the provider is gone, or answers without any. An unknown key makes us look again, but
never more often than the setting allows, so that a stream of junk tokens cannot make us hammer the provider.
"""

import asyncio
import json
import logging
import ssl
import time
from functools import cache
from typing import Any

import httpx2
import jwt

from tyrsky.aggregate import Rejected
from tyrsky.settings import Settings

log = logging.getLogger(__name__)

FETCH_SECONDS = 3
ANSWER_BYTES_MAX = 256_000
KEYS_MAX = 50


class Keys:
    """The keys of one issuer, by their id."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = -float("inf")
        self._tried_at = -float("inf")
        self._reached = False
        self._lock = asyncio.Lock()
        self._refresh: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> jwt.PyJWK | None:
        """The key with this id; None when the issuer has none such.

        :raises Rejected: ``identity-unavailable`` when the key is unknown and the issuer does not answer.
        """
        if key := self.at_hand(kid):
            return key
        tried_before = self._tried_at
        async with self._lock:  # those who waited for another's fetch use what it brought
            if kid not in self._keys and self._tried_at == tried_before:
                await self._fetch()
        if kid not in self._keys and not self._reached:
            raise Rejected("identity-unavailable")
        return self._keys.get(kid)

    def at_hand(self, kid: str) -> jwt.PyJWK | None:
        """The key with this id, when it is known already: nobody is asked, or only beside the requests."""
        if kid in self._keys:
            self._refresh_when_old()
        return self._keys.get(kid)

    async def check(self) -> None:
        """For readiness: there are keys to verify tokens with.

        :raises Rejected: when there are none.
        """
        if not self._keys:
            async with self._lock:
                await self._fetch()
        if not self._keys:
            raise Rejected("identity-unavailable")

    async def close(self) -> None:
        """Stop a fetch that is under way beside the requests."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.gather(self._refresh, return_exceptions=True)

    def _refresh_when_old(self) -> None:
        old = time.monotonic() - self._fetched_at > self._settings.oidc_keys_seconds
        if old and (self._refresh is None or self._refresh.done()):
            self._refresh = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        """Get the keys, unless it was tried just now. When it fails, the known ones stay."""
        if time.monotonic() - self._tried_at < self._settings.oidc_refetch_seconds:
            return
        try:
            async with asyncio.timeout(FETCH_SECONDS), _client() as client:
                document = await _get_json(client, await self._address(client))
            self._keys = _usable(document, self._settings.oidc_algorithms)  # a key that is not among them is withdrawn
            self._fetched_at = time.monotonic()
            self._reached = True
        except (httpx2.HTTPError, TimeoutError, ValueError, KeyError, TypeError) as error:
            self._reached = False
            log.warning(
                "the keys of %s could not be fetched (%s); %d known ones stay",
                self._settings.oidc_issuer,
                type(error).__name__,
                len(self._keys),
            )
        finally:
            self._tried_at = time.monotonic()

    async def _address(self, client: httpx2.AsyncClient) -> str:
        if self._settings.oidc_jwks_uri is not None:
            return self._settings.oidc_jwks_uri
        issuer = self._settings.oidc_issuer
        found = await _get_json(client, f"{issuer}/.well-known/openid-configuration")
        if found["issuer"] != issuer:
            raise ValueError("the discovery document is another issuer's")
        return str(found["jwks_uri"])


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=FETCH_SECONDS, verify=_trusted())


@cache
def _trusted() -> ssl.SSLContext:
    """The system's certificates: reading them takes long enough to hold up requests, so it is done once."""
    return ssl.create_default_context()


async def _get_json(client: httpx2.AsyncClient, address: str) -> dict[str, Any]:
    async with client.stream("GET", address) as answer:
        answer.raise_for_status()
        body = b""
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise ValueError("the answer is too large")
    return json.loads(body)


def _usable(document: dict[str, Any], algorithms: frozenset[Any]) -> dict[str, jwt.PyJWK]:
    """The signing keys among those published; one that cannot be read spoils none of the others.

    :raises ValueError: when there is none at all.
    """
    usable: dict[str, jwt.PyJWK] = {}
    for published in document["keys"][:KEYS_MAX]:
        try:
            key = jwt.PyJWK(published)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            continue
        if published.get("use", "sig") == "sig" and key.key_id and key.algorithm_name in algorithms:
            usable[str(key.key_id)] = key
    if not usable:  # a provider that is being set up, or was set up wrongly: nobody withdraws all keys and makes none
        raise ValueError("there is no usable key")
    return usable
