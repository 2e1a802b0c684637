"""The service itself, with callers of two colleges and companies in the register."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib.util import find_spec, module_from_spec
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from companies import register
from companies.testing import business_id, record
from companies.ytj import entry_of
from pymongo import MongoClient
from tyrsky.auth import Role
from tyrsky.service import Service
from tyrsky.testing.tokens import Authority

from .calling import Caller, Client

numbers = itertools.count()


@pytest.fixture(scope="session")
def authority() -> Iterator[Authority]:
    with Authority() as found:
        yield found


@pytest.fixture(scope="session")
def service(authority: Authority, mongo_uri: str) -> Iterator[Service]:
    """The service as ``main.py`` puts it together, on the real store. Its lifespan, which needs Kafka, is not begun."""
    name = f"companies_test_{uuid4().hex[:12]}"
    found = find_spec("companies.main")
    assert found is not None
    assert found.loader is not None
    main = module_from_spec(found)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MONGO_URI", mongo_uri)
        environment.setenv("MONGO_DATABASE", name)
        environment.setenv("OIDC_ISSUER", authority.issuer)
        environment.setenv("COLLEGES", '["vaao", "sasky"]')
        environment.setenv("ADDRESS_PEPPERS", '["the-tests-have-a-pepper-of-their-own"]')
        found.loader.exec_module(main)
    yield main.service
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        client.drop_database(name)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=service.app), base_url="http://companies.test"
    ) as client:
        yield client
    await service.client.close()


@pytest.fixture
def caller(http: httpx2.AsyncClient, authority: Authority) -> Caller:
    """Somebody of a college with a role: ``caller("sasky", "admin")``."""

    def caller(college: str = "vaao", role: Role = "outreach", **claims: Any) -> Client:
        return Client(http, authority.headers(college, [role], **claims))

    return caller


@pytest.fixture
def staff(caller: Caller) -> Client:
    """Outreach staff of vaao."""
    return caller()


@pytest.fixture
def registered(service: Service) -> Callable[..., Awaitable[str]]:
    """Puts one more company into the business register, and gives its business id."""

    async def registered(**fields: Any) -> str:
        number = next(numbers)
        await service.database[register.COLLECTION].insert_one(register.document(entry_of(record(number, **fields))))
        return business_id(number)

    return registered
