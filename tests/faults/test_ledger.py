"""The ledger as paper: what is written is what is read, also when the writer was cut off."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults import ledger
from tests.faults.ledger import Asked, Ledger, Paper


def test_what_was_written_is_read_again(tmp_path: Path):
    book = Ledger(tmp_path / "ledger.jsonl")
    book.asked(Asked("w1", "c1", "u1", "plan-visit", "POST", "/companies/1/visits", "/visits/{id}", {"day": 1}))
    book.tried("w1", "503")
    book.answered("w1", 201, {"id": "v1", "day": 1}, version=1)
    book.asked(Asked("w2", "c1", "u1", "reserve-seat", "POST", "/rooms/r1/reservations", "/rooms/r1", within="room"))
    book.answered("w2", 409, {"code": "room-full"})
    book.asked(Asked("w3", "c1", "u1", "open-room", "POST", "/rooms"))
    book.gave_up("w3")
    book.asked(Asked("w4", "c1", "u1", "open-room", "POST", "/rooms"))  # and here the writer was killed
    planned, refused, alone, open_ = book.paper.wishes()
    assert (planned.about, planned.version, planned.tries, planned.content) == (
        "/visits/v1",
        1,
        2,
        {"id": "v1", "day": 1},
    )
    assert (refused.acknowledged, refused.code) == (False, "room-full")
    assert (alone.gave_up, open_.gave_up, open_.status) == (True, False, 0)
    assert book.counts == {"asked": 4, "acknowledged": 1, "refused": 1, "gave up": 1, "tries": 3}


def test_notes_are_found_by_what_they_are_about(tmp_path: Path):
    book = Ledger(tmp_path / "ledger.jsonl")
    book.noted("webhook", id="s1", body="{}")
    book.noted("fault", code="webhook")
    assert [note["id"] for note in book.paper.noted("webhook")] == ["s1"]


def test_what_is_new_is_read_on_and_nothing_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    book, parsed, loads = Ledger(tmp_path / "ledger.jsonl"), list[bytes](), json.loads

    def parse(line: bytes) -> Any:
        parsed.append(line)
        return loads(line)

    monkeypatch.setattr(ledger.json, "loads", parse)
    book.asked(Asked("w1", "c1", "u1", "open-room", "POST", "/rooms", "/rooms/{id}"))
    [before] = book.paper.wishes()
    book.answered("w1", 201, {"id": "r1"}, version=1)
    book.looked("/rooms/r1", "c1", 1, 1.0)
    [after] = book.paper.wishes()
    [look] = book.paper.looks()
    assert (before.status, after.status, after.about, look.path) == (0, 201, "/rooms/r1", "/rooms/r1")
    assert len(parsed) == 3


def test_a_line_that_is_just_being_written_is_read_when_it_is_whole(tmp_path: Path):
    file = tmp_path / "ledger.jsonl"
    paper, line = Paper(file), json.dumps({"happening": "noted", "wish": "webhook", "at": 1.0, "id": "s1"}) + "\n"
    file.write_text(line + line[:20])
    assert len(paper.noted("webhook")) == 1
    file.write_text(line + line)
    assert len(paper.noted("webhook")) == 2


def test_nobody_reads_the_paper_in_the_loop_that_all_proxies_live_in():
    in_the_loop = [
        f"{file.name}:{call.lineno}"
        for file in Path(__file__).parent.glob("*.py")
        if not file.name.startswith("test_")
        for coroutine in ast.walk(ast.parse(file.read_text()))
        if isinstance(coroutine, ast.AsyncFunctionDef)
        for call in ast.walk(coroutine)
        if isinstance(call, ast.Call) and ".paper." in ast.unparse(call.func)
    ]
    assert in_the_loop == []
