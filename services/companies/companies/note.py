"""A note about a company: a call, an e-mail, a meeting, or a thought; with the files that belong to it.

It may tell of people: all of it stays in the college. That somebody was in touch, when and by what means, is told.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints
from tyrsky.aggregate import Aggregate, Command, Happening, PrivateEvent, Rejected, State, Unknown
from tyrsky_contracts.companies import CompanyTouched
from tyrsky_contracts.event import BusinessId

from companies.care import Subject

Kind = Literal["note", "call", "e-mail", "meeting"]
Text = Annotated[str, Field(max_length=10_000)]

FILES_MAX = 20
FILE_BYTES_MAX = 10 * 2**30


class FileOf(State):
    """What is known of a file. The file itself is where the college keeps its files."""

    name: Annotated[str, Field(min_length=1, max_length=255, examples=["tarjous.pdf"])]
    media_type: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}$"),
        Field(examples=["application/pdf"]),
    ]
    bytes: Annotated[int, Field(ge=0, le=FILE_BYTES_MAX)]
    url: Annotated[
        str, StringConstraints(pattern=r"^https://[^\s]{1,2000}$"), Field(examples=["https://files.college.example/17"])
    ]
    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$", examples=["0a1b" * 16])] = None


Files = Annotated[tuple[FileOf, ...], Field(max_length=FILES_MAX)]


class Note(State):
    """What was written down; of one that was removed, only that there was one."""

    company_id: UUID
    business_id: BusinessId
    kind: Kind
    at: AwareDatetime
    by: Subject
    contact_id: UUID | None = None
    text: Text = ""
    files: Files = ()
    removed: bool = False


class NoteWritten(PrivateEvent):
    """Somebody wrote something down about a company."""

    company_id: UUID
    business_id: BusinessId
    kind: Kind
    at: AwareDatetime
    by: Subject
    contact_id: UUID | None
    text: Text
    files: Files


class NoteChanged(PrivateEvent):
    """What was written down is otherwise now."""

    text: Text
    files: Files


class NoteRemoved(PrivateEvent):
    """What was written down is gone."""


class NoteCommand(Command):
    """What can be asked of a note."""

    note_id: UUID


class WriteNote(NoteCommand):
    """Write something down about a company; ``at`` is when it was (now, when it is None), ``by`` who writes."""

    company_id: UUID
    business_id: BusinessId
    kind: Kind
    at: AwareDatetime | None
    by: Subject
    contact_id: UUID | None = None
    text: Text
    files: Files = ()
    now: AwareDatetime


class ChangeNote(NoteCommand):
    """What is not set stays as it is."""

    text: Text | None = None
    files: Files | None = None


class RemoveNote(NoteCommand):
    """Take away what was written down. That somebody was in touch stays told."""


def decide(note: Note | None, command: NoteCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match note, command:
        case None, WriteNote():
            return _written(command)
        case None, _:
            raise Unknown("note", command.note_id)
        case Note(), WriteNote():
            if _content(command, note.at) != _content(note, note.at):
                raise Rejected("note-already-written")
            return []  # sent twice
        case Note(removed=True), RemoveNote():
            return []
        case Note(removed=True), _:
            raise Rejected("note-removed")
        case Note(), ChangeNote():
            changed = NoteChanged(
                text=note.text if command.text is None else command.text,
                files=note.files if command.files is None else command.files,
            )
            _check(changed.text, changed.files)
            return [] if (changed.text, changed.files) == (note.text, note.files) else [changed]
        case Note(), RemoveNote():
            return [NoteRemoved()]
        case _:
            raise TypeError(f"a note cannot {type(command).__name__}")


def _written(command: WriteNote) -> Sequence[Happening]:
    at = command.at or command.now
    if at > command.now:
        raise Rejected("note-in-the-future", field="at")
    _check(command.text, command.files)
    written = NoteWritten.model_validate(_content(command, at))
    if command.kind == "note":
        return [written]
    touched = CompanyTouched(
        company_id=command.company_id,
        business_id=command.business_id,
        touched_at=at,
        channel=command.kind,
    )
    return [written, touched]


def _check(text: str, files: Files) -> None:
    if not text.strip() and not files:
        raise Rejected("note-empty", field="text")


def _content(of: WriteNote | Note, at: datetime) -> dict[str, Any]:
    content = of.model_dump(include=set(NoteWritten.model_fields))
    return content | {"at": content["at"] or at}


def evolve(note: Note | None, event: Happening) -> Note:
    """The note after what happened."""
    match note, event:
        case None, NoteWritten():
            return Note.model_validate(event.model_dump())
        case Note(), CompanyTouched():
            return note
        case Note(), NoteChanged():
            return note.but(text=event.text, files=event.files)
        case Note(), NoteRemoved():
            return note.but(text="", files=(), contact_id=None, removed=True)
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this note")


aggregate = Aggregate("note", Note, NoteCommand, decide, evolve, about=lambda id, note: note.company_id)
