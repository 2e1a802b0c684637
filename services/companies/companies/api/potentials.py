"""Places that companies could give to students."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from tyrsky.aggregate import Rejected
from tyrsky.handling import Handling, handling
from tyrsky.listing import Page

from companies.api.charted import CHARTED, visit_at
from companies.api.companies import Companies, family, going_on, is_there, of_company
from companies.api.contacts import Contacts
from companies.api.potential_views import (
    Agreement,
    Confirmation,
    NewPotential,
    PotentialsAsked,
    PotentialView,
    Withdrawal,
)
from companies.api.visits import Visits
from companies.api.words import CompanyId, PotentialId, Staff
from companies.potential import (
    AgreePotential,
    ChartPotential,
    ConfirmPotential,
    Potential,
    PotentialCommand,
    WithdrawPotential,
    aggregate,
)
from companies.problems import problems

router = APIRouter(tags=["potential"])

Potentials = Annotated[Handling[Potential, PotentialCommand], Depends(handling(aggregate))]

WRONG_TERMS = (
    *("period-ends-before-it-starts", "period-over", "period-too-far-ahead", "period-too-long"),
    *("apprenticeship-hours-too-few", "training-agreement-hours-too-many", "apprentice-too-young"),
)


@router.post(
    "/companies/{company_id}/potentials",
    operation_id="chartPotential",
    summary="Chart places for students",
    responses=problems(*CHARTED, "potential-already-charted", "id-taken", *WRONG_TERMS),
)
async def chart(
    company_id: CompanyId,
    new: NewPotential,
    potentials: Potentials,
    companies: Companies,
    visits: Visits,
    staff: Staff,
) -> PotentialView:
    """Chart places that a company could give to students. The same sent again is the same; with other content it is
    refused."""
    company = await going_on(companies, company_id, sent_again=await is_there(potentials, new.id))
    await visit_at(new.visit_id, company, visits)
    command = ChartPotential(
        potential_id=new.id or potentials.new_id(),
        now=potentials.now,
        charted_at=new.charted_at or potentials.now,
        company_id=company.id,
        business_id=company.state.business_id,
        form=new.form,
        field_codes=new.field_codes,
        field_of_study=new.field_of_study,
        terms=new.terms.terms(),
        visit_id=new.visit_id,
        survey_id=new.survey_id,
        words=new.words,
    )
    return await potentials.handle(command, PotentialView)


@router.get("/potentials", operation_id="listPotentials", summary="List places for students")
async def find(
    asked: Annotated[PotentialsAsked, Query()], potentials: Potentials, companies: Companies, staff: Staff
) -> Page[PotentialView]:
    """The places that the college's companies could give, those that begin first first."""
    narrowed = await of_company(companies, asked.company_id)
    return (await potentials.find(asked, {**narrowed, **asked.also()})).of(PotentialView.of)


@router.get(
    "/potentials/{potential_id}",
    operation_id="getPotential",
    summary="One potential",
    responses=problems("potential-unknown"),
)
async def get(potential_id: PotentialId, potentials: Potentials, staff: Staff) -> PotentialView:
    """One potential, with its history."""
    return await potentials.show(potential_id, PotentialView)


@router.post(
    "/potentials/{potential_id}/confirm",
    operation_id="confirmPotential",
    summary="Note that the company confirms",
    responses=problems("potential-unknown", "potential-is-over", "history-full", *WRONG_TERMS),
)
async def confirm(potential_id: PotentialId, told: Confirmation, potentials: Potentials, staff: Staff) -> PotentialView:
    """Note that the company says so itself, on these terms or on others."""
    command = ConfirmPotential(
        potential_id=potential_id,
        now=potentials.now,
        terms=told.terms.terms() if told.terms else None,
        why=told.why,
    )
    return await potentials.handle(command, PotentialView)


@router.post(
    "/potentials/{potential_id}/agree",
    operation_id="agreePotential",
    summary="Note what was agreed upon",
    responses=problems(
        *("potential-unknown", "potential-is-over", "potential-not-confirmed", "places-too-many"),
        *("agreed-in-the-future", "contact-unknown", "contact-of-another-company", "contact-not-instructor"),
    ),
)
async def agree(
    potential_id: PotentialId,
    told: Agreement,
    potentials: Potentials,
    companies: Companies,
    contacts: Contacts,
    staff: Staff,
) -> PotentialView:
    """Note that places were agreed upon in writing, with a named responsible workplace instructor."""
    company_id = (await potentials.get(potential_id)).state.company_id
    instructor = (await contacts.get(told.instructor_id)).state
    if str(instructor.company_id) not in await family(companies, company_id):
        raise Rejected("contact-of-another-company", field="instructor_id")
    if instructor.role != "workplace-instructor":
        raise Rejected("contact-not-instructor", field="instructor_id")
    command = AgreePotential(potential_id=potential_id, now=potentials.now, **dict(told))
    return await potentials.handle(command, PotentialView)


@router.post(
    "/potentials/{potential_id}/withdraw",
    operation_id="withdrawPotential",
    summary="Note that the company took it back",
    responses=problems("potential-unknown", "potential-is-over"),
)
async def withdraw(potential_id: PotentialId, told: Withdrawal, potentials: Potentials, staff: Staff) -> PotentialView:
    """Note that the company took it back. What lapses does so by itself."""
    command = WithdrawPotential(potential_id=potential_id, now=potentials.now, why=told.why)
    return await potentials.handle(command, PotentialView)
