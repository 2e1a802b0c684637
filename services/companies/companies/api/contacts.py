"""People at companies. All of it is personal data: only the college's own staff sees it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.catalogue import worded
from tyrsky.handling import Handling, handling
from tyrsky.listing import Listing, Page, any_of
from tyrsky.mail_address import MailAddress
from tyrsky.store import Loaded
from tyrsky_contracts.companies import ContactRole
from tyrsky_contracts.notifications import Language

from companies.api.companies import Companies
from companies.api.words import CompanyId, ContactId, Line, Staff
from companies.contact import AddContact, ChangeContact, Contact, ContactCommand, aggregate
from companies.problems import problems

router = APIRouter(tags=["contacts"])

Contacts = Annotated[Handling[Contact, ContactCommand], Depends(handling(aggregate))]
Name = Annotated[str, Line, StringConstraints(max_length=200), worded("person-name-wrong")]
Phone = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9][0-9 ()/-]{2,38}$"),
    worded("phone-number-wrong"),
]


class NewContact(BaseModel):
    """Somebody at a company; an e-mail address or a telephone number is needed."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Aino Esimerkki"])
    role: ContactRole = "other"
    language: Language = Field("fi", description="What they are written to in.")
    email: MailAddress | None = Field(None, examples=["aino@esimerkkikahvila.example"])
    phone: Phone | None = Field(None, examples=["040 123 4567"])


class ContactChanges(BaseModel):
    """What is otherwise now. What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = Field(None, description="Null too leaves it as it is.", examples=["Aino Esimerkki"])
    role: ContactRole | None = Field(None, description="Null too leaves it as it is.")
    language: Language | None = Field(None, description="Null too leaves it as it is.")
    email: MailAddress | None = Field(
        None, description="Null takes it away.", examples=["aino@esimerkkikahvila.example"]
    )
    phone: Phone | None = Field(None, description="Null takes it away.", examples=["040 123 4567"])

    def given(self) -> dict[str, str | None]:
        """What is to be changed."""
        changes = self.model_dump(exclude_unset=True)
        return {name: value for name, value in changes.items() if value is not None or name in ("email", "phone")}


class ContactView(BaseModel):
    """Somebody at a company."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0b8e5f9a-7c39-5c55-8d8c-3c4f2a1b0d9e",
                "company_id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
                "name": "Aino Esimerkki",
                "role": "workplace-instructor",
                "language": "fi",
                "email": "aino@esimerkkikahvila.example",
                "phone": None,
            }
        }
    )

    id: UUID
    company_id: UUID
    name: str
    role: ContactRole
    language: Language
    email: str | None
    phone: str | None

    @classmethod
    def of(cls, loaded: Loaded[Contact]) -> Self:
        """The contact as the college's staff sees it."""
        return cls(id=loaded.id, **loaded.state.model_dump())


class ContactsAsked(Listing):
    """How the list of a company's contacts can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"name": "state.name"}

    sort: Literal["name", "-name"] = Field("name", description="By name.")
    role: Annotated[list[ContactRole], any_of("state.role")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )


@router.post(
    "/companies/{company_id}/contacts",
    status_code=201,
    operation_id="addContact",
    summary="Add a contact",
    responses=problems("company-unknown", "contact-unreachable", "contact-already-added"),
)
async def add(
    company_id: CompanyId, new: NewContact, contacts: Contacts, companies: Companies, staff: Staff
) -> ContactView:
    """Add somebody at a company. The network learns that there is a contact, and not who."""
    company = await companies.get(company_id)
    command = AddContact(contact_id=contacts.new_id(), company_id=company.id, **new.model_dump())
    return await contacts.handle(command, ContactView)


@router.get(
    "/companies/{company_id}/contacts",
    operation_id="listContacts",
    summary="List a company's contacts",
    responses=problems("company-unknown"),
)
async def find(
    company_id: CompanyId,
    asked: Annotated[ContactsAsked, Query()],
    contacts: Contacts,
    companies: Companies,
    staff: Staff,
) -> Page[ContactView]:
    """The people whom the college knows at a company."""
    company = await companies.get(company_id)
    return (await contacts.find(asked, {"state.company_id": str(company.id)})).of(ContactView.of)


@router.get(
    "/contacts/{contact_id}", operation_id="getContact", summary="One contact", responses=problems("contact-unknown")
)
async def get(contact_id: ContactId, contacts: Contacts, staff: Staff) -> ContactView:
    """One contact."""
    return await contacts.show(contact_id, ContactView)


@router.patch(
    "/contacts/{contact_id}",
    operation_id="changeContact",
    summary="Change a contact",
    responses=problems("contact-unknown", "contact-unreachable"),
)
async def change(contact_id: ContactId, changes: ContactChanges, contacts: Contacts, staff: Staff) -> ContactView:
    """Change who a contact is, or how to reach them. The network learns nothing of it."""
    command = ChangeContact.model_validate({"contact_id": contact_id, **changes.given()})
    return await contacts.handle(command, ContactView)
