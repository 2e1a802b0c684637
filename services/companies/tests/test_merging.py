"""The rules of companies that turn out to be one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from companies.care import TAGS_MAX, NextStep, Relation
from companies.company import ChangeCompany, Company, ReachStage, aggregate, company_id
from companies.merging import (
    ABSORBED_MAX,
    UNDO_WITHIN,
    AbsorbCompany,
    Absorbed,
    CompanyAbsorbed,
    MergedInto,
    MergeInto,
    ReleaseCompany,
)
from companies.stages import Reached, StageNoted
from hypothesis import given as anything
from hypothesis import strategies as st
from tyrsky.aggregate import Rejected
from tyrsky.testing import given
from tyrsky_contracts.companies import (
    CompanyMerged,
    CompanyRegistered,
    CompanyStageReached,
    CompanyTagged,
    CompanyUnmerged,
    Stage,
)

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
MINE, OTHERS = "0100130-4", "0112038-9"
ID, OTHER, THIRD = company_id("vaao", MINE), company_id("vaao", OTHERS), company_id("vaao", "2077474-0")
WHICH: dict[str, Any] = {"company_id": ID, "business_id": MINE}

registered = CompanyRegistered(**WHICH, name="Kahvila Oy")
merged = CompanyMerged(**WHICH, absorbed=OTHER)
unmerged = CompanyUnmerged(**WHICH, released=OTHER)
VISITED = Reached(stage="visited", reached_at=NOON - timedelta(days=9), because="visit.recorded")


def company(**about: Any) -> Company:
    return Company(business_id=OTHERS, name="Kahvila Aino Esimerkki", origin="by-hand", **about)


def absorb(other: Company, which: UUID = OTHER) -> AbsorbCompany:
    return AbsorbCompany(company_id=ID, absorbed=which, other=other, now=NOON)


def release(after: timedelta = timedelta(hours=1)) -> ReleaseCompany:
    return ReleaseCompany(company_id=ID, released=OTHER, now=NOON + after)


def absorbed(**gained: Any) -> CompanyAbsorbed:
    return CompanyAbsorbed(absorbed=Absorbed(company_id=OTHER, absorbed_at=NOON, **gained))


def stage(reached: Stage, at: datetime, because: str) -> CompanyStageReached:
    return CompanyStageReached(**WHICH, stage=reached, reached_at=at, because=because)


def test_what_is_empty_is_gained_and_what_is_there_stays():
    step = NextStep(what="Soita", due=date(2026, 9, 15))
    other = company(tags=("a", "b"), relations=("customer",), owner="u2", next_step=step, fields={"x": 1.0, "y": "z"})
    mine = ChangeCompany(company_id=ID, tags=("b", "c"), owner="u1", fields={"x": 2.0})
    happened = [registered, *given(aggregate, registered).when(mine).happenings]
    outcome = given(aggregate, *happened).when(absorb(other))
    outcome.then(
        merged,
        absorbed(tags=("a",), relations=("customer",), next_step=step, fields={"y": "z"}),
        CompanyTagged(company_id=ID, tags=("b", "c", "a")),
    )
    assert outcome.state is not None
    assert (outcome.state.owner, outcome.state.next_step, outcome.state.fields) == ("u1", step, {"x": 2.0, "y": "z"})


def test_the_furthest_stage_of_the_two_holds():
    outcome = given(aggregate, registered).when(absorb(company(reached=(VISITED,))))
    outcome.then(merged, absorbed(reached=VISITED), stage("visited", NOON, "company.merged"))
    assert outcome.state is not None
    assert outcome.state.stage == "visited"
    ahead = stage("cooperating", NOON, "need.met")
    outcome = given(aggregate, registered, ahead).when(absorb(company(reached=(VISITED,))))
    outcome.then(merged, absorbed(reached=VISITED))


def test_taken_back_within_a_day_it_is_as_it_was():
    other = company(tags=("a",), owner="u2", fields={"y": "z"}, reached=(VISITED,))
    happened = [registered, *given(aggregate, registered).when(absorb(other)).happenings]
    outcome = given(aggregate, *happened).when(release())
    outcome.then(
        unmerged,
        CompanyTagged(company_id=ID, tags=()),
        stage("unknown", NOON + timedelta(hours=1), "company.unmerged"),
    )
    assert outcome.state == aggregate.fold(None, [registered])
    given(aggregate, *happened, *outcome.happenings).when(release()).then()  # clicked twice


def test_what_was_changed_meanwhile_stays():
    other = company(owner="u2", fields={"y": "z"}, reached=(VISITED,))
    happened: list[Any] = [registered, *given(aggregate, registered).when(absorb(other)).happenings]
    happened += given(aggregate, *happened).when(ChangeCompany(company_id=ID, owner="u3", fields={"y": "w"})).happenings
    meanwhile = ReachStage(company_id=ID, stage="contacted", at=NOON, because="company.touched")
    noted = given(aggregate, *happened).when(meanwhile)
    noted.then(StageNoted(reached=Reached(stage="contacted", reached_at=NOON, because="company.touched")))
    outcome = given(aggregate, *happened, *noted.happenings).when(release())
    outcome.then(unmerged, stage("contacted", NOON + timedelta(hours=1), "company.unmerged"))
    assert outcome.state is not None
    assert (outcome.state.owner, outcome.state.fields) == ("u3", {"y": "w"})


def test_after_a_day_it_is_not_taken_back():
    happened = [registered, merged, absorbed()]
    given(aggregate, *happened).when(release(UNDO_WITHIN)).then(unmerged)
    late = given(aggregate, *happened).when(release(UNDO_WITHIN + timedelta(milliseconds=1)))
    late.rejected("company-merged-long-ago", field="released")


def test_what_cannot_be_one():
    itself = given(aggregate, registered).when(absorb(company(), ID))
    itself.rejected("company-is-the-same", field="absorbed")
    for elsewhere in (company(merged_into=THIRD), company(absorbed=(absorbed().absorbed,))):
        given(aggregate, registered).when(absorb(elsewhere)).rejected("company-merged-otherwise", field="absorbed")
    given(aggregate, registered, MergedInto(into=THIRD)).when(absorb(company())).rejected("company-merged")
    many = [
        CompanyAbsorbed(absorbed=Absorbed(company_id=company_id("vaao", str(n)), absorbed_at=NOON))
        for n in range(ABSORBED_MAX)
    ]
    given(aggregate, registered, *many).when(absorb(company())).rejected("company-absorbed-many")


def test_merging_twice_is_once():
    given(aggregate, registered, merged, absorbed()).when(absorb(company())).then()


def test_the_one_that_is_absorbed_knows_where_it_goes_on():
    into = MergeInto(company_id=OTHER, into=ID)
    outcome = given(aggregate, registered).when(into).then(MergedInto(into=ID))
    given(aggregate, registered, *outcome.happenings).when(into).then()
    back = given(aggregate, registered, *outcome.happenings).when(MergeInto(company_id=OTHER, into=None))
    assert back.then(MergedInto(into=None)).state == aggregate.fold(None, [registered])


tags = st.lists(st.sampled_from([f"t{n}" for n in range(30)]), unique=True, max_size=TAGS_MAX).map(tuple)
relations = st.lists(st.sampled_from(get_args(Relation)), unique=True).map(tuple)
fields = st.dictionaries(st.sampled_from([f"f{n}" for n in range(80)]), st.booleans(), max_size=50)
cares = st.fixed_dictionaries(
    {"tags": tags, "relations": relations, "fields": fields, "owner": st.sampled_from([None, "u1", "u2"])}
)


@anything(cares, cares, st.lists(st.sampled_from(["absorb", "release", "clear"]), max_size=6))
def test_whatever_is_merged_and_taken_back_nothing_of_its_own_is_lost(
    mine: dict[str, Any], others: dict[str, Any], steps: list[str]
):
    care = given(aggregate, registered).when(ChangeCompany(company_id=ID, **mine)).happenings
    happened: list[Any] = [registered, *care]
    own = aggregate.fold(None, happened)
    for step in steps:
        command = {
            "absorb": absorb(company(**others)),
            "release": release(),
            "clear": ChangeCompany(company_id=ID),
        }[step]
        state = aggregate.fold(None, happened)
        try:
            happened += aggregate.decide(state, command)
        except Rejected as refusal:
            raise AssertionError(refusal.code) from refusal
    happened += aggregate.decide(aggregate.fold(None, happened), release())
    assert aggregate.fold(None, happened) == own
