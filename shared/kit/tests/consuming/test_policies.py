"""What policies want done, and under which id; no server."""

import asyncio
from uuid import UUID, uuid5

import pytest
from pymongo.errors import ConnectionFailure
from tyrsky.aggregate import Busy, Command, Rejected, State
from tyrsky.deliveries import Edition
from tyrsky.policies import Policies, PolicyReaction
from tyrsky.projecting import Projection
from tyrsky.service import Service
from tyrsky.settings import Settings
from tyrsky_contracts.companies import VisitRecorded
from tyrsky_contracts.event import Envelope, Event

from .rig import Note, about, delivery, noting, recorded, visit

EVENT = recorded("a", 1)
ABOUT = about("a", 1, EVENT)


class Runs:
    """Carries out nothing, and writes down what it was asked; fails as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.asked: list[tuple[Command, str, UUID, Envelope]] = []

    async def run(self, command: Command, *, college: str, command_id: UUID, cause: Envelope) -> None:
        self.asked.append((command, college, command_id, cause))
        if self.failures:
            raise self.failures.pop(0)


async def test_a_command_has_the_id_of_its_event_and_its_policy():
    handlers = Runs()
    reaction = PolicyReaction(noting(), handlers, ["vaao"])
    taken = await reaction.take({"a": [delivery("a", 1)]}, Edition())
    assert taken.count == 1
    assert handlers.asked == [(Note(visit_id=visit("a"), sequence=1), "vaao", uuid5(ABOUT.id, "note"), ABOUT)]


def test_policies_have_the_group_of_their_service_or_one_of_their_own():
    assert PolicyReaction(Policies(), Runs(), ["vaao"], group="rooms-policies").group == "rooms-policies"
    assert PolicyReaction(Policies("late"), Runs(), ["vaao"], group="rooms-policies").group == "late"


def test_two_policies_of_a_service_do_not_share_a_group():
    settings = Settings(colleges=frozenset({"vaao"}), oidc_issuer="http://127.0.0.1:9")
    with pytest.raises(TypeError, match="one Policies"):
        Service("rooms", settings).reacts(Policies(), Policies("rooms-late"), Policies())


def test_two_things_of_a_service_do_not_share_a_collection():
    settings = Settings(colleges=frozenset({"vaao"}), oidc_issuer="http://127.0.0.1:9")
    service = Service("rooms", settings)
    service.projects(Projection("visits", State, key=str))
    with pytest.raises(TypeError, match="the collection visits"):
        service.projects(Projection("visits", State, key=str))


async def test_several_commands_of_one_policy_have_ids_of_their_own_that_never_change():
    policies = Policies("g")

    @policies.when(VisitRecorded)
    async def twice(event: VisitRecorded, about: Envelope) -> list[Note]:
        return [Note(visit_id=event.visit_id, sequence=n) for n in (1, 2)]

    @policies.when(VisitRecorded)
    def never(event: VisitRecorded, about: Envelope) -> None:
        return None

    ids = [id for _, id, _ in await policies.commands(EVENT, ABOUT)]
    assert ids == [uuid5(ABOUT.id, "twice"), uuid5(ABOUT.id, "twice#1")]


def test_two_policies_may_not_share_a_name_since_their_commands_would_share_ids():
    policies = noting()
    with pytest.raises(TypeError, match="called note"):

        @policies.when(VisitRecorded)
        def note(event: VisitRecorded, about: Envelope) -> None: ...


def test_a_policy_waits_for_the_newest_version():
    class Old(VisitRecorded, type="tyrsky.visit.recorded.v9"):
        def upcast(self) -> Event:
            return EVENT

    with pytest.raises(TypeError, match="retired"):
        Policies("g").when(Old)


def test_other_deployments_colleges_are_their_own_business():
    reaction = PolicyReaction(noting(), Runs(), ["vaao"])
    assert reaction.wants("vaao")
    assert not reaction.wants("sasky")


async def test_a_refusal_by_the_rules_is_an_answer():
    handlers = Runs(Rejected("contact-unknown"))
    taken = await PolicyReaction(noting(), handlers, ["vaao"]).take(
        {"a": [delivery("a", 1), delivery("a", 2)]}, Edition()
    )
    assert (taken.count, dict(taken.failures), len(handlers.asked)) == (2, {}, 2)


async def test_busy_is_no_answer_and_is_tried_again_until_it_fails():
    passing, failing = Runs(Busy()), Runs(*[Busy()] * 9)
    deliveries = {"a": [delivery("a", 1)]}
    assert (await PolicyReaction(noting(), passing, ["vaao"]).take(deliveries, Edition())).count == 1
    assert len(passing.asked) == 2
    failure = (await PolicyReaction(noting(), failing, ["vaao"]).take(deliveries, Edition())).failures["a"]
    assert isinstance(failure.error, Busy)


async def test_what_may_pass_is_tried_again_and_what_cannot_is_not():
    passing, failing, bug = Runs(OSError()), Runs(*[OSError()] * 9), Runs(KeyError("x"))
    deliveries = {"a": [delivery("a", 1)]}
    assert (await PolicyReaction(noting(), passing, ["vaao"]).take(deliveries, Edition())).count == 1
    failure = (await PolicyReaction(noting(), failing, ["vaao"]).take(deliveries, Edition())).failures["a"]
    assert (failure.attempts, len(failing.asked)) == (3, 3)
    failure = (await PolicyReaction(noting(), bug, ["vaao"]).take(deliveries, Edition())).failures["a"]
    assert (failure.attempts, len(bug.asked)) == (1, 1)


async def test_a_failure_stops_its_key_and_no_other():
    handlers = Runs(KeyError("x"))
    queues = {"a": [delivery("a", 1), delivery("a", 2)], "b": [delivery("b", 1), delivery("b", 2)]}
    taken = await PolicyReaction(noting(), handlers, ["vaao"], keys_at_once=1).take(queues, Edition())
    assert (taken.count, {key: failure.index for key, failure in taken.failures.items()}) == (2, {"a": 0})


async def test_a_policy_that_takes_too_long_fails():
    policies = Policies("g")

    @policies.when(VisitRecorded)
    async def wait(event: VisitRecorded, about: Envelope) -> None:
        await asyncio.sleep(10)

    reaction = PolicyReaction(policies, Runs(), ["vaao"], event_seconds=0.05, attempts=1)
    failure = (await reaction.take({"a": [delivery("a", 1)]}, Edition())).failures["a"]
    assert isinstance(failure.error, TimeoutError)


async def test_a_store_out_of_reach_is_nobodys_fault():
    with pytest.raises(ConnectionFailure):
        await PolicyReaction(noting(), Runs(ConnectionFailure()), ["vaao"]).take({"a": [delivery("a", 1)]}, Edition())
