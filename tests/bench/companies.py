"""Companies in a store: made beforehand, read again to see that all came true, and written without the platform."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

from companies import testing
from companies.company import Company
from pymongo.asynchronous.database import AsyncDatabase
from tyrsky.finding import WAITING
from tyrsky.store import bson, new_token
from tyrsky_contracts.companies import CompanyTagged

from tests.bench import topics
from tests.bench.bench import Bench, Document, Wrong, check
from tests.bench.load import Driven, request

COLLEGE = "vaao"
SEED_BATCH = 1_000
DRAIN_SECONDS = 30
MUNICIPALITIES = tuple(f"{number:03}" for number in range(100, 120))
TAGS = ("recruits", "fair-2026", "alumni", "apprentices")


@dataclass
class Known:
    """A company as the benchmark knows it to be."""

    id: str
    version: int = 1
    tags: list[str] = field(default_factory=list[str])


async def fill(bench: Bench, database: AsyncDatabase[Document], count: int) -> list[Known]:
    """So many companies, as the platform itself would have written them, their events published."""
    random = bench.random("companies")
    known = [Known(str(UUID(int=random.getrandbits(128), version=4))) for _ in range(count)]
    for first in range(0, count, SEED_BATCH):
        batch = [
            _document(each.id, number, random) for number, each in enumerate(known[first : first + SEED_BATCH], first)
        ]
        await database["companies"].insert_many(batch, ordered=False)
    return known


def _document(id: str, number: int, random: Random) -> Document:
    state = Company(
        business_id=testing.business_id(number % 400_000),
        name=f"Testikahvila Hämärä {random.randrange(10**6):06} Oy",
        municipality=random.choice(MUNICIPALITIES),
        business_line="56300",
        business_line_codes="TOL2025",
    )
    return {
        "_id": id,
        "college": COLLEGE,
        "version": 1,
        "state": bson(state.model_dump()),
        "changed_at": datetime.now(UTC),
        "sequence": 1,
        "outbox": [],
        "lease_token": "",
        "receipts": [],
    }


def tagging(company: Known, random: Random, headers: dict[str, str], *, keyed: bool = True) -> bytes:
    """A request to label a company, upon the version that is known; with a name for the wish, unless told otherwise."""
    company.tags = [f"{random.choice(TAGS)}-{random.randrange(10**6)}" for _ in range(2)]
    headers = {**headers, "If-Match": f'"{company.version}"'}
    if keyed:
        headers["Idempotency-Key"] = str(UUID(int=random.getrandbits(128), version=4))
    return request("PATCH", f"/companies/{company.id}", headers, {"tags": company.tags})


def took(asked: Sequence[Known], driven: Driven) -> None:
    """Every answer is a success and shows the next version with the labels; what is known grows by it.

    :raises Wrong: when one does not.
    """
    check(driven.statuses() == {200: len(asked)}, f"of {len(asked)} commands: {driven.statuses()}")
    for company, answer in zip(asked, driven.answers, strict=True):
        company.version += 1
        if f'etag: "{company.version}"'.encode() not in answer.head or company.id not in answer.body.decode():
            raise Wrong(f"company {company.id} was answered with another version or company: {answer.head!r}")
        check(answer.json()["tags"] == company.tags, f"company {company.id} was answered with {answer.body!r}")


async def backlog(database: AsyncDatabase[Document], collection: str = "companies") -> int:
    """Events that are written and not yet seen to be on the topic."""
    waiting = database[collection].find(WAITING, {"outbox.sequence": 1})
    return sum([len(each["outbox"]) async for each in waiting])


async def drained(database: AsyncDatabase[Document], collection: str = "companies") -> float:
    """Wait for all outboxes to be empty, and tell the seconds that it took.

    :raises Wrong: when they do not get empty.
    """
    began = time.perf_counter()
    while left := await backlog(database, collection):
        check(time.perf_counter() - began < DRAIN_SECONDS, f"{left} events wait in outboxes after {DRAIN_SECONDS} s")
        await asyncio.sleep(0.05)
    return time.perf_counter() - began


async def published(bench: Bench, topic: str, known: Sequence[Known]) -> None:
    """The topic has each company's events up to its version, each once and in order, the last with its labels.

    :raises Wrong: when it has not.
    """
    events = await topics.read_all(bench.bootstrap, topic)
    topics.each_once(
        [(each.key, each.sequence) for each in events],
        {each.id: range(2, _sequence(each.version) + 1) for each in known},
    )
    last = {each.key: json.loads(each.body) for each in events if each.type == CompanyTagged.type}
    for company in known:
        if company.version > 1:
            told = last[company.id]["tags"]
            check(told == company.tags, f"the last event of company {company.id} says {told}, not {company.tags}")


def _sequence(version: int) -> int:
    """How many events it has had by then: what happened, and who did it."""
    return 2 * version - 1


async def written(database: AsyncDatabase[Document], known: Sequence[Known]) -> None:
    """What was acknowledged is in the store: each company at its version with its labels, and with as many events.

    :raises Wrong: when one is not.
    """
    fields = {"version": 1, "sequence": 1, "state.tags": 1}
    versions = {each["_id"]: each async for each in database["companies"].find({}, fields)}
    for company in known:
        found = versions.get(company.id, {})
        check(
            (found.get("version"), found.get("sequence")) == (company.version, _sequence(company.version)),
            f"company {company.id} was acknowledged at {company.version}, and is stored as {found}",
        )
        tags = found["state"].get("tags", [])
        check(tags == company.tags, f"company {company.id} has {tags} in the store, and was given {company.tags}")


class Floor:
    """The write that a command comes to, by the bare client: the guarded update of just such a document, with its
    events in the outbox and a receipt. No decision, no reading, nothing published, nothing cleared."""

    def __init__(self, database: AsyncDatabase[Document], written: Document) -> None:
        self._collection = database["floor"]
        self._template = written
        self._version: int = written["version"]
        self.versions: dict[str, int] = {}

    async def fill(self, count: int) -> None:
        """So many copies of a document that the platform has written."""
        ids = [str(uuid4()) for _ in range(count)]
        for first in range(0, count, SEED_BATCH):
            await self._collection.insert_many(
                [{**self._template, "_id": id} for id in ids[first : first + SEED_BATCH]]
            )
        self.versions = dict.fromkeys(ids, self._version)

    async def update(self, id: str) -> None:
        """One command's write."""
        version, now = self.versions[id], datetime.now(UTC)
        replaced: dict[str, Any] = {
            "version": version + 1,
            "state": self._template["state"],
            "changed_at": now,
            "sequence": version + 1,
            "receipts": self._template["receipts"],
            "outbox": self._template["outbox"],
            "lease_by": "a-holder",
            "lease_token": new_token(),
        }
        done = await self._collection.update_one(
            {"_id": id, "college": COLLEGE, "version": version},
            {"$set": replaced, "$min": {"outbox_since": now}},
        )
        check(done.matched_count == 1, "the floor's own update found nothing")
        self.versions[id] = version + 1
