"""What the proxy tells the ledger of effects that go out through it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.ledger import Ledger
from tests.faults.proxy import HOST, Proxy
from tests.faults.standins import Echo, Line
from tests.faults.wire import talk_of
from tests.tools import free_port

ID = "6c1d0b0e-0000-4000-8000-000000000001"
CALL = f"POST / HTTP/1.1\r\nHost: x\r\nwebhook-id: {ID}\r\n\r\n{{}}".encode()


@pytest.fixture
async def out(echo: Echo, tmp_path: Path) -> AsyncIterator[Proxy]:
    one = Proxy("seats-webhook", free_port(), (HOST, echo.port), lambda: talk_of("seats-webhook"))
    one.ledger = Ledger(tmp_path / "ledger.jsonl")
    await one.start()
    yield one
    await one.close()


async def carried(between: Proxy, count: int) -> list[tuple[str, list[str], bool]]:
    """What is written of effects, when it is so many."""
    assert between.ledger is not None
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            await asyncio.sleep(0.01)
            found = between.ledger.paper.noted("carried")
    assert all(each["pair"] == between.name and each["since"] <= each["at"] for each in found)
    return [(each["id"], each["harm"], each["answered"]) for each in found]


async def test_an_effect_that_went_out_is_written_down(out: Proxy) -> None:
    line = await Line.to(out)
    await line.ask(CALL[:40])  # an answer of something else, and half of the id
    assert await line.ask(CALL[40:])
    assert await carried(out, 1) == [(ID, [], True)]


async def test_an_effect_that_was_harmed_is_written_down_with_how(out: Proxy, echo: Echo) -> None:
    held, reset = await Line.to(out), await Line.to(out)
    async with out.hole(then="late"):
        asked = asyncio.create_task(held.ask(CALL))
        await asyncio.sleep(0.1)
    await asked
    assert await carried(out, 1) == [(ID, ["swallowed"], True)]
    async with out.delayed(0.3):
        reset.writer.write(CALL)
        while not out.counts["delayed"]:
            await asyncio.sleep(0.01)
        out.reset()
    assert (ID, ["delayed", "reset"], False) in await carried(out, 3)


async def test_an_effect_that_waited_in_a_hole_went_out_when_it_was_sent_and_not_when_it_was_read(out: Proxy) -> None:
    assert out.ledger is not None
    async with out.hole(then="late"):
        line, sent_at = await Line.to(out), out.ledger.now()
        line.writer.write(CALL)
        await asyncio.sleep(0.3)
    assert await carried(out, 1) == [(ID, ["swallowed"], True)]
    [note] = out.ledger.paper.noted("carried")
    assert note["since"] < sent_at + 0.2
    assert note["at"] >= sent_at + 0.3


async def test_what_was_sent_into_a_hole_that_ends_with_a_reset_arrives_nowhere(out: Proxy, echo: Echo) -> None:
    async with out.hole():
        line = await Line.to(out)
        line.writer.write(CALL)
        await asyncio.sleep(0.1)
    assert await carried(out, 1) == [("", ["reset", "swallowed"], False)]
    assert echo.heard == []


async def test_a_connection_that_was_harmed_before_anything_went_out_is_written_down(out: Proxy, echo: Echo) -> None:
    first = await Line.to(out)
    await first.ask(b"hello")
    out.cut_answers({"write": 1})
    with pytest.raises(ConnectionResetError):
        await first.ask(b"POST / HTTP/1.1\r\n")
    assert await carried(out, 1) == [("", ["answer cut"], False)]
    assert out.ledger is not None
    assert [each["how"] for each in out.ledger.paper.noted("broke")] == ["answer cut"]
