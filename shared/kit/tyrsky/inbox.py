"""What a consumer group does with a batch of messages; knows nothing of Kafka's client.

Every message of the batch is taken, or skipped since nobody wants it, or kept as a dead letter. When :meth:`Inbox.take`
returns, the batch may be committed; when it raises, nothing is known and the batch is to be delivered again.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pymongo.errors import ConnectionFailure, PyMongoError
from tyrsky_contracts.codec import Undecodable
from tyrsky_contracts.topics import Topic

from tyrsky import metrics
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.dead_letters import DeadLetters, Full
from tyrsky.deliveries import (
    Codec,
    Delivery,
    Edition,
    Failure,
    Message,
    Reaction,
    Taken,
    cause_of,
    mark_failed,
    process_span,
    unversioned,
)

log = logging.getLogger(__name__)

STORE_SECONDS = 15
"""Longest time that keeping a letter may take, before the store counts as out of reach."""

Key = tuple[str, str]


class Stuck(Exception):  # noqa: N818 - a state of affairs
    """The batch cannot be finished now: to be delivered again, later. Says why."""


class Inbox:
    """The messages of one consumer group, on their way to its reaction."""

    def __init__(self, reaction: Reaction, letters: DeadLetters, codec: Codec, settings: ConsumerSettings) -> None:
        self.reaction = reaction
        self.topics: Mapping[str, Topic] = {
            topic.name: topic for topic in (codec.topic_of(event) for event in reaction.events)
        }
        self._letters = letters
        self._codec = codec
        self._settings = settings
        self._wanted = {unversioned(event.type) for event in reaction.events}
        self._failed_in_row = 0

    def wants(self, message: Message) -> bool:
        """Whether the group must deal with a message; without a type or college nobody knows, so it must."""
        kind, college = message.header("ce_type"), message.header("ce_college")
        return not (kind and college) or (unversioned(kind) in self._wanted and self.reaction.wants(college))

    def understand(self, message: Message) -> Delivery:
        """What a message says.

        :raises Undecodable: when it says nothing to this version of the contracts.
        """
        try:
            event, about = self._codec.decode(message.headers, message.body)
            if type(event) not in self.reaction.events:
                raise Undecodable("type-unknown", f"{event.type} is not handled by {self.reaction.group}")
        except Undecodable as error:
            with process_span(message, self.reaction.group) as span:
                mark_failed(span, error)
            raise
        return Delivery(message, event, about)

    async def take(self, messages: Iterable[Message], edition: Edition) -> None:
        """Deal with a batch, in order within a key, on an edition of the reaction's data.

        :raises Stuck: when the store is out of reach, nothing succeeds any more, or there is no room for more letters.
        """
        queues: dict[Key, list[Message]] = {}
        for message in messages:
            if self.wants(message):
                queues.setdefault((message.topic, message.key or f"#{message.id}"), []).append(message)
        try:
            await self._take(queues, edition)
        except Full as full:
            raise Stuck(str(full)) from None
        except (ConnectionFailure, TimeoutError) as error:
            raise Stuck(f"the store cannot be reached: {cause_of(error)}") from error
        except PyMongoError as error:
            raise Stuck(f"the store refuses: {cause_of(error)}") from error

    async def _take(self, queues: dict[Key, list[Message]], edition: Edition) -> None:
        async with asyncio.timeout(STORE_SECONDS):
            parked = await self._letters.parked(self.reaction.group, queues)
        repeated: dict[Key, list[Message]] = {}
        behind: dict[Key, list[Message]] = {}
        for key, first in parked.items():
            queue = queues.pop(key)
            # What stands before a key's first letter has been taken: it is here again, and may go where it went.
            repeated[key] = [message for message in queue if _before(message, first)]
            behind[key] = [message for message in queue if not _before(message, first)]
        await self._rounds(repeated, edition)
        await self._rounds(queues | await self._put_behind(behind), edition)

    async def _rounds(self, queues: dict[Key, list[Message]], edition: Edition) -> None:
        """Take queues; where one fails keep that message, the others behind it, and go on should it be free again."""
        while queues := {key: queue for key, queue in queues.items() if queue}:
            deliveries, failures = self._understand(queues)
            understood = {_joined(key): queue for key, queue in deliveries.items() if queue}
            taken = await self.reaction.take(understood, edition)
            for key in queues:
                if failure := taken.failures.get(_joined(key)):
                    failures[key] = failure
            self._notice(taken)
            behind: dict[Key, list[Message]] = {}
            for key, failure in failures.items():
                await self._keep(queues[key][failure.index], failure)
                behind[key] = queues[key][failure.index + 1 :]
            queues = await self._put_behind(behind)

    def _understand(
        self, queues: Mapping[Key, Sequence[Message]]
    ) -> tuple[dict[Key, list[Delivery]], dict[Key, Failure]]:
        """Each queue up to the first message that cannot be read."""
        deliveries: dict[Key, list[Delivery]] = {}
        failures: dict[Key, Failure] = {}
        for key, queue in queues.items():
            read = deliveries.setdefault(key, [])
            for index, message in enumerate(queue):
                try:
                    read.append(self.understand(message))
                except Undecodable as error:
                    failures[key] = Failure(index, error)
                    break
        return deliveries, failures

    def _notice(self, taken: Taken) -> None:
        """Count failures that may not be the events' own; when there is nothing else any more, stop."""
        if taken.count:
            self._failed_in_row = 0
        self._failed_in_row += len(taken.failures)
        if not taken.count and self._failed_in_row > self._settings.consumer_failures_in_row_max:
            causes = sorted({cause_of(failure.error) for failure in taken.failures.values()})
            if causes:
                raise Stuck(f"{self._failed_in_row} keys in a row failed: {', '.join(causes[:3])}")

    async def _keep(self, message: Message, failure: Failure) -> None:
        unreadable = isinstance(failure.error, Undecodable) and failure.error.cause == "envelope-malformed"
        ordered = message.key is not None and not unreadable
        due_at = datetime.now(UTC) + timedelta(seconds=self._settings.parked_retry_seconds) if ordered else None
        async with asyncio.timeout(STORE_SECONDS):
            await self._letters.put(
                self.reaction.group,
                self.topics[message.topic],
                message,
                failure.error,
                attempts=failure.attempts,
                due_at=due_at,
            )
        kind = "unreadable" if isinstance(failure.error, Undecodable) else "failed"
        metrics.dead_letters_kept.labels(self.reaction.group, message.topic, kind).inc()
        log.error(
            "%s cannot take %s %s of %s: %s; %s",
            self.reaction.group,
            message.header("ce_type") or "a message",
            message.id,
            message.topic,
            cause_of(failure.error),
            "its key is parked" if ordered else "it is a dead letter",
        )

    async def _put_behind(self, queues: dict[Key, list[Message]]) -> dict[Key, list[Message]]:
        """Keep messages behind their keys' letters; what is left when a key was freed meanwhile."""
        left: dict[Key, list[Message]] = {}
        for key, queue in queues.items():
            for index, message in enumerate(queue):
                async with asyncio.timeout(STORE_SECONDS):
                    kept = await self._letters.behind(self.reaction.group, self.topics[message.topic], message)
                if kept == "gone":
                    left[key] = queue[index:]
                    break
        return left


def _before(message: Message, first: tuple[int, int]) -> bool:
    partition, offset = first
    return message.partition == partition and message.offset < offset


def _joined(key: Key) -> str:
    return f"{key[0]}/{key[1]}"
