"""Consumer groups on Kafka: batches in, offsets out, and nothing committed before it is dealt with.

FastStream polls and keeps the group; what is asked of it is a batch of raw records at a time. A batch that cannot be
finished is wound back and comes again, after a pause that grows.
"""

import asyncio
import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from pymongo.errors import PyMongoError

from tyrsky import metrics, polling
from tyrsky.background import again_and_again, ended
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.dead_letters import DeadLetters
from tyrsky.deliveries import Codec, Edition, Message, Reaction, cause_of, key_text
from tyrsky.inbox import Inbox, Stuck
from tyrsky.polling import Record
from tyrsky.replaying import Replayer
from tyrsky.watching import Offsets, Watchdog, position_of

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5
REBALANCE_SECONDS = 30
"""How long the group waits for a member that has a batch in hand."""

PARTITION_BYTES = 1_100_000
"""What is fetched of one partition at a time; more than the largest message that Kafka takes by default."""


class Consumer(ConsumerRebalanceListener):
    """One consumer group in this process."""

    def __init__(self, broker: KafkaBroker, inbox: Inbox, offsets: Offsets, settings: ConsumerSettings) -> None:
        self.group = inbox.reaction.group
        self.topics = tuple(inbox.topics)
        self.trouble = ""
        self._inbox = inbox
        self._offsets = offsets
        self._settings = settings
        self._edition: int | None = None
        self._share: object | None = (
            object()
        )  # another one each time that the partitions are shared out; None meanwhile
        self._in_hand = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._pauses = 0
        self._pausing = False
        self._subscriber = broker.subscriber(
            *self.topics,
            batch=True,
            group_id=self.group,
            group_instance_id=settings.consumer_instance or None,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_records=settings.consumer_batch_max,
            fetch_max_bytes=settings.consumer_batch_bytes_max,
            max_partition_fetch_bytes=PARTITION_BYTES,
            rebalance_timeout_ms=REBALANCE_SECONDS * 1000,
            listener=self,
            parser=polling.unread,
            decoder=polling.records,
            no_reply=True,
        )
        self._subscriber(self._take)
        self._subscriber.get_msg = partial(polling.poll, settings.consumer_batch_max)

    @property
    def idle(self) -> bool:
        """Whether it waits for messages."""
        return not (self._in_hand.locked() or self._pausing)

    @property
    def assigned(self) -> set[tuple[str, int]]:
        """The partitions that it has."""
        consumer = self._subscriber.consumer
        return {(at.topic, at.partition) for at in consumer.assignment()} if consumer else set()

    async def rebuild(self) -> None:
        """Begin again with a new client; what is in hand is delivered again."""
        await ended(self._subscriber.stop, seconds=REBALANCE_SECONDS)
        self._edition = None
        await self._subscriber.start()

    async def stop(self) -> None:
        """Finish the batch in hand, as long as the broker's graceful timeout lets it, and leave the group."""
        self._stopping.set()
        await self._subscriber.stop()

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] - aiokafka awaits it
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        """Let the batch in hand be committed before others get its partitions."""
        with suppress(TimeoutError):
            async with asyncio.timeout(REBALANCE_SECONDS * 2 / 3), self._in_hand:
                pass
        self._share = None

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Iterable[TopicPartition]
    ) -> None:
        """Whoever had them may have worked on another edition."""
        self._share, self._edition = object(), None

    async def _take(self, records: tuple[Record, ...]) -> None:
        """FastStream's handler. What it cannot finish it winds back, since FastStream would go on behind it."""
        if self._stopping.is_set():
            return
        consumer = self._subscriber.consumer  # the one that they came from: it may be another before they are done
        share = self._share
        async with self._in_hand:
            try:
                await self._deal_with(records, consumer, share)
                reason = ""
            except Stuck as stuck:
                reason = str(stuck)
            except (PyMongoError, KafkaError, TimeoutError) as error:
                reason = cause_of(error)
            except Exception as error:
                log.exception("%s met an error that is not an event's", self.group)
                reason = cause_of(error)
            if reason:
                self._wind_back({(r.topic, r.partition): r.offset for r in reversed(records)})
        await (self._pause(reason) if reason else self._go_on())

    async def _deal_with(
        self, records: Sequence[Record], consumer: AIOKafkaConsumer | None, share: object | None
    ) -> None:
        edition = await self._inbox.reaction.edition()
        if await self._wound_to(edition):
            return
        mine = self.assigned
        records = [record for record in records if (record.topic, record.partition) in mine]
        await self._inbox.take((_message(record) for record in records), edition)
        ends = {(r.topic, r.partition): r.offset + 1 for r in records}
        await self._commit({at: max(end, await position_of(consumer, at)) for at, end in ends.items()}, edition, share)

    async def _commit(self, offsets: dict[tuple[str, int], int], edition: Edition, share: object | None) -> bool:
        """Write down where the group is, unless the partitions are or were shared out anew: aiokafka would do it under
        its new name, Kafka would take it, and whoever has them now and is further would stand."""
        consumer, note = self._subscriber.consumer, str(edition.number)
        if consumer is None or not offsets:
            return True
        if share is None or share is not self._share:
            return False
        try:
            await consumer.commit({TopicPartition(*at): (offset, note) for at, offset in offsets.items()})
        except (KafkaError, IllegalStateError) as error:
            # The partitions are another's now, or Kafka is away: the batch comes again, and changes nothing.
            log.info("%s could not commit: %s", self.group, cause_of(error))
            return False
        return True

    async def refresh(self) -> None:
        """Notice a new edition although no message comes."""
        async with self._in_hand:
            with suppress(PyMongoError):  # the next batch asks again
                await self._wound_to(await self._inbox.reaction.edition())

    async def pass_over(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Commit where the watchdog has found that no message is before these offsets."""
        async with self._in_hand:
            edition = await self._inbox.reaction.edition()
            if await self._wound_to(edition):
                return
            consumer, mine, share = self._subscriber.consumer, self.assigned & ends.keys(), self._share
            # Not back: what it has read behind that is committed already, or about to be.
            offsets = {at: ends[at] for at in mine if await position_of(consumer, at) <= ends[at]}
            await self._commit(offsets, edition, share)

    async def _wound_to(self, edition: Edition) -> bool:
        """Whether what Kafka delivers does not continue this edition, so that it was wound to where that one ends.

        An offset is committed together with the edition that it was reached in, so that the question is answered by
        Kafka and the store alone, whoever held the partition before.
        """
        begin: dict[tuple[str, int], int] = {}
        share = self._share
        if edition.number and edition.number != self._edition:
            places = await self._offsets.of(self.group, self.topics)
            for at in self.assigned & places.keys():
                complete, place = edition.complete.get(at, 0), places[at]
                if place.committed < 0:
                    begin[at] = complete
                elif place.metadata != str(edition.number):
                    begin[at] = min(place.committed, complete)  # not before what an operator wound back to
            self._wind_back(begin)
        if await self._commit(begin, edition, share):
            self._edition = edition.number
        return bool(begin)

    def _wind_back(self, offsets: dict[tuple[str, int], int]) -> None:
        consumer = self._subscriber.consumer
        for (topic, partition), offset in offsets.items():
            with suppress(IllegalStateError):  # not ours any more
                if consumer:
                    consumer.seek(TopicPartition(topic, partition), offset)

    async def _pause(self, reason: str) -> None:
        seconds = min(PAUSE_SECONDS * 2 ** min(self._pauses, 30), self._settings.consumer_pause_seconds_max)
        seconds *= random.uniform(0.75, 1)  # noqa: S311 - so that instances do not come back all at once
        self._pauses += 1
        self.trouble = reason
        metrics.consumer_paused.labels(self.group).set(1)
        log.warning("%s pauses for %.1f s, nothing is committed: %s", self.group, seconds, reason)
        self._pausing = True
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stopping.wait()
        finally:
            self._pausing = False

    async def _go_on(self) -> None:
        if self._pauses:
            log.info("%s goes on", self.group)
        self._pauses = 0
        self.trouble = ""
        metrics.consumer_paused.labels(self.group).set(0)


class Consumers:
    """All consumer groups of a service, the replay of their parked keys, and their watchdog.

    Made before the broker starts, since it subscribes; started after it, and stopped before it.
    """

    def __init__(
        self,
        reactions: Sequence[Reaction],
        *,
        broker: KafkaBroker,
        bootstrap: str,
        letters: DeadLetters,
        codec: Codec,
        settings: ConsumerSettings,
    ) -> None:
        self._offsets = Offsets(bootstrap)
        inboxes = [Inbox(reaction, letters, codec, settings) for reaction in reactions if reaction.events]
        self.consumers = [Consumer(broker, inbox, self._offsets, settings) for inbox in inboxes]
        self._replayer = Replayer(inboxes, letters, self._offsets, settings)
        self._watchdog = Watchdog(
            self.consumers,
            self._offsets,
            every=settings.consumer_watch_seconds,
            patience=settings.consumer_stall_seconds,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def troubles(self) -> dict[str, str]:
        """Groups that pause, and why."""
        return {consumer.group: consumer.trouble for consumer in self.consumers if consumer.trouble}

    async def start(self) -> None:
        """Begin to replay and to watch. The letters are to be prepared before."""
        if self.consumers:
            works = self._replayer.run, self._watchdog.run
            self._tasks = [asyncio.create_task(again_and_again(work)) for work in works]

    async def stop(self) -> None:
        """Finish what is in hand, within the broker's graceful timeout, and leave the groups."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *(consumer.stop() for consumer in self.consumers), return_exceptions=True)
        await self._offsets.close()


def kafka_broker(bootstrap: str, *, stop_seconds: float) -> KafkaBroker:
    """A broker as the consumers need it: no types to convert, no topic made by accident."""
    logger = logging.getLogger("tyrsky.kafka")
    logger.setLevel(logging.ERROR)  # it warns of every topic that it may not make
    return KafkaBroker(
        bootstrap.split(","),
        apply_types=False,
        allow_auto_create_topics=False,
        enable_idempotence=True,
        graceful_timeout=stop_seconds,
        logger=logger,
    )


def _message(record: Record) -> Message:
    return Message(
        record.topic, record.partition, record.offset, key_text(record.key), tuple(record.headers), record.value
    )
