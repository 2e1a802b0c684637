"""How minutes are divided between faults."""

from itertools import islice, product
from random import Random
from typing import Any

import pytest

from tests.faults import faults, networks
from tests.faults.fault import Fault, Outcome
from tests.faults.parts import Outside, layout
from tests.faults.planning import plan
from tests.faults.running import SERVICES


async def nothing(*_: Any) -> Outcome:
    return Outcome()


ONE = Fault("F1", "one", nothing, full=200, seconds=3.5, least=3)
TWO = Fault("F2", "two", nothing, full=10, seconds=60, kills=frozenset({"mongo"}))


def amounts(minutes: float, *, seed: int = 1, outside: frozenset[str] = frozenset(), full: bool = False) -> list[int]:
    planned = plan([ONE, TWO], minutes=minutes, random=Random(seed), outside=outside, full=full)
    return [each.amount for each in planned]


def test_more_minutes_are_more_of_each_and_never_more_than_in_full():
    assert amounts(5) < amounts(10) < amounts(1_000) == [200, 10]


def test_in_full_the_minutes_do_not_matter():
    assert amounts(0, full=True) == [200, 10]


def test_none_is_run_below_its_least():
    assert set(amounts(1)) == {0, 10}  # there is time for one of them alone


def test_what_would_kill_somebody_elses_server_is_not_run():
    planned = plan([ONE, TWO], minutes=10, random=Random(1), outside=frozenset({"mongo"}), full=False)
    assert [each.why_not for each in planned] == ["", "outside: mongo"]
    assert planned[1].amount == 0


def test_outside_only_what_kills_is_refused_and_after_a_run_what_has_all_taken_again():
    def refused(outside: Outside) -> set[str]:
        planned = plan(faults.ALL, minutes=1_000, random=Random(1), outside=outside.parts, full=False)
        return {each.fault.code for each in planned if each.why_not}

    assert refused(Outside("mongodb://db", "kafka:9092")) == {"F3", "F4", "F10"}
    again = Outside("mongodb://db", "kafka:9092", past={("companies", 0): 7})
    assert refused(again) == {"F3", "F4", "F6", "F7", "F8", "F10"}


def test_the_same_seed_is_the_same_plan():
    assert amounts(1.5, seed=7) == amounts(1.5, seed=7)


def test_every_fault_of_the_list_has_a_code_of_its_own_and_can_be_run():
    assert len({fault.code for fault in faults.ALL}) == len(faults.ALL)
    for fault in faults.ALL:
        assert 0 < fault.least <= fault.full
        assert fault.seconds > 0


def test_in_full_each_network_fault_comes_between_each_pair():
    kinds, pairs = networks.KINDS, list(layout(SERVICES, Outside()).pairs)
    full = next(fault.full for fault in faults.ALL if fault.code == "F5")
    turns = list(islice(networks.turns(kinds, pairs), full))
    assert set(turns) == set(product(kinds, pairs))
    assert {kind for kind, _ in turns[:4]} == set(kinds)
    assert {pair for _, pair in turns[: len(pairs)]} == set(pairs)


def test_kafka_is_restarted_and_killed_as_often_as_the_issue_says():
    assert next(fault.full for fault in faults.ALL if fault.code == "F4") == 20 + 20


@pytest.mark.parametrize("minutes", [0.1, 3, 60])
def test_something_is_always_run(minutes: float):
    planned = plan(faults.ALL, minutes=minutes, random=Random(3), outside=frozenset(), full=False)
    assert any(each.amount for each in planned)
