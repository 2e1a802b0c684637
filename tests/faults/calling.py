"""HTTP for the load: with aiohttp, which takes a fifth of httpx2's time. The rig's loop also carries all proxies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

ANSWER_SECONDS = 20
CONNECTIONS_MAX = 600

#: What becomes of a question that nobody answers, or not in JSON.
AWAY = (aiohttp.ClientError, TimeoutError, OSError, ValueError)


@dataclass(frozen=True)
class Answer:
    """What was answered, in JSON."""

    status_code: int
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def is_success(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status_code < 300


class Caller:
    """Somebody with a token, in front of the gateway."""

    def __init__(self, base_url: str, token: str) -> None:
        self._session = aiohttp.ClientSession(
            base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
        )

    async def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask once. Raises one of ``AWAY``."""
        async with self._session.request(method, path, json=body, headers=headers) as answer:
            return Answer(answer.status, answer.headers, await answer.json(content_type=None))

    async def close(self) -> None:
        """Let go of all connections."""
        await self._session.close()
