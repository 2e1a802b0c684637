"""Between a process and a server: a request arrives some time later, or never; and so does its answer.

A request is the network's once it was sent: it may be carried out after its sender died, froze, or gave up.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from tests.simulation.loop import RUNNING_IN, Process

Work = Callable[[], Any]


class Transport(Protocol):
    """How requests get to a server."""

    async def call(self, name: str, works: Sequence[Work], lost: Callable[[], Exception]) -> list[Any]:
        """Have the server do things one after the other (they may add to ``works``), and return what came of them.

        :raises Exception: what ``lost`` makes, when the connection broke; what was done is not known then.
        """
        ...


class Direct:
    """No network: for tests of what the servers do."""

    async def call(self, name: str, works: Sequence[Work], lost: Callable[[], Exception]) -> list[Any]:
        await asyncio.sleep(0)
        return [work() for work in works]  # also those that are added meanwhile


@dataclass
class Weather:
    """How bad the network is; as parts of 1, a request."""

    late: float = 0.0
    """Requests or answers that take milliseconds, and not no time."""
    slow: float = 0.0
    """Those that take seconds."""
    lost: float = 0.0
    """Requests that are lost on their way, or whose answers are."""
    slow_seconds: float = 12.0


class Network:
    """One server's network, in one simulation. ``patience`` is how many seconds a client waits for an answer."""

    def __init__(
        self, random: Random, weather: Weather, *, patience: float, told: Callable[[str], None] | None = None
    ) -> None:
        self._random = random
        self.weather = weather
        self._patience = patience
        self._told = told
        self.ambush: Callable[[str, Process | None], float] | None = None
        """Asked as each request arrives; may do something to its sender, and hold the request up for some seconds."""

    def _delay(self) -> float:
        chance, weather = self._random.random(), self.weather
        if chance < weather.slow:
            return self._random.random() * weather.slow_seconds
        return self._random.random() * 0.02 if chance < weather.slow + weather.late else 0.0

    async def call(  # noqa: C901 - one request's way there and back
        self, name: str, works: Sequence[Work], lost: Callable[[], Exception]
    ) -> list[Any]:
        loop, dice = asyncio.get_running_loop(), self._random
        answer = loop.create_future()
        broken = self.weather.lost > 0 and dice.random() < self.weather.lost
        breaks_after = dice.randrange(4) if broken else None
        context, sender, sent = Context(), RUNNING_IN.get(), loop.time()
        done: list[Any] = []

        def arrive() -> None:
            held = self.ambush(name, sender) if self.ambush else 0.0
            if held:
                loop.call_later(held, serve, context=context)
            else:
                serve()

        def serve() -> None:
            try:
                if len(done) < len(works) and len(done) != breaks_after:
                    done.append(works[len(done)]())
                if len(done) < len(works) and len(done) != breaks_after:
                    loop.call_soon(serve, context=context)  # others come in between
                    return
                outcome: Any = lost() if broken else done
            except Exception as refused:
                outcome = refused
            if self._told:
                after = " (after it was done)" if broken and done else ""
                self._told(f"{sender or 'client'}: {name} -> {outcome!r:.300}{after}")
            self._at(self._delay() + (dice.random() * 3 if broken else 0), reply, outcome, context)

        def reply(outcome: Any) -> None:
            if answer.done():
                return
            if loop.time() - sent > self._patience:
                outcome = lost()
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        self._at(self._delay(), arrive, None, context)
        return await answer

    def _at(self, delay: float, what: Callable[..., None], argument: Any, context: Context) -> None:
        loop = asyncio.get_running_loop()
        arguments = () if argument is None else (argument,)
        if delay:
            loop.call_later(delay, what, *arguments, context=context)
        else:
            loop.call_soon(what, *arguments, context=context)
