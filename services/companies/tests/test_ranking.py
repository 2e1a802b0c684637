"""Whom to reach first."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from companies.priorities import FACTORS, Priorities, PrioritiesSet, SetPriorities, aggregate, priorities_id
from companies.ranking import REASONS, rank
from companies.register import RegisterEntry
from companies.testing import business_id
from companies.views import Reach
from hypothesis import given as anything
from hypothesis import strategies as st
from tyrsky.testing import given

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NEVER = Reach()
PRIORITIES = Priorities(lines=("56",))


def company(number: int = 0, **about: Any) -> RegisterEntry:
    made: dict[str, Any] = {"business_line": "56300", "likely_employer": True, "registered_on": date(2012, 5, 2)}
    return RegisterEntry(business_id=business_id(number), name=f"Kahvila {number} Oy", **made | about)


def reached(days_ago: int) -> Reach:
    return NEVER.at(NOW - timedelta(days=days_ago))


def order(*companies: tuple[RegisterEntry, Reach], priorities: Priorities = PRIORITIES) -> list[str]:
    return [each.entry.business_id for each in rank(companies, priorities, NOW, "seed")]


def test_who_was_never_reached_comes_first_and_who_was_reached_lately_last():
    lately, long_ago, half, never = (company(n) for n in range(4))
    found = order((lately, reached(1)), (half, reached(365)), (long_ago, reached(3_000)), (never, NEVER))
    assert found == [each.business_id for each in (never, long_ago, half, lately)]


def test_each_factor_counts():
    for better, worse in (
        ({"likely_employer": True}, {"likely_employer": False}),
        ({"registered_on": date(2020, 1, 1)}, {"registered_on": date(2026, 6, 1)}),
        ({"business_line": "56100"}, {"business_line": "62010"}),
        ({"business_line": "56100"}, {"business_line": None}),
        ({"size_class": "micro"}, {"size_class": None}),
        ({"size_class": "small"}, {"size_class": "medium"}),
        ({"size_class": "medium"}, {"size_class": "large"}),
        ({"size_class": None}, {"size_class": "large"}),
    ):
        assert order((company(0, **worse), NEVER), (company(1, **better), NEVER))[0] == business_id(1)


def test_the_smaller_a_company_is_the_more_it_promises_and_an_unknown_size_says_neither():
    sizes = ("micro", "small", "medium", "large", None)
    found = {size: rank([(company(size_class=size), NEVER)], PRIORITIES, NOW, "")[0].reasons[-1] for size in sizes}
    assert {size: each.points for size, each in found.items()} == dict(zip(sizes, (1, 1, 0.5, 0, 0.5), strict=True))
    assert [each.code for each in found.values()] == [f"size-{size or 'unknown'}" for size in sizes]


def test_what_has_no_weight_does_not_count():
    only_reach = Priorities(reach=1, employer=0, age=0, line=0, size=0)
    one, other = company(0), company(1, likely_employer=False, registered_on=None, business_line=None)
    assert {each.score for each in rank([(one, NEVER), (other, NEVER)], only_reach, NOW, "")} == {1.0}
    nothing = Priorities(reach=0, employer=0, age=0, line=0, size=0)
    assert {each.score for each in rank([(one, NEVER), (other, reached(3))], nothing, NOW, "")} == {0.0}


def test_without_lines_of_business_none_is_taught_for():
    (found,) = rank([(company(), NEVER)], Priorities(), NOW, "")
    assert {each.factor: each.code for each in found.reasons} == {
        "reach": "never-reached",
        "employer": "likely-employer",
        "age": "settled",
        "line": "line-not-taught",
        "size": "size-unknown",
    }


def test_companies_that_are_alike_have_the_same_rank_and_a_seed_decides_their_order():
    alike = [(company(number), NEVER) for number in range(50)]
    last = (company(99, likely_employer=False), NEVER)
    found = rank([last, *alike], PRIORITIES, NOW, "week 48")
    assert [each.rank for each in found] == [1] * 50 + [51]
    again = rank([*reversed(alike), last], PRIORITIES, NOW, "week 48")
    assert again == found
    firsts = {rank(alike, PRIORITIES, NOW, f"week {n}")[0].entry.business_id for n in range(200)}
    assert len(firsts) > 30  # nobody is always the first


companies = st.builds(
    company,
    st.integers(0, 400),
    likely_employer=st.booleans(),
    registered_on=st.none() | st.dates(date(1950, 1, 1), date(2030, 1, 1)),
    business_line=st.sampled_from([None, "56300", "62010", "01"]),
    size_class=st.sampled_from([None, "micro", "small", "medium", "large"]),
)
reaches = st.just(NEVER) | st.integers(-10, 9_000).map(reached)
priorities = st.builds(Priorities, **{factor: st.floats(0, 10) for factor in FACTORS}, lines=st.just(("56",)))


@anything(st.lists(st.tuples(companies, reaches), unique_by=lambda each: each[0].business_id), priorities)
def test_a_ranking_has_everybody_once_in_order_with_reasons_in_three_languages(
    found: list[tuple[RegisterEntry, Reach]], priorities: Priorities
):
    ranked = rank(found, priorities, NOW, "seed")
    assert {each.entry.business_id for each in ranked} == {entry.business_id for entry, _ in found}
    assert [each.score for each in ranked] == sorted((each.score for each in ranked), reverse=True)
    for each in ranked:
        assert 0 <= each.score <= 1
        assert [reason.factor for reason in each.reasons] == list(FACTORS)
        assert all(REASONS[reason.code].keys() == {"fi", "sv", "en"} for reason in each.reasons)
        assert all(0 <= reason.points <= 1 for reason in each.reasons)
    by_score = {each.score: each.rank for each in ranked}
    assert all(by_score[each.score] == each.rank for each in ranked)


def test_a_college_sets_its_priorities_once():
    wanted = SetPriorities(priorities_id=priorities_id("vaao"), priorities=PRIORITIES)
    chosen = PrioritiesSet(priorities=PRIORITIES)
    given(aggregate).when(wanted).then(chosen)
    given(aggregate, chosen).when(wanted).then()
    otherwise = wanted.model_copy(update={"priorities": Priorities(reach=1)})
    given(aggregate, chosen).when(otherwise).then(PrioritiesSet(priorities=Priorities(reach=1)))
