"""The rules of companies in a college's care."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from companies.care import CompanyAssigned, CompanyRelated, FieldsFilled, NextStep, NextStepPlanned
from companies.company import (
    AddCompany,
    ChangeCompany,
    Company,
    CompanyNamed,
    CountCooperation,
    ReachStage,
    RefreshCompany,
    RegisterCompany,
    aggregate,
    company_id,
)
from companies.facts import Facts
from companies.merging import MergedInto
from companies.stages import CooperationCounted
from tyrsky.testing import given
from tyrsky_contracts.companies import (
    CompanyAdded,
    CompanyCeased,
    CompanyLineChanged,
    CompanyMoved,
    CompanyRegistered,
    CompanyRenamed,
    CompanySituationChanged,
    CompanyStageReached,
    CompanyTagged,
    Stage,
)

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
BUSINESS_ID = "0100130-4"
ID = company_id("vaao", BUSINESS_ID)
WHICH: dict[str, Any] = {"company_id": ID, "business_id": BUSINESS_ID}

FACTS = Facts(name="Kahvila Oy", municipality="908", business_line="56300", business_line_codes="TOL2025")

register = RegisterCompany(**WHICH, facts=FACTS)
registered = CompanyRegistered(**WHICH, **FACTS.model_dump())
add = AddCompany(**WHICH, name="Aino Esimerkin suutari", municipality="908")
added = CompanyAdded(**WHICH, municipality="908")
named = CompanyNamed(name="Aino Esimerkin suutari")
merged = MergedInto(into=uuid4())


def refresh(**otherwise: Any) -> RefreshCompany:
    return RefreshCompany(company_id=ID, facts=FACTS.but(**otherwise))


def change(**otherwise: Any) -> ChangeCompany:
    return ChangeCompany(company_id=ID, **otherwise)


def tagged(*tags: str) -> CompanyTagged:
    return CompanyTagged(company_id=ID, tags=tags)


def reached(stage: Stage, because: str) -> CompanyStageReached:
    return CompanyStageReached(**WHICH, stage=stage, reached_at=NOON, because=because)


def reach(stage: Stage, because: str = "visit.recorded") -> ReachStage:
    return ReachStage(company_id=ID, stage=stage, at=NOON, because=because)


def count(cause: UUID) -> CountCooperation:
    return CountCooperation(company_id=ID, cause=cause, at=NOON, because="need.met")


def test_a_company_of_the_register_is_taken_into_care():
    outcome = given(aggregate).when(register).then(registered)
    assert outcome.state == Company(business_id=BUSINESS_ID, origin="register", **FACTS.model_dump())


def test_a_company_in_trouble_is_taken_into_care_all_the_same():
    bankrupt = register.model_copy(update={"facts": FACTS.but(situation="bankrupt")})
    given(aggregate).when(bankrupt).then(registered.model_copy(update={"situation": "bankrupt"}))


def test_nobody_registers_a_company_that_has_ceased():
    ceased = register.model_copy(update={"facts": FACTS.but(situation="ceased")})
    given(aggregate).when(ceased).rejected("company-ceased", field="business_id")


def test_nobody_takes_a_company_into_care_twice():
    for already in ((registered,), (registered, merged)):
        for again in (register, add):
            outcome = given(aggregate, *already).when(again)
            outcome.rejected("company-already-registered", field="business_id")
            assert outcome.refusal is not None
            assert outcome.refusal.about == {"company_id": ID}
    given(aggregate, added, named).when(add).rejected("company-already-registered", field="business_id")


def test_a_company_has_one_id_in_each_college():
    assert company_id("vaao", BUSINESS_ID) == ID
    assert len({ID, company_id("sasky", BUSINESS_ID), company_id("vaao", "0112038-9")}) == 3


def test_a_sole_trader_is_added_by_hand_and_the_network_is_not_told_the_name():
    outcome = given(aggregate).when(add).then(added, named)
    assert outcome.state is not None
    assert (outcome.state.name, outcome.state.origin) == ("Aino Esimerkin suutari", "by-hand")
    assert "Aino" not in added.model_dump_json()


def test_a_company_that_was_added_by_hand_is_the_registers_once_it_is_there():
    for taken_up in (register, refresh()):
        outcome = given(aggregate, added, named).when(taken_up).then(registered)
        assert outcome.state is not None
        assert (outcome.state.name, outcome.state.origin) == ("Kahvila Oy", "register")


def test_what_the_register_says_otherwise_is_told_each_once():
    line = {"business_line": "55101", "business_line_codes": "TOL2008"}
    for otherwise, told in (
        ({"name": "Kahvio Oy"}, CompanyRenamed(**WHICH, name="Kahvio Oy")),
        ({"municipality": "020"}, CompanyMoved(**WHICH, municipality="020")),
        ({"municipality": None}, CompanyMoved(**WHICH, municipality=None)),
        (line, CompanyLineChanged.model_validate(WHICH | line)),
        ({"situation": "bankrupt"}, CompanySituationChanged(**WHICH, situation="bankrupt")),
        ({"situation": "ceased"}, CompanyCeased(**WHICH)),
    ):
        outcome = given(aggregate, registered).when(refresh(**otherwise)).then(told)
        assert outcome.state == Company.model_validate({**WHICH, **FACTS.but(**otherwise).model_dump()})
        given(aggregate, registered, told).when(refresh(**otherwise)).then()


def test_several_changes_at_once_are_several_events():
    wanted = refresh(name="Kahvio Oy", situation="ceased")
    given(aggregate, registered).when(wanted).then(CompanyRenamed(**WHICH, name="Kahvio Oy"), CompanyCeased(**WHICH))


def test_a_company_that_had_ceased_by_mistake_is_back():
    told = CompanySituationChanged(**WHICH, situation="active")
    given(aggregate, registered, CompanyCeased(**WHICH)).when(refresh()).then(told)


def test_tags_are_replaced():
    wanted = change(tags=("messut", "b2b", "messut"))
    outcome = given(aggregate, registered, tagged("kahvilat")).when(wanted).then(tagged("messut", "b2b"))
    assert outcome.state is not None
    assert outcome.state.tags == ("messut", "b2b")


def test_what_is_so_already_changes_nothing():
    step = NextStep(what="Soita syyskuussa", due=date(2026, 9, 15))
    care = (
        tagged("messut"),
        CompanyAssigned(owner="u1"),
        NextStepPlanned(next_step=step),
        CompanyRelated(relations=("workplace",)),
        FieldsFilled(fields={"size": 12.0}),
    )
    wanted = change(tags=("messut",), owner="u1", next_step=step, relations=("workplace",) * 2, fields={"size": 12.0})
    given(aggregate, registered, *care).when(wanted).then()
    given(aggregate, registered, *care).when(change()).then()


def test_owner_and_next_step_are_given_and_taken_away():
    step = NextStep(what="Soita syyskuussa", due=date(2026, 9, 15))
    assigned, planned = CompanyAssigned(owner="u1"), NextStepPlanned(next_step=step)
    given(aggregate, registered).when(change(owner="u1", next_step=step)).then(assigned, planned)
    given(aggregate, registered, assigned, planned).when(change(owner=None, next_step=None)).then(
        CompanyAssigned(owner=None), NextStepPlanned(next_step=None)
    )


def test_each_field_is_filled_in_and_emptied_by_itself():
    filled = FieldsFilled(fields={"size": 12.0, "fair": True})
    outcome = given(aggregate, registered, filled).when(change(fields={"size": None, "lines": ("a", "b")}))
    outcome.then(FieldsFilled(fields={"fair": True, "lines": ("a", "b")}))


def test_only_a_name_that_was_added_by_hand_is_changed_by_hand():
    given(aggregate, added, named).when(change(name="Suutari Aino")).then(CompanyNamed(name="Suutari Aino"))
    refused = given(aggregate, registered).when(change(name="Kahvio Oy"))
    refused.rejected("company-name-from-register", field="name")
    given(aggregate, registered).when(change(name="Kahvila Oy")).then()


def test_a_company_that_goes_on_as_another_is_changed_there():
    given(aggregate, registered, merged).when(change(tags=("messut",))).rejected("company-merged")


def test_a_company_that_is_not_in_care_is_not_changed():
    for command in (change(tags=("messut",)), refresh(), reach("visited")):
        given(aggregate).when(command).rejected("company-unknown")


def test_a_stage_follows_from_what_happened_and_never_goes_back():
    visited = reached("visited", "visit.recorded")
    outcome = given(aggregate, registered).when(reach("visited")).then(visited)
    assert outcome.state is not None
    assert outcome.state.stage == "visited"
    for earlier in ("contacted", "visited"):
        given(aggregate, registered, visited).when(reach(earlier)).then()
    given(aggregate, registered, reached("contacted", "company.touched")).when(reach("visited")).then(visited)


def test_a_company_is_cooperating_once_and_a_partner_after_three_times():
    causes = [uuid4() for _ in range(4)]
    happened: list[Any] = [registered]
    for cause, stage in zip(causes, ("cooperating", None, "partner", None), strict=True):
        outcome = given(aggregate, *happened).when(count(cause))
        further = [reached(stage, "need.met")] if stage else []  # pyright: ignore[reportArgumentType]
        outcome.then(*([CooperationCounted(cause=cause)] if cause != causes[3] else []), *further)
        happened += outcome.happenings
        given(aggregate, *happened).when(count(cause)).then()  # told twice


def test_a_stage_is_known_with_when_and_why():
    outcome = given(aggregate, registered, reached("visited", "visit.recorded")).when(change())
    assert outcome.state is not None
    assert [each.model_dump() for each in outcome.state.reached] == [
        {"stage": "visited", "reached_at": NOON, "because": "visit.recorded"}
    ]
