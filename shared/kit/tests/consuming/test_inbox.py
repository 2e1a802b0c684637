"""A batch on its way, where the moment matters: against the running store, without Kafka."""

import asyncio
from uuid import UUID

import pytest
from pymongo.errors import ConnectionFailure
from tyrsky.aggregate import Command
from tyrsky.dead_letters import DeadLetters
from tyrsky.deliveries import Edition, Message
from tyrsky.inbox import Inbox, Stuck
from tyrsky_contracts.event import Envelope

from .rig import SETTINGS, Effects, Note, Rig, about, recorded, visit

pytestmark = pytest.mark.stack


def heard(rig: Rig, name: str, sequence: int) -> Message:
    event = recorded(name, sequence)
    headers, body = rig.codec.encode(event, about(name, sequence, event))
    return Message(rig.topic.name, 0, sequence, str(visit(name)), tuple(headers), body)


async def test_a_key_that_is_freed_between_the_look_and_the_letter(rig: Rig):
    class JustFreed(DeadLetters):
        async def parked(self, group: str, keys: object) -> dict[tuple[str, str], tuple[int, int]]:
            return {(rig.topic.name, str(visit("a"))): (0, 0)}

    effects = Effects(rig.database)
    letters = JustFreed(rig.database, SETTINGS)
    inbox = Inbox(rig.policies(effects), letters, rig.codec, SETTINGS)
    await inbox.take((heard(rig, "a", n) for n in (1, 2, 3)), Edition())
    assert effects.of("a") == [1, 2, 3]
    assert await letters.counts() == []


async def test_a_key_that_is_freed_while_the_rest_of_its_batch_lines_up(rig: Rig):
    """The first of five fails and is kept; a replay takes it before the second is put behind it."""

    class Racing(DeadLetters):
        async def behind(self, group: str, topic: object, message: Message) -> str:  # pyright: ignore
            for box in [box async for box in self.find()]:
                await self.take_out(box["_id"], box["letters"][0])
                await self.close_if_empty(box["_id"])
            return await super().behind(group, rig.topic, message)

    effects = Effects(rig.database)

    async def hinder(command: Note) -> None:
        if command.sequence == 1:
            raise KeyError("for the test")

    effects.hinder = hinder
    inbox = Inbox(rig.policies(effects), Racing(rig.database, SETTINGS), rig.codec, SETTINGS)
    await inbox.take((heard(rig, "a", n) for n in range(1, 6)), Edition())
    assert effects.of("a") == [2, 3, 4, 5]


async def test_a_store_out_of_reach_keeps_the_whole_batch(rig: Rig):
    """While one key's command is carried out the store is lost to another: both are delivered again, and done once."""
    under_way, away = asyncio.Event(), True

    class Slow(Effects):
        async def run(self, command: Command, *, college: str, command_id: UUID, cause: Envelope) -> None:
            if away and cause.subject == str(visit("a")) and cause.sequence == 2:
                await under_way.wait()
                raise ConnectionFailure("for the test")
            await super().run(command, college=college, command_id=command_id, cause=cause)
            if away and cause.subject == str(visit("b")):
                under_way.set()
                await asyncio.sleep(60)  # its answer never comes: it is broken off

    effects = Slow(rig.database)
    inbox = Inbox(rig.policies(effects), rig.letters, rig.codec, SETTINGS)
    with pytest.raises(Stuck, match="cannot be reached"):
        await inbox.take((heard(rig, name, n) for name in "ab" for n in (1, 2)), Edition())
    assert await rig.letters.counts() == []
    assert (effects.of("a"), effects.of("b")) == ([1], [1])
    away = False
    await inbox.take((heard(rig, name, n) for name in "ab" for n in (1, 2)), Edition())
    assert (effects.of("a"), effects.of("b"), effects.repeats) == ([1, 2], [1, 2], 2)
