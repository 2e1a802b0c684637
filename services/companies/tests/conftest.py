"""A database for each test that wants one, on the server that ``MONGO_URI`` names; gone afterwards."""

import os
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient


@pytest.fixture(scope="session")
def mongo_uri() -> str:
    return os.environ.get("MONGO_URI", "mongodb://127.0.0.1:17017")


@pytest.fixture
def database(mongo_uri: str) -> Iterator[str]:
    """The name of a database of one's own."""
    name = f"companies_test_{uuid4().hex[:12]}"
    yield name
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        client.drop_database(name)
