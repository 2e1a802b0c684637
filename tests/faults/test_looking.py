"""What is left for a group: marks of transactions are nothing, silence is not emptiness."""

from collections.abc import Sequence
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.faults import looking

AT = TopicPartition("companies", 0)


class Partition:
    """Gives what it is told to, poll by poll: so many messages, and how far that leads."""

    def __init__(self, *polls: tuple[int, int]) -> None:
        self._polls = list(polls)
        self._position = 0

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """It is the only one."""

    def seek(self, at: TopicPartition, offset: int) -> None:
        """Begin there."""
        self._position = offset

    async def position(self, at: TopicPartition) -> int:
        """What is read next."""
        return self._position

    async def getmany(self, *, timeout_ms: int) -> dict[TopicPartition, list[None]]:
        """The next poll; nothing for ever after the last."""
        count, leads = self._polls.pop(0) if self._polls else (0, 0)
        self._position += leads
        return {AT: [None] * count} if count else {}


async def left(*polls: tuple[int, int]) -> int:
    return await looking.left_over(cast("AIOKafkaConsumer", Partition(*polls)), AT, 5, 8)


async def test_a_poll_without_anything_is_not_the_end():
    assert await left((0, 0), (0, 0), (2, 3)) == 2


async def test_marks_of_transactions_are_nothing_to_do():
    assert await left((0, 3)) == 0


async def test_what_cannot_be_read_is_not_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(looking, "LEFT_SECONDS", 0.01)
    assert await left() == 1
