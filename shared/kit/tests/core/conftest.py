"""A store and a topic for each test that wants one, on the real servers."""

import os
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.store import Document

from .room import topic_name


@pytest.fixture
def mongo_uri() -> str:
    return os.environ["MONGO_URI"]


@pytest.fixture
def bootstrap() -> str:
    return os.environ["KAFKA_BOOTSTRAP"]


@pytest.fixture
async def database(mongo_uri: str) -> AsyncIterator[AsyncDatabase[Document]]:
    """A database of the test's own."""
    async with AsyncMongoClient[Document](mongo_uri, tz_aware=True) as client:
        database = client[f"kit_{uuid4().hex[:12]}"]
        yield database
        await client.drop_database(database.name)


@pytest.fixture
async def topic(bootstrap: str) -> AsyncIterator[str]:
    """A topic of the test's own, with one partition, so that order is seen across aggregates too."""
    name = topic_name()
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
        yield name
        await admin.delete_topics([name])
    finally:
        await admin.close()
