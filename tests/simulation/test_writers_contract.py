"""Several who write at once: what the store in memory promises them, the real one promises, and no more than that.

What is promised is each document by itself. Between two documents of one request anybody may come, here and there.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient, ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError

from tests.simulation.loop import Loop
from tests.simulation.network import Network, Weather
from tests.simulation.store import Server

WRITERS = 8
ROOMS = 200
ROUNDS_MAX = 100
"""In so many rounds two must have come between each other's documents. On a real store that is a matter of threads."""


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.stack)])
async def rooms(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A collection of the test's own; the one in memory is asked over the simulation's network."""
    name = f"writers_{uuid4().hex[:12]}"
    if request.param == "memory":
        network = Network(Random(1), Weather(late=0.3), patience=60)
        yield Server().client(network)[name]["rooms"]
        return
    async with AsyncMongoClient[dict[str, Any]](os.environ["MONGO_URI"]) as client:
        yield client[name]["rooms"]
        await client.drop_database(name)


async def several(work: Callable[[int], Any], count: int = WRITERS) -> list[Any]:
    """What came of the same work of several at once; an id that was taken is None."""

    async def one(number: int) -> Any:
        try:
            return await work(number)
        except DuplicateKeyError:
            return None

    return await asyncio.gather(*(one(number) for number in range(count)))


async def test_of_several_additions_none_is_lost(rooms: Any) -> None:
    await rooms.insert_one({"_id": "a", "n": 0, "list": []})
    await several(lambda n: rooms.update_one({"_id": "a"}, {"$inc": {"n": 1}, "$push": {"list": n}}))
    found = await rooms.find_one({"_id": "a"})
    assert (found["n"], sorted(found["list"])) == (WRITERS, list(range(WRITERS)))


async def test_of_several_who_saw_one_version_one_writes(rooms: Any) -> None:
    await rooms.insert_one({"_id": "a", "version": 1})
    change: Any = {"$inc": {"version": 1}}
    results = await several(lambda n: rooms.update_one({"_id": "a", "version": 1}, {**change, "$set": {"by": n}}))
    assert sorted(result.matched_count for result in results) == [0] * (WRITERS - 1) + [1]
    winner = next(n for n, result in enumerate(results) if result.matched_count)
    assert await rooms.find_one({"_id": "a"}) == {"_id": "a", "version": 2, "by": winner}


async def test_of_several_who_make_one_document_one_does(rooms: Any) -> None:
    made = await several(lambda n: rooms.insert_one({"_id": "a", "by": n}))
    assert len([each for each in made if each]) == 1

    def put(n: int) -> Any:
        """As a letter is put into a box: the box is made when there is none, the letter is put in once."""
        fresh = {"_id": "box", "letters.id": {"$ne": "same"}}
        return rooms.update_one(fresh, {"$push": {"letters": {"id": "same"}}, "$inc": {"count": 1}}, upsert=True)

    results = await several(put)
    assert [each.upserted_id for each in results if each] == ["box"]
    assert await rooms.find_one({"_id": "box"}) == {"_id": "box", "letters": [{"id": "same"}], "count": 1}


async def test_each_who_claims_gets_one_that_nobody_else_has(rooms: Any) -> None:
    await rooms.insert_many([{"_id": str(n), "due": n} for n in range(WRITERS)])

    def claim(n: int) -> Any:
        free = {"by": {"$exists": False}}
        mine = {"$set": {"by": n}}
        return rooms.find_one_and_update(free, mine, sort=[("due", 1)], return_document=ReturnDocument.AFTER)

    claimed = await several(claim)
    assert sorted(each["_id"] for each in claimed) == [str(n) for n in range(WRITERS)]
    assert [each["by"] for each in claimed] == list(range(WRITERS))


async def test_whoever_claims_many_has_each_alone(rooms: Any) -> None:
    await rooms.insert_many([{"_id": str(n)} for n in range(ROOMS)])

    def claim(n: int) -> Any:
        return rooms.update_many({"by": {"$exists": False}}, {"$set": {"by": n}, "$inc": {"claims": 1}})

    results = await several(claim)
    assert sum(result.matched_count for result in results) == ROOMS
    assert await rooms.count_documents({"claims": 1}) == ROOMS
    for number, result in enumerate(results):
        assert await rooms.count_documents({"by": number}) == result.matched_count


def by_update_many(rooms: Any, number: int) -> Any:
    return rooms.update_many({}, {"$set": {"by": number, "also": number}})


def by_bulk(rooms: Any, number: int) -> Any:
    """Each in another order, as relays clear outboxes."""
    ids = range(ROOMS) if number % 2 else reversed(range(ROOMS))
    change: Any = {"$set": {"by": number, "also": number}}
    return rooms.bulk_write([UpdateOne({"_id": str(id)}, change) for id in ids], ordered=False)


@pytest.mark.parametrize("write", [by_update_many, by_bulk])
async def test_each_document_is_whole_one_writer_s(rooms: Any, write: Any) -> None:
    await rooms.insert_many([{"_id": str(n)} for n in range(ROOMS)])
    for _ in range(10):
        await several(lambda n: write(rooms, n), 2)
        assert all(each["by"] == each["also"] for each in await rooms.find({}).to_list())


async def mixed(rooms: Any, write: Any) -> bool:
    """Whether of two who wrote all at once each was the last somewhere."""
    for _ in range(ROUNDS_MAX):
        await several(lambda n: write(rooms, n), 2)
        if len({each["by"] for each in await rooms.find({}).to_list()}) > 1:
            return True
    return False


async def test_between_the_documents_of_a_bulk_another_write_may_come(rooms: Any) -> None:
    """Whoever takes a request of many documents for one step has to see that it is none, in memory too."""
    await rooms.insert_many([{"_id": str(n)} for n in range(ROOMS)])
    assert await mixed(rooms, by_bulk)


def in_simulation(test: Callable[[Any], Any]) -> Any:
    """What comes of a test in the simulation, where chance decides who is next. The embedded store takes these requests
    in one; MongoDB's own does not, and nobody may count on it."""
    loop = Loop("writers")
    network = Network(Random("writers"), Weather(), patience=60)

    async def run() -> Any:
        rooms = Server().client(network)["x"]["rooms"]
        await rooms.insert_many([{"_id": str(n), "by": 0} for n in range(20)])
        return await test(rooms)

    return loop.run(run())


def test_in_memory_another_comes_between_the_documents_of_an_update_of_many() -> None:
    assert in_simulation(lambda rooms: mixed(rooms, by_update_many))


def test_in_memory_another_sees_a_deletion_of_many_half_done() -> None:
    async def watched(rooms: Any) -> bool:
        deleting = asyncio.create_task(rooms.delete_many({}))
        seen: set[int] = set()
        while not deleting.done():
            seen.add(await rooms.count_documents({}))
        return bool(seen - {0, 20})

    assert in_simulation(watched)
