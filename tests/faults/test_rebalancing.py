"""What a rebalance found in a member's hands is judged by what the processes wrote down, not by what was planned."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tyrsky.deliveries import Message

from tests.faults import batches
from tests.faults.batches import Batches, notes
from tests.faults.control import Control
from tests.faults.rebalancing import Found, Place, found_in, judged

GROUP = "companies-policies"
FIRST, SECOND = ("companies", 0, 7), ("companies", 1, 3)
BATCH = frozenset[Place]({FIRST, SECOND})


def note(what: str, at: float, **facts: Any) -> dict[str, Any]:
    return {"what": what, "at": at, **facts}


HELD = note("held", 2, offsets=[FIRST, SECOND])
IN_TIME = [HELD, note("asked", 3, in_hand=2), note("committed", 4, done=True), note("waited", 5, in_hand=0)]
PAST = [HELD, note("asked", 3, in_hand=2), note("waited", 23, in_hand=2), note("committed", 26, done=False)]


def test_a_batch_that_is_done_in_time_is_committed_and_comes_to_nobody_again():
    found = found_in(IN_TIME, [note("taken", 1, offsets=[FIRST])], set())
    assert found == Found(BATCH, asked=2, left=0, committed=True)
    assert judged(found, past=False) == []


@pytest.mark.parametrize(
    ("of_holder", "taken", "read"),
    [
        (IN_TIME, [note("taken", 6, offsets=[SECOND])], set[Place]()),
        (IN_TIME, [], {FIRST}),
        ([HELD, note("asked", 3, in_hand=2), note("committed", 4, done=False)], [], set[Place]()),
    ],
)
def test_one_that_was_not_committed_or_came_again_is_wrong(
    of_holder: Sequence[dict[str, Any]], taken: Sequence[dict[str, Any]], read: set[Place]
):
    assert len(judged(found_in(of_holder, taken, read), past=False)) == 1


def test_a_batch_that_is_held_past_the_wait_has_to_come_again_as_a_whole():
    again = [note("taken", 25, offsets=[FIRST])]
    assert judged(found_in(PAST, again, {SECOND}), past=True) == []
    assert judged(found_in(PAST, again, set()), past=True) == [
        f"{SECOND} was in hand past the rebalance, and did not come again"
    ]
    assert judged(found_in(IN_TIME, again, {SECOND}), past=True) == [
        "the batch was done before the kit waited no longer"
    ]


def test_a_rebalance_that_found_nothing_in_hand_is_none():
    assert found_in([], [], set()).asked == 0
    assert found_in([HELD], [], set()).asked == 0
    assert found_in([note("asked", 1, in_hand=2), HELD], [], set()).asked == 0


def test_half_a_line_is_not_read_yet(tmp_path: Path):
    file = tmp_path / "a.batches"
    file.write_text(json.dumps(HELD | {"offsets": []}) + '\n{"what": "ask')
    assert [each["what"] for each in notes(file, 0)] == ["held"]
    assert notes(file, 3) == []


class Kit:
    """As much of a consumer and its inbox as a batch goes through."""

    def __init__(self, control: Control, taken: list[int]) -> None:
        of = Batches(control)
        self.reaction, self.group = SimpleNamespace(group=GROUP), GROUP

        async def take(_: Any, batch: Sequence[Message], __: Any) -> None:
            taken.append(len(batch))

        async def nothing(*_: Any) -> None:
            """The kit's own part in a rebalance."""

        async def refuse(*_: Any) -> bool:
            return False

        self.take: Callable[..., Any] = of.taking(take)
        self.asked, self.given = of.asking(nothing), of.giving(nothing)
        self.commit = of.committing(refuse)

    def wants(self, message: Message) -> bool:
        """Those of the first partition."""
        return message.partition == 0


def message(partition: int, offset: int) -> Message:
    return Message("companies", partition, offset, "key", (), b"")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(batches, "GATHERS_SECONDS", 0.0)
    return tmp_path / "companies.json"


async def go_through(file: Path, *, past: bool, hold: str) -> tuple[list[str], list[int]]:
    file.write_text(json.dumps({"number": 7, "watch": GROUP, "hold": hold, "past": past}))
    control, taken = Control(file), list[int]()
    control.look()
    kit = Kit(control, taken)
    await kit.take(kit, [message(0, 1)], None)  # gathers
    await kit.take(kit, [message(1, 1)], None)  # nobody wants it
    task = asyncio.create_task(kit.take(kit, [message(0, 7), message(1, 3)], None))
    await asyncio.sleep(0.05)
    assert len(taken) == (2 if hold == "before" else 3)
    await kit.asked(kit, [])
    await asyncio.sleep(0.05)
    assert task.done() is not past
    await kit.given(kit, [])
    await task
    await kit.commit(kit, {})
    await kit.take(kit, [message(0, 8)], None)  # once for each wish
    return [each["what"] for each in notes(file, 0)], taken


@pytest.mark.parametrize("hold", ["before", "after"])
@pytest.mark.parametrize("past", [True, False])
async def test_the_batch_is_held_until_the_rebalance_begins_or_is_past(told: Path, hold: str, past: bool):
    written, taken = await go_through(told, past=past, hold=hold)
    assert written == ["taken", "taken", "taken", "held", "asked", "waited", "given", "committed", "taken"]
    assert taken == [1, 1, 2, 1]
    asked, waited = (each for each in notes(told, 0) if each["what"] in ("asked", "waited"))
    assert (asked["in_hand"], waited["in_hand"]) == (2, 2)


async def test_other_groups_go_their_way(told: Path):
    told.write_text(json.dumps({"number": 7, "watch": "seats-policies", "hold": "before"}))
    control, taken = Control(told), list[int]()
    control.look()
    kit = Kit(control, taken)
    await kit.take(kit, [message(0, 1)], None)
    await kit.asked(kit, [])
    assert taken == [1]
    assert notes(told, 0) == []
