"""A company in a college's care: taken from the business register, and labelled by the college."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import Field
from tyrsky.aggregate import Aggregate, Command, Happening, Rejected, State, Unknown
from tyrsky_contracts.companies import CompanyName, CompanyRegistered, CompanyTagged, RegisterWords, Situation, Tag
from tyrsky_contracts.event import BusinessId

Tags = Annotated[tuple[Tag, ...], Field(max_length=20)]

COMPANIES = UUID("0a4a2d5c-6c0e-5f38-9a9c-2f2a5d4f7f10")


def company_id(college: str, business_id: BusinessId) -> UUID:
    """The id of a company in a college's care: the same however often, so that nobody registers it twice."""
    return uuid5(COMPANIES, f"{college}/{business_id}")


class Company(State):
    """What a college knows of a company; name and situation are as the register had them when it was registered."""

    business_id: BusinessId
    name: CompanyName
    municipality: RegisterWords | None = None
    business_line: RegisterWords | None = None
    business_line_codes: Literal["TOL2008", "TOL2025"] | None = None
    situation: Situation = "active"
    tags: Tags = ()


class CompanyCommand(Command):
    """What can be asked of a company."""

    company_id: UUID


class RegisterCompany(CompanyCommand):
    """Take a company into the college's care, as the business register has it."""

    business_id: BusinessId
    name: CompanyName
    municipality: RegisterWords | None = None
    business_line: RegisterWords | None = None
    business_line_codes: Literal["TOL2008", "TOL2025"] | None = None
    situation: Situation = "active"


class TagCompany(CompanyCommand):
    """Replace the college's labels of a company."""

    tags: Tags


def decide(company: Company | None, command: CompanyCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match company, command:
        case None, RegisterCompany():
            if command.situation == "ceased":
                raise Rejected("company-ceased", field="business_id")
            return [CompanyRegistered.model_validate(command.model_dump())]
        case Company(), RegisterCompany():
            raise Rejected("company-already-registered", field="business_id", company_id=command.company_id)
        case None, _:
            raise Unknown("company", command.company_id)
        case Company(), TagCompany():
            tags = tuple(dict.fromkeys(command.tags))
            return [] if tags == company.tags else [CompanyTagged(company_id=command.company_id, tags=tags)]
        case _:
            raise TypeError(f"a company cannot {type(command).__name__}")


def evolve(company: Company | None, event: Happening) -> Company:
    """The company after what happened."""
    match company, event:
        case None, CompanyRegistered():
            return Company.model_validate(event.model_dump())
        case Company(), CompanyTagged():
            return company.but(tags=event.tags)
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this company")


aggregate = Aggregate("company", Company, CompanyCommand, decide, evolve, plural="companies")
