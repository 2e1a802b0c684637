"""The world itself: it forgives no repeat and no standing still, and it does nobody an injustice."""

import asyncio
from random import Random

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import UnknownMemberIdError

from tests.simulation import domain
from tests.simulation.broker import Broker, Stored
from tests.simulation.consumer import Behaviour, MemoryConsumer
from tests.simulation.loop import Loop
from tests.simulation.network import Direct
from tests.simulation.properties import check
from tests.simulation.world import Violation, World

AT = TopicPartition("rooms", 0)


def test_an_event_that_readers_see_twice_is_wrong() -> None:
    world = World(0)
    world.run()
    *_, (at, _, last) = world.broker.visible(domain.ROOMS)
    world.broker.partitions[at].append(Stored(last.key, last.value, last.headers))
    with pytest.raises(Violation, match="twice"):
        check(world)


def test_a_group_that_stands_at_one_place_is_wrong_though_all_is_done_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def slow(*_: object) -> None:
        await asyncio.sleep(40)

    monkeypatch.setattr("tyrsky.inbox.Inbox.take", slow)
    with pytest.raises(Violation, match=r"stands at .* for 30 s without a fault"):
        World(0, more_of={"faults": (), "instances": 1}).run()


class Again(Random):
    """Reads one message that it had before, and then goes on."""

    left = 1

    def random(self) -> float:
        self.left -= 1
        return 0.0 if self.left >= 0 else 1.0

    def randrange(self, *_: int) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return 2

    def randint(self, a: int, b: int) -> int:
        return a if self.left >= 0 else b


def test_who_was_answered_with_what_it_has_already_asks_again_at_once() -> None:
    loop, broker = Loop("again"), Broker()
    broker.create("rooms", 1)
    broker.partitions[AT] += [Stored(b"key", value, ()) for value in (b"a", b"b", b"c", b"d")]

    async def read() -> float:
        consumer = MemoryConsumer(broker, Direct(), behaviour=Behaviour(Again(0), again=0.5))
        await consumer.start()
        consumer.assign([AT])
        consumer.seek(AT, 3)
        assert [each.value for each in (await consumer.getmany(timeout_ms=60_000))[AT]] == [b"d"]
        return loop.time()

    assert loop.run(read()) < 1


def test_who_is_just_joining_hears_that_the_group_was_wound_back() -> None:
    loop, broker = Loop("winding back"), Broker()
    broker.create("rooms", 1)

    async def join() -> None:
        first = broker.join("group", "a", ("rooms",))
        await first
        waits = broker.join("group", "b", ("rooms",))  # until the first one joins anew
        broker.wind_back("group", lambda _: 0)
        async with asyncio.timeout(1):
            await waits

    with pytest.raises(UnknownMemberIdError):
        loop.run(join())
