"""The ledger as paper: what is written is what is read, also when the writer was cut off."""

from pathlib import Path

from tests.faults import ledger
from tests.faults.ledger import Asked, Ledger


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
    planned, refused, alone, open_ = ledger.read(book.file)
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
    assert [note["id"] for note in ledger.noted(book.file, "webhook")] == ["s1"]
