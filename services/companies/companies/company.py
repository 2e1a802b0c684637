"""A company in a college's care: from the business register or added by hand, and what the college makes of it."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID, uuid5

from pydantic import AwareDatetime, Field, computed_field
from tyrsky.aggregate import Aggregate, Happening, PrivateEvent, Rejected, Unknown
from tyrsky_contracts.companies import (
    BusinessLineCodes,
    CompanyAdded,
    CompanyCeased,
    CompanyLineChanged,
    CompanyMerged,
    CompanyMoved,
    CompanyName,
    CompanyRegistered,
    CompanyRenamed,
    CompanySituationChanged,
    CompanyStageReached,
    CompanyTagged,
    CompanyUnmerged,
    RegisterWords,
    Stage,
)
from tyrsky_contracts.event import BusinessId

from companies import care, facts, merging, stages
from companies.care import (
    CompanyAssigned,
    CompanyCommand,
    CompanyRelated,
    FieldsFilled,
    FieldValue,
    NextStep,
    NextStepPlanned,
    Relations,
    Subject,
    Tags,
)
from companies.facts import Facts
from companies.merging import AbsorbCompany, CompanyAbsorbed, MergedInto, MergeInto, Merging, ReleaseCompany
from companies.register import search_keys
from companies.stages import Because, CooperationCounted, Reached, StageNoted

COMPANIES = UUID("0a4a2d5c-6c0e-5f38-9a9c-2f2a5d4f7f10")


def company_id(college: str, business_id: BusinessId) -> UUID:
    """The id of a company in a college's care: the same however often, so that nobody registers it twice."""
    return uuid5(COMPANIES, f"{college}/{business_id}")


class Company(Facts, Merging):
    """What a college knows of a company. ``origin`` says who vouches for the facts: the register, or who added it."""

    origin: Literal["register", "by-hand"] = "register"

    @computed_field
    @property
    def search_keys(self) -> tuple[str, ...]:
        """What it is found by, kept with the state."""
        return search_keys([self.name])


class CompanyNamed(PrivateEvent):
    """What a company that was added by hand is called. The name of a sole trader is often a person's."""

    name: CompanyName


class RegisterCompany(CompanyCommand):
    """Take a company into the college's care, as the business register has it."""

    business_id: BusinessId
    facts: Facts


class AddCompany(CompanyCommand):
    """Take a company into the college's care that the register's open data does not have, such as a sole trader."""

    business_id: BusinessId
    name: CompanyName
    municipality: RegisterWords | None = None
    business_line: RegisterWords | None = None
    business_line_codes: BusinessLineCodes | None = None


class RefreshCompany(CompanyCommand):
    """Take up what the business register says of a company now."""

    facts: Facts


class ChangeCompany(CompanyCommand):
    """What the college makes of a company is otherwise now. What is not set stays as it is; of the fields, each one."""

    name: CompanyName = ""
    tags: Tags = ()
    relations: Relations = ()
    owner: Subject | None = None
    next_step: NextStep | None = None
    fields: dict[str, FieldValue | None] = Field(default_factory=dict)


class ReachStage(CompanyCommand):
    """Something happened that leads to a stage, if the college has not come so far yet."""

    stage: Stage
    at: AwareDatetime
    because: Because


class CountCooperation(CompanyCommand):
    """Something was done together; ``cause`` tells one from another."""

    cause: UUID
    at: AwareDatetime
    because: Because


def decide(company: Company | None, command: CompanyCommand) -> Sequence[Happening]:
    """What a command comes to."""
    match company, command:
        case None, RegisterCompany():
            if command.facts.situation == "ceased":
                raise Rejected("company-ceased", field="business_id")
            return [_registered(command.company_id, command.business_id, command.facts)]
        case None, AddCompany():
            return [CompanyAdded.model_validate(command.model_dump()), CompanyNamed(name=command.name)]
        case None, _:
            raise Unknown("company", command.company_id)
        case Company(origin="by-hand"), RegisterCompany() | RefreshCompany():  # the register has it now
            return [_registered(command.company_id, company.business_id, command.facts)]
        case Company(), RegisterCompany() | AddCompany():
            raise Rejected("company-already-registered", field="business_id", company_id=command.company_id)
        case Company(), RefreshCompany():
            return facts.changes(command.company_id, company.business_id, company, command.facts)
        case Company(), _:
            return _in_care(company, command)


