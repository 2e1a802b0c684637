"""Callers of the service, for its tests."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2


class Client:
    """A caller of the service. Each POST is a wish of its own, unless it is given a ``key``."""

    def __init__(self, http: httpx2.AsyncClient, headers: dict[str, str]) -> None:
        self._http = http
        self._headers = headers

    async def get(self, path: str, **asked: Any) -> httpx2.Response:
        return await self._http.get(path, params=asked, headers=self._headers)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx2.Response:
        headers = {**self._headers, "Idempotency-Key": key or uuid4().hex}
        return await self._http.post(path, json=body, headers=headers)

    async def patch(self, path: str, body: Any, *, version: str | None) -> httpx2.Response:
        headers = {**self._headers, **({"If-Match": version} if version else {})}
        return await self._http.patch(path, json=body, headers=headers)

    async def send(self, method: str, path: str, content: bytes, **headers: str) -> httpx2.Response:
        every = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex, "If-Match": "*"}
        return await self._http.request(method, path, content=content, headers={**every, **self._headers, **headers})


Caller = Callable[..., Client]
"""``caller("sasky", "admin")``: somebody of a college with a role."""
