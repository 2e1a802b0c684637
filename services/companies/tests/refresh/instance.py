"""One instance of the service that refreshes, and what the store has, for these tests."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from companies import claiming, register
from companies.company import company_id
from companies.refreshing import InCare, Refresh
from companies.register import RegisterEntry
from companies.settings import Settings
from companies.testing import business_id, record
from companies.ytj import entry_of
from companies.ytj_stand_in import YtjStandIn
from pydantic import SecretStr
from pymongo.asynchronous.database import AsyncDatabase

Document = dict[str, Any]
Store = AsyncDatabase[Document]

NIGHT = datetime(2026, 9, 1, 2, 30, tzinfo=UTC)
DAY = timedelta(days=1)
MANY = 12


class Instance:
    """One instance of the service, with what it told companies."""

    def __init__(self, store: Store, server: YtjStandIn, **other: Any) -> None:
        self.told: list[tuple[InCare, RegisterEntry]] = []
        self.now = NIGHT
        hour: dict[str, Any] = {"register_refresh_hour": 2}
        settings = Settings(
            colleges=frozenset({"vaao", "sasky"}),
            oidc_issuer="http://127.0.0.1:1",
            address_peppers=(SecretStr("p" * 32),),
            register_api=server.address,
            register_api_per_second=10,
            register_api_attempts=2,
            **(hour | other),
        )
        self.refresh = Refresh(store, settings, self.tell, now=lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    async def tell(self, company: InCare, entry: RegisterEntry) -> None:
        self.told.append((company, entry))

    async def look(self, *, after: timedelta = timedelta()) -> list[str]:
        """What it told at a look, by business id."""
        self.now += after
        before = len(self.told)
        await self.refresh.look()
        return [entry.business_id for _, entry in self.told[before:]]


async def in_care(store: Store, college: str, *numbers: int, known: bool = True) -> None:
    for number in numbers:
        id = business_id(number)
        state = {"business_id": id, "name": "x"}
        await store["companies"].insert_one({"_id": str(company_id(college, id)), "college": college, "state": state})
        if known:
            wanted = register.document(entry_of(record(number)))
            await store[register.COLLECTION].replace_one({"_id": id}, wanted, upsert=True)


async def entry(store: Store, number: int) -> Document:
    found = await store[register.COLLECTION].find_one({"_id": business_id(number)})
    assert found is not None
    return found


async def counts(store: Store) -> dict[str, int]:
    work = await store[claiming.COLLECTION].find_one({})
    assert work is not None
    return work["counts"]
