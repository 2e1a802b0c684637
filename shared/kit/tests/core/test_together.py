"""Calls of one turn of the loop go as one, and each is answered for itself."""

import asyncio
import logging
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tyrsky.together import MOST, Together

BROKEN = 1313


class Work:
    """Doubles numbers, and remembers how many were asked for at once."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def __call__(self, asked: Sequence[int]) -> Sequence[int | Exception]:
        self.groups.append(list(asked))
        await self.goes_on.wait()
        if BROKEN in asked:
            raise ConnectionError
        return [ValueError(each) if each < 0 else 2 * each for each in asked]


async def test_who_comes_alone_goes_at_once_and_who_comes_together_goes_as_one() -> None:
    work = Work()
    together = Together(work)
    assert await together.ask(1) == 2
    assert await asyncio.gather(*map(together.ask, range(5))) == [0, 2, 4, 6, 8]
    assert work.groups == [[1], [0, 1, 2, 3, 4]]


async def test_a_call_under_way_holds_up_nobody() -> None:
    work = Work()
    together = Together(work)
    work.goes_on.clear()
    first = together.ask(1)
    await asyncio.sleep(0)
    second = together.ask(2)
    await asyncio.sleep(0)
    assert work.groups == [[1], [2]]
    work.goes_on.set()
    assert (await first, await second) == (2, 4)


async def test_a_group_has_an_end() -> None:
    work = Work()
    together = Together(work)
    assert await asyncio.gather(*map(together.ask, range(2 * MOST + 1))) == [2 * each for each in range(2 * MOST + 1)]
    assert [len(each) for each in work.groups] == [MOST, MOST, 1]


async def test_what_fails_fails_for_itself_and_what_all_fail_by_for_all() -> None:
    together = Together(Work())
    one, another, bad = together.ask(1), together.ask(2), together.ask(-1)
    assert (await one, await another) == (2, 4)
    with pytest.raises(ValueError, match="-1"):
        await bad
    both = await asyncio.gather(together.ask(BROKEN), together.ask(1), return_exceptions=True)
    assert [type(each) for each in both] == [ConnectionError] * 2


async def test_who_goes_away_takes_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    work = Work()
    together = Together(work)
    work.goes_on.clear()
    gone, stays = together.ask(1), together.ask(2)
    await asyncio.sleep(0)
    gone.cancel()
    work.goes_on.set()
    assert await stays == 4
    with caplog.at_level(logging.ERROR):
        unread = together.ask(BROKEN)
        await asyncio.wait([unread])
        del unread
    assert not caplog.records


async def test_a_call_is_in_the_trace_of_the_first_and_the_others_link_to_it() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")

    async def traced(asked: Sequence[int]) -> Sequence[int]:
        with tracer.start_as_current_span("call"):
            return asked

    together = Together(traced)

    async def request(number: int) -> None:
        with tracer.start_as_current_span(f"request {number}"):
            await together.ask(number)

    await asyncio.gather(request(1), request(2))
    call, first, second = (
        next(each for each in exporter.get_finished_spans() if each.name == name)
        for name in ("call", "request 1", "request 2")
    )
    assert call.parent is not None
    assert first.context is not None
    assert call.parent.span_id == first.context.span_id
    assert [link.context.span_id for link in second.links] == [first.context.span_id]
    assert not first.links


async def test_who_is_gone_when_the_call_is_made_is_not_complained_of(caplog: pytest.LogCaptureFixture) -> None:
    tracer = TracerProvider().get_tracer("test")
    together = Together(Work())
    with tracer.start_as_current_span("ended at once"):
        first = together.ask(1)
    with tracer.start_as_current_span("this one too"):
        second = together.ask(2)
    assert await asyncio.gather(first, second) == [2, 4]
    assert not caplog.records