def _in_care(company: Company, command: CompanyCommand) -> Sequence[Happening]:
    match command:
        case ChangeCompany():
            return _changed(company, command)
        case ReachStage():
            return _come_to(command.stage, company, command)
        case CountCooperation():
            return _counted(company, command)
        case MergeInto():
            return [] if command.into == company.merged_into else [MergedInto(into=command.into)]
        case AbsorbCompany():
            return merging.absorb(company, command)
        case ReleaseCompany():
            return merging.release(company, command)
        case _:
            raise TypeError(f"a company cannot {type(command).__name__}")


def _registered(id: UUID, business_id: BusinessId, said: Facts) -> CompanyRegistered:
    return CompanyRegistered(company_id=id, business_id=business_id, **said.model_dump(include=set(Facts.model_fields)))


def _changed(company: Company, command: ChangeCompany) -> Sequence[Happening]:
    if company.merged_into is not None:
        raise Rejected("company-merged", into=company.merged_into)
    wanted = {name: getattr(command, name) for name in command.model_fields_set}
    happenings: list[Happening] = []
    if "name" in wanted and command.name != company.name:
        if company.origin == "register":
            raise Rejected("company-name-from-register", field="name")
        happenings.append(CompanyNamed(name=command.name))
    tags = care.once(command.tags)
    if "tags" in wanted and tags != company.tags:
        happenings.append(CompanyTagged(company_id=command.company_id, tags=tags))
    return [*happenings, *care.changes(company, wanted)]


def _counted(company: Company, command: CountCooperation) -> Sequence[Happening]:
    if command.cause in company.cooperations or len(company.cooperations) >= stages.PARTNER_AFTER:
        return []
    stage = stages.stage_of((*company.cooperations, command.cause))
    return [CooperationCounted(cause=command.cause), *_come_to(stage, company, command)]


def _come_to(stage: Stage, company: Company, cause: ReachStage | CountCooperation) -> Sequence[Happening]:
    if not stages.later(stage, stages.furthest(company.reached)):
        return []
    reached = Reached(stage=stage, reached_at=cause.at, because=cause.because)
    if not stages.later(stage, company.stage):
        return [StageNoted(reached=reached)]
    return [CompanyStageReached(company_id=cause.company_id, business_id=company.business_id, **reached.model_dump())]


def evolve(company: Company | None, event: Happening) -> Company:
    """The company after what happened."""
    match company, event:
        case None, CompanyRegistered():
            return Company.model_validate(event.model_dump())
        case None, CompanyAdded():
            return Company.model_validate({**event.model_dump(), "origin": "by-hand", "name": event.business_id})
        case Company(), CompanyRegistered():
            return company.but(**event.model_dump(include=set(Facts.model_fields)), origin="register")
        case Company(), CompanyNamed() | CompanyRenamed():
            return company.but(name=event.name)
        case Company(), CompanyMoved() | CompanyLineChanged() | CompanySituationChanged():
            return company.but(**event.model_dump(exclude={"company_id", "business_id"}))
        case Company(), CompanyCeased():
            return company.but(situation="ceased")
        case Company(), CompanyTagged():
            return company.but(tags=event.tags)
        case Company(), CompanyAssigned() | NextStepPlanned() | CompanyRelated() | FieldsFilled():
            return company.but(**dict(event))
        case Company(), _:
            return _further(company, event)
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this company")


def _further(company: Company, event: Happening) -> Company:
    match event:
        case CompanyStageReached(because=because) if because in (merging.MERGED, merging.UNMERGED):
            return company  # what it gained says so
        case CompanyStageReached():
            return company.but(reached=(*company.reached, Reached.model_validate(event.model_dump())))
        case StageNoted():
            return company.but(reached=(*company.reached, event.reached))
        case CooperationCounted():
            return company.but(cooperations=(*company.cooperations, event.cause))
        case CompanyMerged():
            return company  # what it gains is told next, at home
        case CompanyAbsorbed():
            return company.gaining(event.absorbed)
        case CompanyUnmerged():
            gained = next(each for each in company.absorbed if each.company_id == event.released)
            return company.releasing(gained)
        case MergedInto():
            return company.but(merged_into=event.into)
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to this company")


aggregate = Aggregate(
    "company", Company, CompanyCommand, decide, evolve, plural="companies", about=lambda id, company: id
)
