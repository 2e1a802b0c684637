"""``tyrsky dlq``, on the running store and with a running service."""

import asyncio
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner
from tyrsky import dlq_cli
from tyrsky.boxes import box_id

from .rig import MONGO, SETTINGS, Effects, Note, Rig, noting, until, visit

pytestmark = pytest.mark.stack

WIDE = {"COLUMNS": "250", "MONGO_URI": MONGO}
SETTINGS_OF_A_PERSON = SETTINGS.model_copy(update={"parked_retries_max": 0, "parked_retry_seconds": 0.01})


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines stay whole, however wide the terminal was when the module was imported."""
    monkeypatch.setattr(dlq_cli.console, "width", 250)


async def dlq(*words: str, say: str | None = None) -> tuple[int, str]:
    result = await asyncio.to_thread(CliRunner(env=WIDE).invoke, dlq_cli.app, list(words), input=say)
    return result.exit_code, result.output


async def park(rig: Rig, group: str = "g", offset: int = 1, key: str = "k") -> str:
    from .test_dead_letters import message

    letter = message(offset, key, b'{"to_email": "maija@example.fi"}')
    await rig.letters.put(group, rig.topic, letter, KeyError("maija"), attempts=1, due_at=datetime.now(UTC))
    return box_id(group, rig.topic.name, key)


async def test_a_list_shows_what_waits_and_no_content(rig: Rig):
    first, second = await park(rig, "g"), await park(rig, "h")
    code, said = await dlq("list", "-s", rig.service)
    assert (code, first in said, second in said, "KeyError" in said, "maija" in said) == (0, True, True, True, False)
    _, said = await dlq("list", "-s", rig.service, "--group", "h")
    assert (first in said, second in said) == (False, True)
    _, said = await dlq("list", "-s", rig.service, "--cause", "nothing of the kind")
    assert "no such dead letters" in said


async def test_a_service_without_dead_letters_has_none_and_a_name_of_no_service_is_told(rig: Rig):
    await rig.letters.prepare()
    assert await dlq("list", "-s", rig.service) == (0, f"{rig.service} has no dead letters.\n")
    for words in (["list"], ["show", "x"], ["replay", "--all"], ["drop", "--all"]):
        code, said = await dlq(*words, "-s", "companie")
        assert (code, said) == (1, "There is no database of a service companie. Is the name right?\n")


async def test_only_show_shows_content(rig: Rig):
    id = await park(rig)
    code, said = await dlq("show", id, "-s", rig.service)
    assert (code, "maija@example.fi" in said, "ce_type: x" in said) == (0, True, True)
    code, said = await dlq("show", "no/such/one", "-s", rig.service)
    assert (code, "no dead letter no/such/one" in said) == (1, True)


async def test_drop_asks_first_and_frees_the_key(rig: Rig):
    id, other = await park(rig), await park(rig, key="other")
    code, said = await dlq("drop", id, "-s", rig.service, say="n\n")
    assert (code, "Drop 1 letters" in said) == (1, True)
    assert await rig.letters.get(id)
    code, said = await dlq("drop", id, "-s", rig.service, "--yes")
    assert (code, "1 letters are dropped" in said) == (0, True)
    assert await rig.letters.get(id) is None
    assert await rig.letters.get(other)
    code, said = await dlq("drop", "-s", rig.service, "--yes")
    assert (code, "Say which" in said) == (2, True)


async def test_one_letter_may_be_dropped_and_those_behind_it_go_on(rig: Rig):
    effects, policies = Effects(rig.database), noting()

    async def hinder(command: Note) -> None:
        if command.sequence == 1:
            raise KeyError("for the test")

    effects.hinder = hinder
    id = box_id(policies.group, rig.topic.name, str(visit("a")))
    async with rig.instance(rig.policies(effects, policies), settings=SETTINGS_OF_A_PERSON):
        await rig.say("a", 3)
        await until(lambda: _waits(rig, id, 3))
        box = await rig.letters.get(id)
        assert box
        code, _ = await dlq("drop", id, "--letter", box["letters"][0]["id"], "-s", rig.service, "-y")
        assert code == 0
        await until(lambda: effects.of("a") == [2, 3])
        await until(lambda: _waits(rig, id, 0))


async def _waits(rig: Rig, id: str, count: int) -> bool:
    box = await rig.letters.get(id)
    return (box["count"] if box else 0) == count


async def test_replay_says_what_came_of_it(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    effects, policies = Effects(rig.database), noting()
    broken = True

    async def hinder(command: Note) -> None:
        if broken:
            raise KeyError("maija")

    effects.hinder = hinder
    id = box_id(policies.group, rig.topic.name, str(visit("a")))
    async with rig.instance(rig.policies(effects, policies), settings=SETTINGS_OF_A_PERSON):
        await rig.say("a", 2)
        await until(lambda: _waits(rig, id, 2))
        code, said = await dlq("replay", id, "-s", rig.service)
        assert (code, "failed again: KeyError" in said, "maija" in said) == (1, True, False)
        broken = False
        code, said = await dlq("replay", "--topic", rig.topic.name, "-s", rig.service)
        assert (code, f"{id}: taken" in said) == (0, True)
        code, said = await dlq("replay", "--all", "-s", rig.service)
        assert (code, "There is no such letter." in said) == (0, True)
    assert (effects.of("a"), effects.repeats) == ([1, 2], 0)
    await park(rig)
    monkeypatch.setattr(dlq_cli, "WAIT_SECONDS", 1)
    code, said = await dlq("replay", "--all", "-s", rig.service)
    assert (code, "is the service running?" in said) == (1, True)


async def test_a_store_that_is_away_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch):
    result = await asyncio.to_thread(
        CliRunner(env=WIDE).invoke, dlq_cli.app, ["list", "-s", "x", "--mongo-uri", "mongodb://127.0.0.1:1"]
    )
    assert (result.exit_code, "does not answer" in result.output, "Traceback" in result.output) == (2, True, False)
