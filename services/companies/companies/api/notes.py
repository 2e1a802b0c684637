"""Notes about companies: calls, e-mails, meetings, thoughts. They may tell of people, and stay in the college."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from tyrsky.aggregate import Rejected
from tyrsky.handling import Handling, handling
from tyrsky.listing import Listing, Moment, Page, any_of, at_least, below, equals
from tyrsky.store import Loaded

from companies.api.companies import Companies, going_on, is_there, together
from companies.api.contacts import Contacts
from companies.api.words import CompanyId, Happened, Staff
from companies.note import (
    FILES_MAX,
    ChangeNote,
    FileOf,
    Kind,
    Note,
    NoteCommand,
    RemoveNote,
    WriteNote,
    aggregate,
)
from companies.problems import problems

router = APIRouter(tags=["notes"])

Notes = Annotated[Handling[Note, NoteCommand], Depends(handling(aggregate))]
NoteId = Annotated[UUID, Path(description="A note about one of the college's companies.")]


class NewNote(BaseModel):
    """Something to write down about a company."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = Field(
        None, description="Of your making, when it was written offline: sent twice, it is the same note."
    )
    kind: Kind = Field("note", description="That somebody was in touch is told to the network, and not what was said.")
    at: Happened | None = Field(None, description="When it was; when it is first sent, when it is null.")
    contact_id: UUID | None = Field(None, description="With whom, of the company's contacts.")
    text: str = Field("", max_length=10_000, examples=["Aino kertoi, että halli laajenee keväällä."])
    files: list[FileOf] = Field([], max_length=FILES_MAX, description="What is known of files that belong to it.")


class NoteChanges(BaseModel):
    """What is otherwise now. What is left out, or null, stays as it is."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(None, max_length=10_000, examples=["Aino soittaa maanantaina."])
    files: list[FileOf] | None = Field(None, max_length=FILES_MAX)


class NoteView(BaseModel):
    """A note; of one that was removed, only that there was one."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "c1a5e0d2-3b4f-5a69-8c7d-9e0f1a2b3c4d",
                "company_id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
                "kind": "call",
                "at": "2026-09-10T06:00:00Z",
                "by": "0d9c8b7a-6f5e-4d3c",
                "contact_id": None,
                "text": "Halli laajenee keväällä.",
                "files": [],
                "removed": False,
            }
        }
    )

    id: UUID
    company_id: UUID
    kind: Kind
    at: AwareDatetime
    by: str = Field(description="Who wrote it.")
    contact_id: UUID | None
    text: str
    files: list[FileOf]
    removed: bool

    @classmethod
    def of(cls, loaded: Loaded[Note]) -> Self:
        """The note as the college's staff sees it."""
        return cls(id=loaded.id, **loaded.state.model_dump())


class NotesAsked(Listing):
    """How the list of a company's notes can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"at": "state.at"}

    sort: Literal["at", "-at"] = Field("-at", description="By when it was.")
    kind: Annotated[list[Kind], any_of("state.kind")] = Field(
        [], max_length=4, description="One or more of them; all when none is given."
    )
    by: Annotated[str | None, equals("state.by")] = Field(None, max_length=255, description="That this one wrote.")
    at_from: Annotated[Moment | None, at_least("state.at")] = Field(None, description="Then or later.")
    at_before: Annotated[Moment | None, below("state.at")] = Field(None, description="Earlier.")


@router.post(
    "/companies/{company_id}/notes",
    status_code=201,
    operation_id="writeNote",
    summary="Write a note",
    responses=problems(
        "company-unknown",
        "company-merged",
        "contact-unknown",
        "contact-of-another-company",
        "note-empty",
        "note-in-the-future",
        "note-already-written",
    ),
)
async def write(
    company_id: CompanyId, new: NewNote, notes: Notes, companies: Companies, contacts: Contacts, staff: Staff
) -> NoteView:
    """Write down a call, an e-mail, a meeting or a thought."""
    company = await going_on(companies, company_id, sent_again=await is_there(notes, new.id))
    if new.contact_id is not None:
        contact = await contacts.get(new.contact_id)
        if str(contact.state.company_id) not in together(company):
            raise Rejected("contact-of-another-company", field="contact_id")
    command = WriteNote(
        note_id=new.id or notes.new_id(),
        company_id=company.id,
        business_id=company.state.business_id,
        kind=new.kind,
        at=new.at,
        by=staff.subject,
        contact_id=new.contact_id,
        text=new.text,
        files=tuple(new.files),
        now=notes.now,
    )
    return await notes.handle(command, NoteView)


@router.get(
    "/companies/{company_id}/notes",
    operation_id="listNotes",
    summary="List a company's notes",
    responses=problems("company-unknown"),
)
async def find(
    company_id: CompanyId, asked: Annotated[NotesAsked, Query()], notes: Notes, companies: Companies, staff: Staff
) -> Page[NoteView]:
    """What was written down about a company, and about those that go on as it; without what was removed."""
    company = await companies.get(company_id)
    filter = {"state.company_id": {"$in": together(company)}, "state.removed": False}
    return (await notes.find(asked, filter)).of(NoteView.of)


@router.get("/notes/{note_id}", operation_id="getNote", summary="One note", responses=problems("note-unknown"))
async def get(note_id: NoteId, notes: Notes, staff: Staff) -> NoteView:
    """One note."""
    return await notes.show(note_id, NoteView)


@router.patch(
    "/notes/{note_id}",
    operation_id="changeNote",
    summary="Change a note",
    responses=problems("note-unknown", "note-removed", "note-empty"),
)
async def change(note_id: NoteId, changes: NoteChanges, notes: Notes, staff: Staff) -> NoteView:
    """Write a note otherwise."""
    command = ChangeNote.model_validate({"note_id": note_id, **changes.model_dump(exclude_none=True)})
    return await notes.handle(command, NoteView)


@router.delete(
    "/notes/{note_id}", operation_id="removeNote", summary="Remove a note", responses=problems("note-unknown")
)
async def remove(note_id: NoteId, notes: Notes, staff: Staff) -> NoteView:
    """Take away what was written down. That somebody was in touch stays told."""
    return await notes.handle(RemoveNote(note_id=note_id), NoteView)
