"""A store, and an open API on loopback."""

from collections.abc import AsyncIterator, Iterator

import pytest
from companies.testing import record
from companies.ytj_stand_in import YtjStandIn
from pymongo import AsyncMongoClient

from .instance import MANY, Document, Store


@pytest.fixture
async def store(mongo_uri: str, database: str) -> AsyncIterator[Store]:
    client = AsyncMongoClient[Document](mongo_uri, tz_aware=True)
    yield client[database]
    await client.close()


@pytest.fixture
def server() -> Iterator[YtjStandIn]:
    with YtjStandIn(record(number) for number in range(MANY)) as running:
        yield running
