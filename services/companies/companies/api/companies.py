"""Companies in the college's care."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from tyrsky.aggregate import Rejected, Unknown
from tyrsky.handling import Handling, handling
from tyrsky.listing import Page
from tyrsky.store import Loaded

from companies.api.company_models import CompaniesAsked, CompanyChanges, CompanyView, NewCompany
from companies.api.fields import Fields, defined, searched
from companies.api.register import Register
from companies.api.words import CompanyId, Staff
from companies.care import CompanyCommand
from companies.company import AddCompany, ChangeCompany, Company, RegisterCompany, aggregate, company_id
from companies.facts import Facts
from companies.field import accepted
from companies.problems import problems
from companies.register import RegisterEntry, parse_business_id

router = APIRouter(prefix="/companies", tags=["companies"])

Companies = Annotated[Handling[Company, CompanyCommand], Depends(handling(aggregate))]


def together(company: Loaded[Company]) -> list[str]:
    """The ids under which a company's contacts, visits and notes are: its own, and of those that go on as it."""
    return [str(company.id), *(str(each.company_id) for each in company.state.absorbed)]


async def family(companies: Companies, company_id: UUID) -> list[str]:
    """The ids of all that are one company with this one, also when it goes on as another."""
    company = await companies.get(company_id)
    into = company.state.merged_into
    return together(await companies.get(into) if into else company)


async def of_company(companies: Companies, company_id: UUID | None) -> dict[str, Any]:
    """What narrows a list to what belongs to a company; nothing, when none is named."""
    if company_id is None:
        return {}
    try:
        ids = together(await companies.get(company_id))
    except Unknown:
        ids = [str(company_id)]
    return {"state.company_id": {"$in": ids}}


async def going_on(companies: Companies, company_id: UUID, *, sent_again: bool = False) -> Loaded[Company]:
    """A company to which something new may belong, or to which what is sent again belongs already.

    :raises Rejected: ``company-merged``, of one that goes on as another.
    """
    company = await companies.get(company_id)
    if company.state.merged_into is not None and not sent_again:
        raise Rejected("company-merged", into=company.state.merged_into)
    return company


async def is_there(things: Handling[Any, Any], id: UUID | None) -> bool:
    """Whether there is a thing with an id of a client's making already: then it is sent again."""
    try:
        return id is not None and bool(await things.get(id))
    except Unknown:
        return False


@router.post(
    "",
    status_code=201,
    operation_id="registerCompany",
    summary="Take a company into care",
    responses=problems(
        "business-id-check-digit",
        "business-id-not-in-register",
        "business-id-in-register",
        "company-ceased",
        "company-already-registered",
    ),
)
async def register(new: NewCompany, companies: Companies, entries: Register, staff: Staff) -> CompanyView:
    """Take a company into the college's care, once: one of the business register, or one that it does not have."""
    return await companies.handle(await taking_into_care(new, entries, staff.college), CompanyView)


async def taking_into_care(new: NewCompany, entries: Register, college: str) -> RegisterCompany | AddCompany:
    """The command that takes a company into a college's care.

    :raises Rejected: when the register does not have it, and no name was given; or has it, and one was.
    """
    business_id = parse_business_id(new.business_id)
    which: dict[str, Any] = {"company_id": company_id(college, business_id), "business_id": business_id}
    found = await entries.find_one({"_id": business_id})
    if new.name is not None:
        if found is not None:
            raise Rejected("business-id-in-register", field="name")
        return AddCompany.model_validate(which | new.model_dump(exclude={"business_id"}))
    if found is None:
        raise Rejected("business-id-not-in-register", field="business_id")
    return RegisterCompany(**which, facts=Facts.model_validate(RegisterEntry.model_validate(found).model_dump()))


@router.get(
    "",
    operation_id="listCompanies",
    summary="List companies",
    responses=problems("field-unknown", "field-search-wrong"),
)
async def find(
    asked: Annotated[CompaniesAsked, Query()], companies: Companies, fields: Fields, staff: Staff
) -> Page[CompanyView]:
    """The companies in the college's care."""
    return (await companies.find(asked, await narrowed(asked, fields))).of(CompanyView.of)


async def narrowed(asked: CompaniesAsked, fields: Fields) -> dict[str, Any]:
    """What is asked of the store beside the list's own parameters.

    :raises Rejected: ``field-search-wrong``, ``field-unknown``.
    """
    narrowed: dict[str, Any] = {} if asked.merged else {"state.merged_into": None}
    if asked.field:
        narrowed["$and"] = searched(await defined(fields), asked.field)
    return narrowed


@router.get("/{company_id}", operation_id="getCompany", summary="One company", responses=problems("company-unknown"))
async def get(company_id: CompanyId, companies: Companies, staff: Staff) -> CompanyView:
    """One company in the college's care."""
    return await companies.show(company_id, CompanyView)


@router.patch(
    "/{company_id}",
    operation_id="changeCompany",
    summary="Change a company",
    responses=problems(
        "company-unknown",
        "company-merged",
        "company-name-from-register",
        "field-unknown",
        "field-required",
        "field-value-wrong",
    ),
)
async def change(
    company_id: CompanyId, changes: CompanyChanges, companies: Companies, fields: Fields, staff: Staff
) -> CompanyView:
    """Change what the college makes of a company: labels, relations, who looks after it, what is next, own fields."""
    wanted = changes.given()
    if "fields" in wanted:
        wanted["fields"] = accepted(await defined(fields), wanted["fields"])
    return await companies.handle(ChangeCompany(company_id=company_id, **wanted), CompanyView)
