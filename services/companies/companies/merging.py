"""Two companies that are one: what the one that goes on gains of the other, and how that is taken back within a day.

Nothing is moved: contacts, visits and notes stay where they are, and are looked for under both.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from pydantic import AwareDatetime, computed_field
from tyrsky.aggregate import Happening, PrivateEvent, Rejected
from tyrsky_contracts.companies import CompanyMerged, CompanyStageReached, CompanyTagged, CompanyUnmerged, Stage
from tyrsky_contracts.event import BusinessId

from companies.care import FIELDS_MAX, RELATIONS_MAX, TAGS_MAX, Care, CompanyCommand
from companies.stages import Because, Progress, Reached, furthest

UNDO_WITHIN = timedelta(days=1)

MERGED, UNMERGED = "company.merged", "company.unmerged"
"""Why the network is told of a stage that the company did not reach itself."""

ABSORBED_MAX = 20
"""Companies that one can have absorbed."""


class Absorbed(Care):
    """A company that goes on as another one, and what that one gained of it, not having it itself.

    ``reached`` is how far the college had come with it.
    """

    company_id: UUID
    absorbed_at: AwareDatetime
    reached: Reached | None = None


class Merging(Care, Progress):
    """What may be gained, and of whom it was. ``merged_into`` is the company that this one goes on as."""

    business_id: BusinessId
    merged_into: UUID | None = None
    absorbed: tuple[Absorbed, ...] = ()

    @computed_field  # kept with the state, to be searched by
    @property
    def stage(self) -> Stage:
        """How far the college has come with it, or with one that it absorbed."""
        return furthest((*self.reached, *(each.reached for each in self.absorbed)))

    def gaining(self, gained: Absorbed) -> Self:
        """With what is gained of a company."""
        return self.but(
            tags=(*self.tags, *gained.tags),
            relations=(*self.relations, *gained.relations),
            owner=self.owner or gained.owner,
            next_step=self.next_step or gained.next_step,
            fields=self.fields | gained.fields,
            absorbed=(*self.absorbed, gained),
        )

    def releasing(self, gained: Absorbed) -> Self:
        """Without what was gained of a company, but for what was changed meanwhile: that is its own."""
        kept = {key: value for key, value in self.fields.items() if gained.fields.get(key) != value}
        return self.but(
            tags=tuple(tag for tag in self.tags if tag not in gained.tags),
            relations=tuple(each for each in self.relations if each not in gained.relations),
            owner=None if self.owner == gained.owner else self.owner,
            next_step=None if self.next_step == gained.next_step else self.next_step,
            fields=kept,
            absorbed=tuple(each for each in self.absorbed if each.company_id != gained.company_id),
        )


class AbsorbCompany(CompanyCommand):
    """Another company of the college's turned out to be this one; ``other`` is that one as it was looked at."""

    absorbed: UUID
    other: Merging
    now: AwareDatetime


class ReleaseCompany(CompanyCommand):
    """A company that was absorbed is another one after all."""

    released: UUID
    now: AwareDatetime


class MergeInto(CompanyCommand):
    """The company goes on as another one; as itself again, when it is null."""

    into: UUID | None


class CompanyAbsorbed(PrivateEvent):
    """What a company gained of one that goes on as this one."""

    absorbed: Absorbed


class MergedInto(PrivateEvent):
    """A company goes on as another one; as itself again, when it is null."""

    into: UUID | None


def gain(mine: Merging, others: Merging, company_id: UUID, now: AwareDatetime) -> Absorbed:
    """What is the other's alone: labels and relations as many as there is room for, and what is empty here."""
    room = FIELDS_MAX - len(mine.fields)
    others_own = [(key, value) for key, value in others.fields.items() if key not in mine.fields]
    return Absorbed(
        company_id=company_id,
        absorbed_at=now,
        tags=_missing(mine.tags, others.tags, TAGS_MAX),
        relations=_missing(mine.relations, others.relations, RELATIONS_MAX),
        owner=others.owner if mine.owner is None else None,
        next_step=others.next_step if mine.next_step is None else None,
        fields=dict(others_own[:room]),
        reached=others.reached[-1] if others.reached else None,
    )


def _missing(mine: tuple[Any, ...], others: tuple[Any, ...], most: int) -> tuple[Any, ...]:
    return tuple(each for each in others if each not in mine)[: max(0, most - len(mine))]


def absorb(company: Merging, command: AbsorbCompany) -> Sequence[Happening]:
    """What it comes to when another company goes on as this one."""
    if command.absorbed == command.company_id:
        raise Rejected("company-is-the-same", field="absorbed")
    if any(each.company_id == command.absorbed for each in company.absorbed):
        return []  # clicked twice
    if company.merged_into is not None:
        raise Rejected("company-merged", into=company.merged_into)
    if command.other.merged_into is not None or command.other.absorbed:
        raise Rejected("company-merged-otherwise", field="absorbed")
    if len(company.absorbed) >= ABSORBED_MAX:
        raise Rejected("company-absorbed-many", most=ABSORBED_MAX)
    gained = gain(company, command.other, command.absorbed, command.now)
    merged = CompanyMerged(company_id=command.company_id, business_id=company.business_id, absorbed=command.absorbed)
    told = _told(command, company, company.gaining(gained), MERGED)
    return [merged, CompanyAbsorbed(absorbed=gained), *told]


def release(company: Merging, command: ReleaseCompany) -> Sequence[Happening]:
    """What it comes to when a company is another one after all."""
    gained = next((each for each in company.absorbed if each.company_id == command.released), None)
    if gained is None:
        return []  # clicked twice
    if command.now - gained.absorbed_at > UNDO_WITHIN:
        raise Rejected("company-merged-long-ago", field="released")
    unmerged = CompanyUnmerged(
        company_id=command.company_id, business_id=company.business_id, released=command.released
    )
    return [unmerged, *_told(command, company, company.releasing(gained), UNMERGED)]


def _told(
    command: AbsorbCompany | ReleaseCompany, before: Merging, after: Merging, because: Because
) -> Sequence[Happening]:
    """What the network is told beside the merger itself: labels, and how far the college is."""
    happenings: list[Happening] = []
    if after.tags != before.tags:
        happenings.append(CompanyTagged(company_id=command.company_id, tags=after.tags))
    if after.stage != before.stage:
        reached = Reached(stage=after.stage, reached_at=command.now, because=because)
        happenings.append(
            CompanyStageReached(company_id=command.company_id, business_id=after.business_id, **reached.model_dump())
        )
    return happenings
