"""Calls to the store that come in the same turn of the event loop, made as one.

Under load many requests get on in each turn. To send each one's load or save by itself costs the service, and the
store, more than what is in it. Nobody waits for company: what comes alone goes alone, at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from opentelemetry import trace

MOST = 50
"""What goes in one call at most."""

A = TypeVar("A")
B = TypeVar("B")


@dataclass
class _Asked(Generic[A, B]):
    what: A
    answer: "asyncio.Future[B]"
    span: trace.Span


class Together(Generic[A, B]):
    """``await together.ask(a)`` is what ``work`` answers to ``a``. ``work`` gets several and answers each in its place,
    with an exception where it failed; what it raises is everybody's.

    A call is in the trace of who asked first; the spans of the others link to that one's.
    """

    def __init__(self, work: Callable[[Sequence[A]], Awaitable[Sequence[B | Exception]]]) -> None:
        self._work = work
        self._group: list[_Asked[A, B]] | None = None
        self._calls: set[asyncio.Task[None]] = set()

    def ask(self, what: A) -> "asyncio.Future[B]":
        """Ask, perhaps with others. It is under way, whether or when somebody awaits the answer."""
        if self._group is None or len(self._group) == MOST:
            self._group = []
            # A task of its own, in the trace of who asked first: they may go away, and the others' answers still come.
            call = asyncio.create_task(self._call(self._group))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
        asked = _Asked[A, B](what, asyncio.get_running_loop().create_future(), trace.get_current_span())
        self._group.append(asked)
        return asked.answer

    async def _call(self, group: list[_Asked[A, B]]) -> None:
        if self._group is group:
            self._group = None
        for other in group[1:]:
            if other.span.is_recording():  # who asked may be gone
                other.span.add_link(group[0].span.get_span_context())
        answers: Sequence[B | Exception]
        try:
            answers = await self._work([each.what for each in group])
        except Exception as error:
            answers = [error] * len(group)
        except BaseException:  # this process ends
            for each in group:
                each.answer.cancel()
            raise
        for each, answer in zip(group, answers, strict=True):
            if each.answer.done():
                continue
            if isinstance(answer, Exception):
                each.answer.set_exception(answer)
                each.answer.exception()  # seen: who asked may have failed already, for another reason
            else:
                each.answer.set_result(answer)
