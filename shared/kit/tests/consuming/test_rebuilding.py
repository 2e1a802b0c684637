"""A read model rebuilt beside the running service, and the commands for it."""

import asyncio
import sys
from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner
from tyrsky import project_cli
from tyrsky.deliveries import Edition
from tyrsky.projecting import Projection
from tyrsky.rebuilding import RebuildFailed, rebuild
from tyrsky.rows import Rows, Shelf, Shelves
from tyrsky_contracts.companies import VisitRecorded
from tyrsky_contracts.event import Envelope

from .rig import KAFKA, MONGO, SETTINGS, Reach, Rig, reach_projection, until, visit

pytestmark = pytest.mark.stack

NAMES = "abcdef"
Patch = pytest.MonkeyPatch


def picky() -> Projection[Reach]:
    projection = Projection("reach", Reach, key=lambda event: event.business_id)

    @projection.on(VisitRecorded)
    def reached(row: Reach, event: VisitRecorded, about: Envelope) -> Reach:
        if event.visit_id == visit("a") and about.sequence == 2:
            raise LookupError("for the test")
        return row.but(visits=row.visits + 1)

    return projection


async def rebuilt(rig: Rig, projection: Projection[Reach] | None = None, **options: Any) -> Shelf[Reach]:
    return await rebuild(
        projection or reach_projection(),
        rig.database,
        service=rig.service,
        bootstrap=KAFKA,
        codec=rig.codec,
        progress=lambda done, total: None,
        **options,
    )


async def test_a_rebuild_comes_to_the_same(rig: Rig):
    for name in NAMES:
        await rig.say(name, 20)
    await rig.say_raw(b"\xff", [], b"garbage")
    async with rig.instance(rig.projection()):
        await until(lambda: rig.caught_up(rig.projection().group))
    before = await rig.digest()
    progress: list[tuple[int, int]] = []
    await rebuild(
        reach_projection(),
        rig.database,
        service=rig.service,
        bootstrap=KAFKA,
        codec=rig.codec,
        progress=lambda done, total: progress.append((done, total)),
    )
    assert await rig.digest() == before
    assert progress[-1] == (121, 121)
    assert (await Shelves(rig.database, reach_projection()).current()).number == 1


async def test_nothing_falls_between_two_editions_while_events_keep_coming(rig: Rig):
    settings = SETTINGS.model_copy(update={"consumer_batch_max": 5})
    talking = asyncio.create_task(_talk(rig, 60))
    seen: list[int] = []
    async with rig.instance(rig.projection(), settings=settings), rig.instance(rig.projection(), settings=settings):
        watching = asyncio.create_task(_watch(rig, seen))
        for _ in range(3):
            await asyncio.sleep(0.7)
            await rebuilt(rig)
        await talking
        await until(lambda: rig.caught_up(rig.projection().group), seconds=30)
        watching.cancel()
    live = await rig.digest()
    row = await rig.row()
    assert row
    assert (row.visits, row.sum_of_minutes) == (60 * len(NAMES), 1830 * len(NAMES))
    shelf = await rebuilt(rig)
    assert await shelf.digest() == live
    assert len(seen) > 10
    # A reader may see a new edition that is a little behind the old one; never one that is half built.
    assert all(later >= earlier - 100 for earlier, later in pairwise(seen))


async def _talk(rig: Rig, rounds: int) -> None:
    for _ in range(rounds):
        for name in NAMES:
            await rig.say(name)
        await asyncio.sleep(0.05)


async def _watch(rig: Rig, seen: list[int]) -> None:
    rows = Rows(Shelves(rig.database, reach_projection()))
    while True:
        row = await rows.get("1234567-1")
        seen.append(row.visits if row else 0)
        await asyncio.sleep(0.05)


async def test_a_service_that_was_away_during_the_rebuild_begins_where_that_ended(rig: Rig):
    """Its offsets were committed on the old edition, which had less."""
    group = rig.projection().group
    async with rig.instance(rig.projection()):
        await rig.say("a", 5)
        await until(lambda: rig.caught_up(group))
    await rig.say("a", 5)
    await rebuilt(rig)
    await rig.say("a", 5)
    async with rig.instance(rig.projection()):
        await until(lambda: rig.caught_up(group))
    row = await rig.row()
    assert row
    assert row.visits == 15


