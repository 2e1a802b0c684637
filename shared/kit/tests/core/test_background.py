"""Work in the background ends when it is told to, and at no other time."""

import asyncio
from typing import Any

import pytest
from tyrsky import background
from tyrsky.background import again_and_again, ended
from tyrsky.consuming import Consumer
from tyrsky.kafka_log import KafkaLog
from tyrsky.watching import Offsets


class Client:
    """As aiokafka's are now and then: the cancellation of a task of their own comes out of ``stop``."""

    def __init__(self) -> None:
        self.starts = 0

    async def start(self) -> None:
        self.starts += 1

    async def stop(self) -> None:
        raise asyncio.CancelledError

    close = stop

    async def topics(self) -> set[str]:
        return set()

    def assign(self, partitions: object) -> None:
        """There are none."""


async def ends_by_itself(work: Any) -> bool:
    """Whether the task that waits for it is cancelled, and by nobody."""
    task = asyncio.create_task(work)
    await asyncio.wait([task])
    if task.cancelled():
        return True
    task.result()
    return False


async def test_a_client_s_end_is_not_the_end_of_who_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await ends_by_itself(ended(Client().stop))
    log = KafkaLog("nowhere:1", "a test")

    def consumer() -> Client:
        return Client()

    monkeypatch.setattr(log, "_consumer", consumer)
    assert not await ends_by_itself(log.seen({("t", 0): 0}))
    offsets = Offsets("nowhere:1")
    monkeypatch.setattr(offsets, "_clients", (Client(), Client()))
    assert not await ends_by_itself(offsets.close())


async def test_a_consumer_begins_again_however_its_old_client_ends() -> None:
    consumer, client = Consumer.__new__(Consumer), Client()
    vars(consumer).update(_subscriber=client, group="g")
    assert not await ends_by_itself(consumer.rebuild())
    assert client.starts == 1


async def test_a_client_that_does_not_stop_is_not_waited_for() -> None:
    async with asyncio.timeout(1):
        await ended(lambda: asyncio.sleep(60), seconds=0.01)


@pytest.mark.parametrize("end", [asyncio.CancelledError, ValueError, None])
async def test_work_that_ends_begins_again_until_it_is_told_to_end(
    end: type[BaseException] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "CALM_SECONDS", 0)  # no pause
    begun = asyncio.Queue[None]()

    async def work() -> None:
        begun.put_nowait(None)
        if begun.qsize() > 2:
            await asyncio.sleep(60)
        if end:
            raise end

    task = asyncio.create_task(again_and_again(work))
    async with asyncio.timeout(5):
        while begun.qsize() < 3:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    assert task.cancelled()
