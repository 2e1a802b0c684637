"""F11 holds what goes on while a receiver hangs against what went on just before."""

import json
from pathlib import Path

import pytest

from tests.faults.ledger import Paper
from tests.faults.receivers import Window, slower, took

BEFORE = Window([0.1] * 100, {"the webhook": 60}, {"the webhook": 90})  # some were put off by an earlier hang


@pytest.mark.parametrize(
    ("commands", "arrived", "wrong"), [(80, 30, 0), (100, 60, 0), (79, 60, 1), (100, 29, 1), (34, 1, 2)]
)
def test_others_get_half_and_commands_are_four_of_five(commands: int, arrived: int, wrong: int):
    during = Window([0.1] * commands, {"the webhook": 60}, {"the webhook": arrived})
    assert len(slower("the mail server", BEFORE, during)) == wrong


def test_what_was_asked_since_and_acknowledged_is_counted_with_how_long_it_took(tmp_path: Path):
    file = tmp_path / "ledger.jsonl"
    before = [("asked", "w0", 0.0, {}), ("asked", "w1", 1.0, {}), ("answered", "w1", 1.5, {"status": 201})]
    after = [
        ("answered", "w0", 5.0, {"status": 201}),  # asked before
        ("asked", "w2", 5.0, {}),
        ("asked", "w3", 5.5, {}),
        ("tried", "w2", 6.0, {}),
        ("answered", "w3", 6.0, {"status": 409}),
        ("answered", "w2", 7.0, {"status": 200}),
        ("asked", "w4", 7.5, {}),
    ]

    def written(happenings: list[tuple[str, str, float, dict[str, int]]]) -> str:
        lines = [{"happening": what, "wish": wish, "at": at, **facts} for what, wish, at, facts in happenings]
        return "".join(json.dumps(line) + "\n" for line in lines)

    file.write_text(written(before))
    place = file.stat().st_size
    file.write_text(written(before) + written(after))
    assert took(Paper(file), place) == [2.0]
