"""The rules of notes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from companies.note import (
    ChangeNote,
    FileOf,
    Kind,
    NoteChanged,
    NoteRemoved,
    NoteWritten,
    RemoveNote,
    WriteNote,
    aggregate,
)
from pydantic import ValidationError
from tyrsky.testing import given
from tyrsky_contracts.companies import CompanyTouched

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
ID, COMPANY = uuid4(), uuid4()
WHAT: dict[str, Any] = {
    "company_id": COMPANY,
    "business_id": "0100130-4",
    "kind": "call",
    "at": NOON,
    "by": "u1",
    "contact_id": None,
    "text": "Aino kertoi laajennuksesta.",
    "files": (),
}
OFFER = FileOf(name="tarjous.pdf", media_type="application/pdf", bytes=1_000, url="https://files.example/1")

written = NoteWritten(**WHAT)
touched = CompanyTouched(company_id=COMPANY, business_id="0100130-4", touched_at=NOON, channel="call")
remove = RemoveNote(note_id=ID)


def write(**otherwise: Any) -> WriteNote:
    return WriteNote.model_validate({"note_id": ID, "now": NOON, **WHAT, **otherwise})


def change(**otherwise: Any) -> ChangeNote:
    return ChangeNote(note_id=ID, **otherwise)


def test_a_call_is_told_to_the_network_without_what_was_said():
    given(aggregate).when(write()).then(written, touched)
    assert "Aino" not in touched.model_dump_json()


@pytest.mark.parametrize(("kind", "told"), [("note", 0), ("call", 1), ("e-mail", 1), ("meeting", 1)])
def test_a_thought_is_no_touch(kind: Kind, told: int):
    happenings = given(aggregate).when(write(kind=kind)).happenings
    assert [each.channel for each in happenings if isinstance(each, CompanyTouched)] == [kind] * told


def test_the_same_note_sent_twice_is_one():
    given(aggregate, written, touched).when(write()).then()
    given(aggregate, written, touched).when(write(text="Muuta")).rejected("note-already-written")


def test_a_note_that_does_not_say_when_is_of_now_and_the_same_when_it_is_sent_later():
    given(aggregate).when(write(at=None)).then(written, touched)
    later = write(at=None, now=NOON + timedelta(days=1))
    given(aggregate, written, touched).when(later).then()


def test_nobody_was_in_touch_tomorrow():
    late = write(at=NOON + timedelta(seconds=1))
    given(aggregate).when(late).rejected("note-in-the-future", field="at")


def test_a_note_says_something_or_has_a_file():
    given(aggregate).when(write(text=" \n")).rejected("note-empty", field="text")
    with_file = written.model_copy(update={"text": "", "files": (OFFER,)})
    given(aggregate).when(write(text="", files=(OFFER,))).then(with_file, touched)
    given(aggregate, written, touched).when(change(text="")).rejected("note-empty", field="text")


def test_a_note_is_changed():
    given(aggregate, written).when(change(text="Aino soittaa.")).then(NoteChanged(text="Aino soittaa.", files=()))
    given(aggregate, written).when(change(files=(OFFER,))).then(NoteChanged(text=written.text, files=(OFFER,)))
    given(aggregate, written).when(change(text=written.text)).then()


def test_a_removed_note_tells_nothing_any_more():
    outcome = given(aggregate, written, touched).when(remove).then(NoteRemoved())
    assert outcome.state is not None
    assert "Aino" not in outcome.state.model_dump_json()
    given(aggregate, written, NoteRemoved()).when(remove).then()
    given(aggregate, written, NoteRemoved()).when(change(text="Aino")).rejected("note-removed")


def test_what_is_not_there_is_not_changed():
    for command in (change(text="a"), remove):
        given(aggregate).when(command).rejected("note-unknown")


def test_a_file_is_at_an_address_that_a_browser_may_open():
    for url in ("http://files.example/1", "javascript:alert(1)", "https://a b", "file:///etc/passwd"):
        with pytest.raises(ValidationError):
            OFFER.but(url=url)
