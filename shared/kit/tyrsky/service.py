"""A service, put together: what it keeps, projects, serves and reacts to, said in a few lines of ``main.py``.

It composes plain FastAPI, FastStream, aiokafka and PyMongo and hands them out (``app``, ``broker``, ``database``), so
that anyone can go beneath it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pymongo
from aiokafka.admin import AIOKafkaAdminClient
from fastapi import APIRouter, FastAPI
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky_contracts import topics
from tyrsky_contracts.codec import Codec
from tyrsky_contracts.topics import Topic

from tyrsky import access, admission, auth, health, limits, metrics, openapi, preconditions, problems, telemetry
from tyrsky.aggregate import Aggregate
from tyrsky.background import Background, again_and_again
from tyrsky.consuming import Consumers, kafka_broker
from tyrsky.dead_letters import DeadLetters
from tyrsky.deciding import Decider, Deciders
from tyrsky.effects import Effect, Effects
from tyrsky.kafka_log import KafkaLog
from tyrsky.policies import Policies, PolicyReaction
from tyrsky.projecting import Projection
from tyrsky.relay import Relay
from tyrsky.remembering import Remembered
from tyrsky.rows import ProjectionReaction
from tyrsky.settings import Settings
from tyrsky.store import Document, Store

log = logging.getLogger(__name__)

SERVER_SECONDS = 5
"""How long a command to the store may wait for a server, and for its answer."""

PREPARE_SECONDS = 600
"""How long the store may take to prepare: an index that is new to a large collection takes minutes to build."""


class Service:
    """One service of a deployment. ``own_topics`` are a college's own, beside the network's; a test may bring a whole
    ``codec``."""

    def __init__(
        self, name: str, settings: Settings, *, own_topics: Sequence[Topic] = (), codec: Codec | None = None
    ) -> None:
        self.name = name
        self.settings = settings
        self.client: AsyncMongoClient[Document] = mongo_client(name, settings)
        self.database: AsyncDatabase[Document] = self.client[settings.mongo_database or name]
        self.broker = kafka_broker(settings.kafka_bootstrap, stop_seconds=settings.finish_seconds)
        self.relay = Relay(self.database, KafkaLog(settings.kafka_bootstrap, client_id=name), name)
        self.deciders = Deciders()
        self.health = health.Health()
        self.verifier = auth.Verifier(settings)
        self.tracing = telemetry.provider(name, settings)
        self.projections: dict[str, Projection[Any]] = {}
        self.own_topics = own_topics
        self.codec = codec or Codec([*topics.ALL, *own_topics])
        self.app = admission.App(
            title=f"Tyrsky {name}",
            version="1",
            lifespan=self._lifespan,
            docs_url=None,
            redoc_url=None,
            telemetry=telemetry.of_requests(self.tracing),
        )
        self._admin: AIOKafkaAdminClient | None = None
        self._looking: AsyncMongoClient[Document] | None = None
        self._stores: list[Store[Any, Any]] = []
        self._policies: list[Policies] = []
        self._remembered = Remembered(self.database)
        self._letters = DeadLetters(self.database, settings)
        self._background: list[Background] = [self._remembered.run]
        self._prepares: list[Background] = [self._remembered.prepare, self._letters.prepare]

    def keeps(self, *aggregates: Aggregate[Any, Any]) -> None:
        """Aggregates that live in this service, each kind in a collection of its own."""
        for aggregate in aggregates:
            store = Store(self.database, aggregate, self.relay.claimant)
            self._stores.append(store)
            self.relay.watch(store.collection.name)
            self.deciders.add(Decider(store, self.codec, self.relay.publish))

    def projects(self, *projections: Projection[Any]) -> None:
        """Read models, each read from the network's topics by a consumer group of its own."""
        self.projections |= {projection.name: projection for projection in projections}

    def serves(self, *routers: APIRouter) -> None:
        """Routes of the service."""
        for router in routers:
            self.app.include_router(router)

    def reacts(self, *policies: Policies) -> None:
        """What is to be done when something happened."""
        self._policies += policies
        groups = [each.group or self._policies_group for each in self._policies]
        if len(set(groups)) < len(groups):
            raise TypeError("a consumer group has one Policies: give the other a group of its own")

    @property
    def _policies_group(self) -> str:
        return f"{self.name}-policies"

    def sends(self, *effects: Effect[Any, Any]) -> None:
        """What is done outside, such as mails and webhooks. The service keeps the aggregates that it is done for."""
        for effect in effects:
            self.keeps(effect.aggregate)
            self.serves(*effect.routers)
            decider = self.deciders.of(effect.aggregate)
            work = Effects(decider, effect, self.settings.colleges)
            decider.listen(work.hear)
            self.prepares(work.prepare)
            self.runs(work.run)

    def runs(self, *background: Background) -> None:
        """Work that goes on beside the requests, as long as the service runs. What fails begins again."""
        self._background += background

    def prepares(self, *prepare: Background) -> None:
        """What has to be there before the first request, such as indexes. Idempotent."""
        self._prepares += prepare

    def asgi(self) -> FastAPI:
        """The application, for a server to run."""
        state = self.app.state
        state.settings, state.database, state.deciders = self.settings, self.database, self.deciders
        state.wishes, state.remembered = set[UUID](), self._remembered
        auth.install(self.app, self.verifier)
        health.install(self.app, self.health)
        metrics.install(self.app)
        openapi.install(self.app, *preconditions.HEADERS)
        # From the innermost to the outermost: what weighs too much is refused inside what measures and tells of it.
        limits.install(self.app, self.settings)
        access.install(self.app)
        problems.install(self.app)
        telemetry.install(self.tracing)
        self._needs()
        return self.app

    def _needs(self) -> None:
        where = self.settings.mongo_uri.get_secret_value().rpartition("@")[2].removeprefix("mongodb://")
        self.health.part("mongo", self._ask_store, at=where)
        self.health.part("kafka", self._ask_kafka, at=self.settings.kafka_bootstrap)
        self.health.part("identity", self.verifier.keys.check, at=self.settings.oidc_issuer)

    async def _ask_store(self) -> None:
        """Over a connection of its own: a service with much to do is not one without a store."""
        if self._looking is None:
            self._looking = mongo_client(f"{self.name}-health", self.settings, connections=1)
        await self._looking[self.database.name].command("ping")

    async def _ask_kafka(self) -> None:
        if self._admin is None:
            admin = AIOKafkaAdminClient(
                bootstrap_servers=self.settings.kafka_bootstrap,
                client_id=f"{self.name}-health",
                request_timeout_ms=2000,
            )
            try:
                await admin.start()
            except BaseException:
                await admin.close()
                raise
            self._admin = admin
        await self._admin.list_topics()

    def _consumers(self) -> Consumers:
        reactions = [
            PolicyReaction(
                policies,
                self.deciders,
                self.settings.colleges,
                group=self._policies_group,
                attempts=self.settings.consumer_attempts,
                event_seconds=self.settings.consumer_event_seconds,
                keys_at_once=self.settings.consumer_keys_at_once,
            )
            for policies in self._policies
        ]
        projections = [
            ProjectionReaction(projection, self.database, service=self.name) for projection in self.projections.values()
        ]
        return Consumers(
            [*reactions, *projections],
            broker=self.broker,
            bootstrap=self.settings.kafka_bootstrap,
            letters=self._letters,
            codec=self.codec,
            settings=self.settings,
        )

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncGenerator[None]:
        await self.health.wait(self.settings.start_seconds)
        with pymongo.timeout(PREPARE_SECONDS):
            for prepare in [*(store.prepare for store in self._stores), *self._prepares]:
                await prepare()
        consumers = self._consumers()
        await self.relay.start()
        await self.broker.start()
        await consumers.start()
        self.health.pauses = consumers.troubles
        background = [asyncio.create_task(again_and_again(work)) for work in self._background]
        log.info("%s is ready", self.name)
        try:
            yield
        finally:
            log.info("%s stops: finishing what is under way", self.name)
            await self._stop(consumers, background)
            log.info("%s has stopped", self.name)

    async def _stop(self, consumers: Consumers, background: Sequence[asyncio.Task[None]]) -> None:
        """Take nothing new, finish what is in hand, then close.

        The server has had half of STOP_SECONDS for the requests under way; this is the other half. What does not end in
        time is cut off: it was made to be killed at any moment.
        """
        seconds = self.settings.stop_seconds / 2
        await _within(self.settings.finish_seconds, self._finish(consumers, background))
        await _within(seconds * 0.2, self.relay.stop(seconds * 0.15))
        await _within(seconds * 0.3, self._close())

    async def _finish(self, consumers: Consumers, background: Sequence[asyncio.Task[None]]) -> None:
        for task in background:
            task.cancel()
        await asyncio.gather(consumers.stop(), *background, return_exceptions=True)
        await self.deciders.drained()
        await self._remembered.stop()

    async def _close(self) -> None:
        await self.broker.stop()
        await self.health.close()
        if self._admin is not None:
            await self._admin.close()
        await self.verifier.keys.close()
        for client in filter(None, (self._looking, self.client)):
            await client.close()
        await asyncio.to_thread(telemetry.close, self.tracing)


def mongo_client(name: str, settings: Settings, *, connections: int = 50) -> AsyncMongoClient[Document]:
    """A client of the store: moments in UTC, no wait without an end, and writes that a majority has taken."""
    telemetry.install_store()
    return AsyncMongoClient(
        settings.mongo_uri.get_secret_value(),
        appname=name,
        tz_aware=True,
        w="majority",
        serverSelectionTimeoutMS=SERVER_SECONDS * 1000,
        connectTimeoutMS=SERVER_SECONDS * 1000,
        socketTimeoutMS=SERVER_SECONDS * 2000,
        maxPoolSize=connections,
        waitQueueTimeoutMS=SERVER_SECONDS * 1000,
    )


async def _within(seconds: float, work: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        log.warning("not all was finished within %.1f s", seconds)
