"""How aiokafka's clients ask a broker over a network that breaks."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiokafka.errors import KafkaConnectionError

from tests.simulation.network import Transport

RETRY_SECONDS = 0.1


class Asking:
    """One client's requests."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def once(self, what: str, work: Callable[[], Any]) -> Any:
        """Ask.

        :raises KafkaConnectionError: when no answer came; it may be done all the same.
        """
        return (await self._transport.call(f"kafka.{what}", [work], broke))[0]

    async def until_answered(self, what: str, work: Callable[[], Any]) -> Any:
        """Ask again and again, as aiokafka does where it is no matter to be answered twice."""
        while True:
            with suppress(KafkaConnectionError):
                return await self.once(what, work)
            await asyncio.sleep(RETRY_SECONDS)


def broke() -> Exception:
    """The connection."""
    return KafkaConnectionError("the connection broke")
