"""People at companies. All of it is personal data: only the college's own staff sees it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from tyrsky.handling import Handling, handling
from tyrsky.listing import Day, Filter, Listing, Page, any_of
from tyrsky.store import Loaded
from tyrsky_contracts.addresses import one_spelling
from tyrsky_contracts.companies import ContactRole

from companies.api.audit import Reading, Reads
from companies.api.companies import Companies, going_on, of_company, together
from companies.api.contact_views import EMAIL, ContactChanges, ContactView, NewContact
from companies.api.objections import NetworkObjections, Objections
from companies.api.words import CompanyId, ContactId, Staff
from companies.contact import aggregate
from companies.contact_commands import AddContact, ChangeContact, ContactCommand
from companies.contact_state import Basis, Consent, Contact, Source
from companies.problems import problems
from companies.register import name_begins

router = APIRouter(tags=["contacts"])

Contacts = Annotated[Handling[Contact, ContactCommand], Depends(handling(aggregate))]

WRONG = (
    "contact-unreachable",
    "consent-missing",
    "moment-in-the-future",
    "period-of-an-instructor",
    "period-long-over",
    "period-ends-too-far-ahead",
)
"""How what is said of a person can be wrong."""


def _day(value: date) -> str:
    return value.isoformat()


class ContactsAsked(Listing):
    """How a list of contacts can be narrowed and sorted."""

    sorts: ClassVar[Mapping[str, str]] = {"name": "state.name", "keep_until": "state.keep_until"}

    sort: Literal["name", "-name", "keep_until", "-keep_until"] = Field(
        "name", description="By name, or by when they are erased."
    )
    role: Annotated[list[ContactRole], any_of("state.role")] = Field(
        [], max_length=5, description="One or more of them; all when none is given."
    )
    name: Annotated[str | None, Filter("state.name_keys", name_begins)] = Field(
        None, max_length=200, description="How a word of the name begins; å ä ö may be typed a a o.", examples=["esim"]
    )
    address: Annotated[str | None, Filter("state.found_by", one_spelling)] = Field(
        None,
        max_length=254,
        description="With this e-mail address or telephone number, however written.",
        examples=[EMAIL],
    )
    basis: Annotated[list[Basis], any_of("state.basis")] = Field([], max_length=5, description="By this right.")
    source: Annotated[list[Source], any_of("state.source")] = Field([], max_length=8, description="From there.")
    keep_before: Annotated[Day | None, Filter("state.keep_until", lambda day: {"$lt": _day(day)})] = Field(
        None, description="That are erased before this day, unless they are in use until then.", examples=["2028-10-01"]
    )
    erased: bool = Field(False, description="Those that were erased, in place of those that are there.")

    def known(self) -> dict[str, Any]:
        """Those that are there, or were."""
        return {"state.erased_at": {"$ne": None} if self.erased else None}


class AllContactsAsked(ContactsAsked):
    """And of all companies."""

    company_id: UUID | None = Field(None, description="At one company, and at those that go on as it.")


@router.post(
    "/companies/{company_id}/contacts",
    status_code=201,
    operation_id="addContact",
    summary="Add a contact",
    responses=problems("company-unknown", "company-merged", "contact-already-added", "contact-erased", *WRONG),
)
async def add(
    company_id: CompanyId,
    new: NewContact,
    contacts: Contacts,
    companies: Companies,
    objections: NetworkObjections,
    staff: Staff,
) -> ContactView:
    """Add somebody at a company. The network learns that there is a contact, and not who. One whose address somebody
    objected with, in whichever college, is added and shown so: no message goes out."""
    company = await going_on(companies, company_id)
    command = AddContact(
        contact_id=contacts.new_id(),
        now=contacts.now,
        company_id=company.id,
        consent=Consent(at=new.consent.at, how=new.consent.how) if new.consent else None,
        collected_on=new.collected_on or contacts.now.date(),
        **new.model_dump(exclude={"consent", "collected_on"}),
    )
    return (await objections.seen([await contacts.handle(command, ContactView)]))[0]


@router.get(
    "/companies/{company_id}/contacts",
    operation_id="listContacts",
    summary="List a company's contacts",
    responses=problems("company-unknown", "name-without-letters"),
)
async def find(
    company_id: CompanyId,
    asked: Annotated[ContactsAsked, Query()],
    contacts: Contacts,
    companies: Companies,
    objections: NetworkObjections,
    reading: Reading,
    staff: Staff,
) -> Page[ContactView]:
    """The people whom the college knows at a company, and at those that go on as it."""
    company = await companies.get(company_id)
    page = await contacts.find(asked, {"state.company_id": {"$in": together(company)}, **asked.known()})
    return await _seen(page, objections, reading)


@router.get(
    "/contacts", operation_id="listAllContacts", summary="List contacts", responses=problems("name-without-letters")
)
async def find_all(
    asked: Annotated[AllContactsAsked, Query()],
    contacts: Contacts,
    companies: Companies,
    objections: NetworkObjections,
    reading: Reading,
    staff: Staff,
) -> Page[ContactView]:
    """The people whom the college knows: by name, by address (who asks what is held on them?), or by when they go."""
    page = await contacts.find(asked, {**await of_company(companies, asked.company_id), **asked.known()})
    return await _seen(page, objections, reading)


async def _seen(page: Page[Loaded[Contact]], objections: Objections, reading: Reads) -> Page[ContactView]:
    """The contacts of a page as they are shown; that they were is written down."""
    await reading.of("contact", *(contact.id for contact in page.items))
    return Page(items=await objections.seen(page.of(ContactView.of).items), next=page.next)


@router.get(
    "/contacts/{contact_id}", operation_id="getContact", summary="One contact", responses=problems("contact-unknown")
)
async def get(
    contact_id: ContactId, contacts: Contacts, objections: NetworkObjections, reading: Reading, staff: Staff
) -> ContactView:
    """One contact. Of one that was erased, that there was one."""
    contact = await contacts.show(contact_id, ContactView)
    await reading.of("contact", contact_id)
    return (await objections.seen([contact]))[0]


@router.patch(
    "/contacts/{contact_id}",
    operation_id="changeContact",
    summary="Change a contact",
    responses=problems("contact-unknown", "contact-erased", *WRONG),
)
async def change(
    contact_id: ContactId, changes: ContactChanges, contacts: Contacts, objections: NetworkObjections, staff: Staff
) -> ContactView:
    """Change who a contact is, or how to reach them. The network learns nothing of it; but of somebody who objects
    it learns the hash of a new address."""
    command = ChangeContact.model_validate(
        {
            "contact_id": contact_id,
            "now": contacts.now,
            "hashes": objections.hashes_of(changes.email, changes.phone),
            **changes.given(),
        }
    )
    return (await objections.seen([await contacts.handle(command, ContactView)]))[0]
