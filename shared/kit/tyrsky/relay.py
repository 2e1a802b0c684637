"""From the outbox to Kafka: at once after the save, else by polling; at least once, in order per aggregate.

Whoever publishes for an aggregate has claimed it: a lease with a token that grows with every claim. Only the last
token's owner may clear the outbox. Nothing is published so late in a lease that somebody else may have begun.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import UnknownTopicOrPartitionError
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from pymongo import ReturnDocument, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from tyrsky import metrics, tracing
from tyrsky.store import CODEC, LEASE, Claim, Document, Outgoing

log = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)

QUEUE_MAX = 10_000
"""Claims that wait in memory. What does not fit waits in its outbox, and is found by polling."""

BATCH_MAX = 200
POLL_SECONDS = 2.0
TOPIC_SECONDS = 1.0
ABSENT_SECONDS = 10
SEND_SECONDS = LEASE.total_seconds() / 2


class Relay:
    """Publishes what the aggregates of some collections have to say."""

    def __init__(self, database: AsyncDatabase[Document], bootstrap: str, client_id: str) -> None:
        self._database = database
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._collections: list[str] = []
        self._queue: asyncio.Queue[Claim] = asyncio.Queue(QUEUE_MAX)
        self._producer: AIOKafkaProducer | None = None
        self._absent_until: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def watch(self, collection: str) -> None:
        """One more collection of aggregates."""
        self._collections.append(collection)

    def publish(self, claim: Claim) -> None:
        """Publish soon what was just saved. Never waits and never fails: what is not taken is found by polling."""
        try:
            self._queue.put_nowait(claim)
        except asyncio.QueueFull:
            log.debug("the queue is full; found again by polling")

    async def start(self) -> None:
        """Begin to publish, first of all what an earlier process left."""
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._poll_forever())]

    async def stop(self, seconds: float) -> None:
        """Publish what is waiting in memory, for so long at most, and end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._queue.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._drop_producer()

    # -- publishing ---------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        pause = 0.0
        while True:
            claims = [await self._queue.get()]
            while not self._queue.empty() and len(claims) < BATCH_MAX:
                claims.append(self._queue.get_nowait())
            try:
                await self._publish(claims)
                pause = 0.0
            except Exception as error:
                # What was claimed stays in its outbox, and is claimed anew when the lease is over.
                pause = min(max(0.1, pause * 2), 5.0)
                log.warning("publishing failed, trying again: %s", type(error).__name__)
                metrics.relay_failures.inc()
                await self._drop_producer()
                await asyncio.sleep(pause)
            finally:
                for _ in claims:
                    self._queue.task_done()

    async def _publish(self, claims: Sequence[Claim]) -> None:
        """Send all claims' events side by side, then clear those outboxes in one write a collection."""
        producer = await self._running_producer()
        absent = await self._absent(producer, {entry.topic for claim in claims for entry in claim.outgoing})
        latest = datetime.now(UTC) + timedelta(seconds=SEND_SECONDS)
        timely = [
            claim
            for claim in claims
            if claim.until > latest and absent.isdisjoint(entry.topic for entry in claim.outgoing)
        ]
        sent = await asyncio.gather(*(self._send(producer, claim) for claim in timely), return_exceptions=True)
        for collection in {claim.collection for claim in timely}:
            done = [
                claim
                for claim, outcome in zip(timely, sent, strict=True)
                if claim.collection == collection and not isinstance(outcome, BaseException)
            ]
            if done:
                await self._clear(self._collection(collection), done)
        failures = [outcome for outcome in sent if isinstance(outcome, BaseException)]
        if failures:
            raise failures[0]

    async def _absent(self, producer: AIOKafkaProducer, topics: set[str]) -> set[str]:
        """Those of the topics that Kafka does not have. To wait for them would hold up all the others."""
        now = asyncio.get_running_loop().time()
        for topic in topics:
            if self._absent_until.get(topic, 0) > now:
                continue
            try:
                async with asyncio.timeout(TOPIC_SECONDS):
                    await producer.partitions_for(topic)
                self._absent_until.pop(topic, None)
            except (TimeoutError, UnknownTopicOrPartitionError):
                log.error("there is no topic %s, its events wait: `tyrsky topics apply` makes it", topic)
                self._absent_until[topic] = now + ABSENT_SECONDS
        return {topic for topic in topics if self._absent_until.get(topic, 0) > now}

    async def _send(self, producer: AIOKafkaProducer, claim: Claim) -> None:
        """Send one aggregate's events in order; idempotence keeps them so, also through the producer's own retries."""
        acknowledged: list[asyncio.Future[Any]] = []
        async with asyncio.timeout(SEND_SECONDS):
            for entry in claim.outgoing:
                with tracer.start_as_current_span(
                    f"send {entry.topic}",
                    tracing.remote(entry.headers.get("ce_traceparent")),
                    kind=SpanKind.PRODUCER,
                    attributes={
                        "messaging.system": "kafka",
                        "messaging.operation.type": "send",
                        "messaging.destination.name": entry.topic,
                        "messaging.message.id": entry.headers["ce_id"],
                        "cloudevents.event_type": entry.headers["ce_type"],
                    },
                ):
                    acknowledged.append(
                        await producer.send(
                            entry.topic, entry.body.encode(), key=claim.id.encode(), headers=_headers(entry)
                        )
                    )
            for entry, each in zip(claim.outgoing, acknowledged, strict=True):
                await each
                metrics.events_published.labels(entry.topic).inc()

    async def _clear(self, collection: AsyncCollection[Document], claims: Sequence[Claim]) -> None:
        """Empty the outboxes that are as they were claimed; publish on where something was added meanwhile."""
        result = await collection.bulk_write(
            [
                UpdateOne(
                    {"_id": claim.id, "lease_token": claim.token, "version": claim.version},
                    {"$set": {"outbox": []}, "$unset": {"outbox_since": "", "lease_until": ""}},
                )
                for claim in claims
            ],
            ordered=False,
        )
        if result.matched_count == len(claims):
            return
        for claim in claims:
            # Without events: what was added meanwhile was private, and only the mark is left to be taken away.
            last = claim.outgoing[-1].sequence if claim.outgoing else 0
            # Matches only where the clearing above did not: it took the outbox_since away.
            document = await collection.find_one_and_update(
                {"_id": claim.id, "lease_token": claim.token, "outbox_since": {"$exists": True}},
                {
                    "$pull": {"outbox": {"sequence": {"$lte": last}}},
                    "$set": {"lease_until": datetime.now(UTC) + LEASE},
                },
                return_document=ReturnDocument.AFTER,
            )
            if document is not None:
                self._publish_claimed(collection.name, document)

    # -- finding what was left ----------------------------------------------------------------------------------------

    async def _poll_forever(self) -> None:
        while True:
            more = False
            for name in self._collections:
                try:
                    more = await self._poll(self._collection(name)) or more
                except Exception as error:  # whatever it is, the other collections' events go on
                    log.warning("looking for waiting events of %s failed: %s", name, type(error).__name__)
            await asyncio.sleep(0.05 if more else POLL_SECONDS)

    async def _poll(self, collection: AsyncCollection[Document]) -> bool:
        """Claim what waits and nobody has claimed; whether there may be more of it."""
        now = datetime.now(UTC)
        waiting = {"outbox_since": {"$exists": True}}
        free = {**waiting, "$or": [{"lease_until": {"$exists": False}}, {"lease_until": {"$lt": now}}]}
        metrics.outbox_size.labels(collection.name).set(await collection.count_documents(waiting))
        oldest = await collection.find_one(waiting, {"outbox_since": 1}, sort=[("outbox_since", 1)])
        age = (now - oldest["outbox_since"]).total_seconds() if oldest else 0
        metrics.outbox_oldest_age_seconds.labels(collection.name).set(max(0.0, age))
        found = collection.find(free, {"_id": 1}).sort("outbox_since", 1).limit(BATCH_MAX)
        claimed = 0
        for document in await found.to_list(BATCH_MAX):
            if self._queue.full():
                return False
            taken = await collection.find_one_and_update(
                {**free, "_id": document["_id"]},
                {"$inc": {"lease_token": 1}, "$set": {"lease_until": datetime.now(UTC) + LEASE}},
                return_document=ReturnDocument.AFTER,
            )
            if taken is not None:
                claimed += 1
                self._publish_claimed(collection.name, taken)
        return claimed == BATCH_MAX

    def _publish_claimed(self, collection: str, document: Document) -> None:
        try:
            claim = _claim(collection, document)
        except (KeyError, TypeError):
            # Another version of the kit wrote it; it stays, and the metric of the oldest tells.
            log.error("%s %s has events in an outbox that cannot be read", collection, document["_id"])
        else:
            self.publish(claim)

    def _collection(self, name: str) -> AsyncCollection[Document]:
        return self._database.get_collection(name, codec_options=CODEC)

    # -- the producer -------------------------------------------------------------------------------------------------

    async def _running_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                client_id=self._client_id,
                enable_idempotence=True,
                acks="all",
                linger_ms=2,
                request_timeout_ms=int(SEND_SECONDS * 1000),
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        """After a failure the producer is made anew: its sequence numbers may have a gap that the broker refuses."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    # Stopping alone would flush first, and with idempotence a batch is tried for ever: what was given
                    # up would leave later, behind what the next claimant has sent by then.
                    await producer._sender.close()  # pyright: ignore[reportPrivateUsage]
                    await producer.stop()
            except Exception as error:  # it is given up, whatever it says
                log.warning("the producer did not stop cleanly: %s", type(error).__name__)


def _claim(collection: str, document: Document) -> Claim:
    return Claim(
        collection,
        document["_id"],
        document["version"],
        document["lease_token"],
        document["lease_until"],
        [Outgoing(**entry) for entry in document["outbox"]],
    )


def _headers(entry: Outgoing) -> list[tuple[str, bytes]]:
    """CloudEvents' attributes as they were saved, and the hop: the span that sends."""
    headers = [(name, value.encode()) for name, value in entry.headers.items()]
    hop = tracing.traceparent()
    return [*headers, ("traceparent", hop.encode())] if hop else headers