async def test_offsets_that_are_ahead_of_the_rebuild_are_wound_back_to_it(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    """The service committed what came after the rebuild had ended, on the edition that nobody reads any more."""
    group = rig.projection().group
    await rig.say("a", 5)
    async with rig.instance(rig.projection()):
        await until(lambda: rig.caught_up(group))
        publish = Shelves[Reach].publish

        async def late(self: Shelves[Reach], edition: Edition) -> bool:
            await rig.say("a", 5)
            await until(lambda: rig.caught_up(group))
            return await publish(self, edition)

        monkeypatch.setattr(Shelves, "publish", late)
        await rebuilt(rig)
    # Stopped before it heard of the new edition; the next one must find out from the offsets alone.
    async with rig.instance(rig.projection()):
        await rig.say("b", 1)
        await until(lambda: rig.caught_up(group))
        await until(lambda: _visits(rig, 11))


async def _visits(rig: Rig, count: int) -> bool:
    row = await rig.row()
    return row is not None and row.visits == count


async def test_a_letter_is_not_replayed_into_an_edition_that_lacks_what_stood_before_it(rig: Rig, monkeypatch: Patch):
    """Events 6 to 10 came after the rebuild had read its last; 8 was parked, and is mended in that moment."""
    group, broken = rig.projection().group, True
    projection = Projection("reach", Reach, key=lambda event: event.business_id)

    @projection.on(VisitRecorded)
    def reached(row: Reach, event: VisitRecorded, about: Envelope) -> Reach:
        if broken and about.sequence == 8:
            raise LookupError("for the test")
        return row.but(visits=row.visits + 1)

    publish = Shelves[Reach].publish

    async def late(self: Shelves[Reach], edition: Edition) -> bool:
        nonlocal broken
        await rig.say("a", 5)
        await until(lambda: _letters(rig, 3))
        async with consumers.consumers[0]._in_hand:  # pyright: ignore[reportPrivateUsage] - it cannot notice yet
            published = await publish(self, edition)
            broken = False
            await asyncio.sleep(2.5)
            assert await _letters(rig, 3)
        return published

    await rig.say("a", 5)
    async with rig.instance(rig.projection(projection)) as consumers:
        await until(lambda: rig.caught_up(group))
        monkeypatch.setattr(Shelves, "publish", late)
        await rebuilt(rig, projection)
        await until(lambda: _letters(rig, 0))
        await until(lambda: _visits(rig, 10))


async def _letters(rig: Rig, count: int) -> bool:
    return sum(each for *_, each in await rig.letters.counts()) == count


async def test_an_event_that_cannot_be_folded_leaves_everything_as_it_was(rig: Rig):
    await rig.say("a", 3)
    await rig.say("b", 3)
    await rig.producer.flush()
    with pytest.raises(RebuildFailed, match=r"1 keys have an event.*\n.*LookupError"):
        await rebuilt(rig, picky())
    assert (await Shelves(rig.database, picky()).current()).number == 0
    assert [name for name in await rig.database.list_collection_names() if "edition" in name] == []
    shelf = await rebuilt(rig, picky(), leave_out_failing=True)
    assert (await shelf.get(["1234567-1"]))["1234567-1"][0].row == Reach(visits=4)


async def test_only_the_edition_before_is_kept_beside_the_current_one(rig: Rig):
    await rig.say("a")
    await rig.producer.flush()
    names = [(await rebuilt(rig)).collection.name for _ in range(3)]
    kept = {name for name in await rig.database.list_collection_names() if "edition" in name}
    assert kept == set(names[1:])


async def test_the_commands(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    await rig.say("a", 3)
    async with rig.instance(rig.projection()):
        await until(lambda: rig.caught_up(rig.projection().group))
    settings = SimpleNamespace(mongo_uri=SecretStr(MONGO), mongo_database=rig.service, kafka_bootstrap=KAFKA)
    service = SimpleNamespace(
        name=rig.service, settings=settings, codec=rig.codec, projections={"reach": reach_projection()}
    )
    main = ModuleType("rigged.main")
    main.service = service  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "rigged", ModuleType("rigged"))
    monkeypatch.setitem(sys.modules, "rigged.main", main)

    async def run(*words: str) -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, project_cli.app, list(words))
        return result.exit_code, result.output

    code, before = await run("hash", "rigged", "reach")
    assert (code, before.strip()) == (0, await rig.digest())
    code, said = await run("rebuild", "rigged", "reach")
    assert (code, "reach is rebuilt: 1 rows" in said, before.strip() in said) == (0, True, True)
    code, said = await run("rebuild", "rigged", "unheard-of")
    assert (code, "it has: reach" in said) == (2, True)
    code, said = await run("hash", "no-such-service", "reach")
    assert (code, "no service no-such-service" in said) == (2, True)
