"""The rules of companies in a college's care."""

from datetime import UTC, datetime
from uuid import uuid4

from companies.company import Company, RegisterCompany, TagCompany, aggregate, company_id
from tyrsky.testing import given
from tyrsky_contracts.companies import CompanyRegistered, CompanyTagged

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
ID = company_id("vaao", "0100130-4")

register = RegisterCompany(
    company_id=ID,
    business_id="0100130-4",
    name="Kahvila Oy",
    municipality="908",
    business_line="56300",
    business_line_codes="TOL2025",
)
registered = CompanyRegistered(
    company_id=ID,
    business_id="0100130-4",
    name="Kahvila Oy",
    municipality="908",
    business_line="56300",
    business_line_codes="TOL2025",
    situation="active",
)


def tag(*tags: str) -> TagCompany:
    return TagCompany(company_id=ID, tags=tags)


def tagged(*tags: str) -> CompanyTagged:
    return CompanyTagged(company_id=ID, tags=tags)


def test_a_company_of_the_register_is_taken_into_care():
    outcome = given(aggregate).when(register).then(registered)
    assert outcome.state == Company(
        business_id="0100130-4",
        name="Kahvila Oy",
        municipality="908",
        business_line="56300",
        business_line_codes="TOL2025",
    )


def test_a_company_in_trouble_is_taken_into_care_all_the_same():
    bankrupt = register.model_copy(update={"situation": "bankrupt"})
    given(aggregate).when(bankrupt).then(registered.model_copy(update={"situation": "bankrupt"}))


def test_nobody_registers_a_company_that_has_ceased():
    ceased = register.model_copy(update={"situation": "ceased"})
    given(aggregate).when(ceased).rejected("company-ceased", field="business_id")


def test_nobody_registers_a_company_twice():
    outcome = given(aggregate, registered).when(register)
    outcome.rejected("company-already-registered", field="business_id")
    assert outcome.refusal is not None
    assert outcome.refusal.about == {"company_id": ID}


def test_a_company_has_one_id_in_each_college():
    assert company_id("vaao", "0100130-4") == ID
    assert len({ID, company_id("sasky", "0100130-4"), company_id("vaao", "0112038-9")}) == 3


def test_tags_are_replaced():
    outcome = given(aggregate, registered, tagged("kahvilat")).when(tag("messut", "b2b")).then(tagged("messut", "b2b"))
    assert outcome.state is not None
    assert outcome.state.tags == ("messut", "b2b")


def test_the_same_tag_twice_is_one_tag():
    given(aggregate, registered).when(tag("messut", "messut")).then(tagged("messut"))


def test_the_tags_that_it_has_change_nothing():
    given(aggregate, registered, tagged("messut")).when(tag("messut")).then()


def test_a_company_that_is_not_in_care_has_no_tags():
    given(aggregate).when(TagCompany(company_id=uuid4(), tags=("messut",))).rejected("company-unknown")
