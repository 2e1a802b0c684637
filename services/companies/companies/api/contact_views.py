"""What goes in and comes out about contacts."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from tyrsky.catalogue import worded
from tyrsky.listing import Day
from tyrsky.mail_address import MailAddress
from tyrsky.store import Loaded
from tyrsky_contracts.companies import ContactRole
from tyrsky_contracts.notifications import Language

from companies.api.words import Happened, Line
from companies.contact_state import Basis, Consent, Contact, Objection, Source

Name = Annotated[str, Line, StringConstraints(max_length=200), worded("person-name-wrong")]
How = Annotated[str, Line, StringConstraints(max_length=300), worded("how-wrong")]
Phone = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9][0-9 ()/-]{2,38}$"),
    worded("phone-number-wrong"),
]

EMAIL, PHONE = "aino@esimerkkikahvila.example", "040 123 4567"
STAYS = "Null too leaves it as it is."
PERIOD = (
    "When the last training period ends that the workplace instructor guides: three months later the e-mail address "
    "and the telephone number are erased."
)

CONTACT: dict[str, Any] = {
    "id": "0b8e5f9a-7c39-5c55-8d8c-3c4f2a1b0d9e",
    "company_id": "5f0c8a1e-6b0c-5d0e-9a4e-0b6b8a3c2d1f",
    "name": "Aino Esimerkki",
    "role": "workplace-instructor",
    "language": "fi",
    "email": EMAIL,
    "phone": None,
    "basis": "public-task",
    "source": "company-itself",
    "collected_on": "2026-09-01",
    "period_ends_on": "2026-12-18",
    "consent": None,
    "objection": None,
    "objected_in_network_at": None,
    "may_be_written_to": True,
    "keep_until": "2028-09-01",
    "addresses_until": "2027-03-18",
    "erased_at": None,
}


class Said(BaseModel):
    """Something that the person said, and how."""

    model_config = ConfigDict(extra="forbid")

    at: Happened = Field(
        description="When, with its time zone; not in the future.", examples=["2026-09-03T10:00:00+03:00"]
    )
    how: How = Field(description="How, so that it can be shown later.", examples=["Lomake messuilla 3.9."])


class NewContact(BaseModel):
    """Somebody at a company; an e-mail address or a telephone number is needed."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Aino Esimerkki"])
    role: ContactRole = "other"
    language: Language = Field("fi", description="What they are written to in.")
    email: MailAddress | None = Field(None, examples=[EMAIL])
    phone: Phone | None = Field(None, examples=[PHONE])
    basis: Basis = Field("public-task", description="By which right they are known: GDPR art. 6(1).")
    source: Source = Field("other", description="Where the data came from.")
    collected_on: Day | None = Field(None, description="When; today, when it is left out.", examples=["2026-09-01"])
    period_ends_on: Day | None = Field(None, description=PERIOD, examples=["2026-12-18"])
    consent: Said | None = Field(None, description="Consent to be written to. Needed when that is the basis.")


class ContactChanges(BaseModel):
    """What is otherwise now. What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = Field(None, description=STAYS, examples=["Aino Esimerkki"])
    role: ContactRole | None = Field(None, description=STAYS)
    language: Language | None = Field(None, description=STAYS)
    email: MailAddress | None = Field(None, description="Null takes it away.", examples=[EMAIL])
    phone: Phone | None = Field(None, description="Null takes it away.", examples=[PHONE])
    basis: Basis | None = Field(None, description=STAYS)
    source: Source | None = Field(None, description=STAYS)
    collected_on: Day | None = Field(None, description=STAYS, examples=["2026-09-01"])
    period_ends_on: Day | None = Field(None, description=f"{PERIOD} Null takes it away.", examples=["2026-12-18"])

    def given(self) -> dict[str, Any]:
        """What is to be changed."""
        changes = self.model_dump(exclude_unset=True)
        can_go = ("email", "phone", "period_ends_on")
        return {name: value for name, value in changes.items() if value is not None or name in can_go}


class ContactView(BaseModel):
    """Somebody at a company, and whether they may be written to. Of one that was erased, that there was one."""

    model_config = ConfigDict(json_schema_extra={"example": CONTACT})

    id: UUID
    company_id: UUID
    name: str = Field(description="Empty when erased.")
    role: ContactRole
    language: Language
    email: str | None
    phone: str | None
    basis: Basis
    source: Source
    collected_on: date | None
    period_ends_on: date | None
    consent: Consent | None = Field(description="What the person agreed to last, perhaps withdrawn since.")
    objection: Objection | None = Field(description="That the person said to this college that they want no messages.")
    objected_in_network_at: AwareDatetime | None = Field(
        description="When somebody with one of these addresses last said so, to any college of the network."
    )
    may_be_written_to: bool = Field(description="Whether a message may go out: by basis, consent and objections.")
    keep_until: date | None = Field(description="When all of this is erased, unless the contact is in use until then.")
    addresses_until: date | None = Field(description="When e-mail address and telephone number are erased before that.")
    erased_at: AwareDatetime | None

    @classmethod
    def of(cls, loaded: Loaded[Contact]) -> Self:
        """The contact as the college's staff sees it, not looking at other colleges."""
        state = loaded.state
        return cls(
            id=loaded.id,
            **state.model_dump(),
            addresses_until=state.addresses_until,
            objected_in_network_at=None,
            may_be_written_to=state.may_be_written_to(),
        )

    def objected(self, in_network_at: datetime | None) -> Self:
        """The same, looking at other colleges too."""
        may = Contact.model_validate(self.model_dump()).may_be_written_to(in_network_at)
        return self.model_copy(update={"objected_in_network_at": in_network_at, "may_be_written_to": may})
