"""A consumer group on the running Kafka: order, redelivery, what fails and is parked, and what comes of that."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tyrsky.boxes import box_id
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.projecting import Projection
from tyrsky_contracts.companies import VisitPlanned, VisitRecorded
from tyrsky_contracts.event import Envelope

from .rig import NOON, SETTINGS, Effects, Note, Reach, Rig, about, measured, noting, until, visit

pytestmark = pytest.mark.stack

NEVER_AGAIN = SETTINGS.model_copy(update={"parked_retries_max": 0, "parked_retry_seconds": 0.01})
HEADERS = [("content-type", b"application/json"), ("ce_specversion", b"1.0")]


class Failing:
    """Makes these commands fail, some number of times each."""

    def __init__(self, *notes: tuple[str, int], times: int = 10**9, error: type[Exception] = OSError) -> None:
        self.left = {(visit(name), sequence): times for name, sequence in notes}
        self._error = error

    async def __call__(self, command: Note) -> None:
        at = command.visit_id, command.sequence
        if self.left.get(at, 0) > 0:
            self.left[at] -= 1
            raise self._error("for the test")


async def test_keys_go_side_by_side_and_each_in_its_order(rig: Rig):
    effects = Effects(rig.database)
    for _ in range(20):
        for name in "abcde":
            await rig.say(name)
    async with rig.instance(rig.policies(effects)):
        await until(lambda: len(effects.order) == 100)
    assert {name: effects.of(name) for name in "abcde"} == {name: list(range(1, 21)) for name in "abcde"}


async def test_from_the_beginning_again_nothing_is_done_twice_and_no_row_changes(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    for name in "abc":
        await rig.say(name, 20)
    group = rig.projection().group
    digests: list[str] = []
    for _ in range(2):
        projection = rig.projection()
        async with rig.instance(rig.policies(effects, policies), projection) as consumers:
            await until(lambda: rig.caught_up(policies.group, group), seconds=30)
            assert consumers.troubles() == {}
        digests.append(await rig.digest())
        for each in (policies.group, group):
            await rig.wind_back(each)
    row = await rig.row()
    assert (len(effects.order), effects.repeats) == (60, 60)
    assert digests[0] == digests[1]
    assert row
    assert (row.visits, row.sum_of_minutes) == (60, 630)


async def test_what_nobody_can_read_is_a_dead_letter_and_the_rest_flows(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    async with rig.instance(rig.policies(effects, policies)):
        await rig.say("a")
        await rig.say_raw(b"\xff\xfe", [], str(visit("a")).encode())
        await rig.say_raw(b"{}", [*HEADERS, ("ce_type", b"\xff\xfe"), ("ce_subject", b"\xff")], None)
        await rig.say_raw(b"", [("no value", b"")], b"\x00\xff")
        await rig.say("a", 2)
        await until(lambda: len(effects.order) == 3)
        await until(lambda: holds(rig, 3))
    assert effects.of("a") == [1, 2, 3]
    counts = await rig.letters.counts()
    assert counts == [(policies.group, False, 1)] * 3
    found = [box async for box in rig.letters.find()]
    assert all(box["letters"][0]["cause"].startswith("envelope-malformed") for box in found)
    assert measured("dead_letters_kept_total", group=policies.group, topic=rig.topic.name, kind="unreadable") == 3


async def holds(rig: Rig, count: int) -> bool:
    return sum(each for *_, each in await rig.letters.counts()) == count


async def test_an_event_that_has_a_place_but_cannot_be_read_parks_its_key(rig: Rig):
    """Its successors must not overtake it: once it can be read, it has to come first."""
    effects, policies = Effects(rig.database), noting()
    await rig.say("a")
    event_headers, _ = rig.next("a")
    await rig.say_raw(b'{"visit_id": 7}', event_headers, str(visit("a")).encode())
    await rig.say("a")
    await rig.say("b")
    async with rig.instance(rig.policies(effects, policies), settings=NEVER_AGAIN):
        await until(lambda: holds(rig, 2))
        await until(lambda: len(effects.order) == 2)
    assert (effects.of("a"), effects.of("b")) == ([1], [1])
    box = await rig.letters.get(box_id(policies.group, rig.topic.name, str(visit("a"))))
    assert box
    assert box["letters"][0]["cause"].startswith("body-malformed")


async def test_what_nobody_asked_for_is_no_dead_letter(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    await rig.say("foreign", college="sasky")
    planned = VisitPlanned(
        visit_id=visit("p"),
        company_id=visit("company"),
        business_id="1234567-1",
        company_name="Oy",
        starts_at=NOON,
        ends_at=NOON + timedelta(hours=1),
    )
    event_headers, body = rig.codec.encode(planned, about("p", 1, planned))
    await rig.say_raw(body, event_headers, b"x")
    newcomer = [(name, b"tyrsky.parking.lot-painted.v1" if name == "ce_type" else v) for name, v in event_headers]
    await rig.say_raw(body, newcomer, b"x")
    await rig.say("a")
    async with rig.instance(rig.policies(effects, policies)):
        await until(lambda: rig.caught_up(policies.group))
    assert effects.order == [(visit("a"), 1)]
    assert await rig.letters.counts() == []


async def test_a_newer_version_of_what_was_asked_for_is_not_passed_over(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    await rig.say("a")
    headers, body = rig.next("a")
    newer = [(name, b"tyrsky.visit.recorded.v2" if name == "ce_type" else v) for name, v in headers]
    await rig.say_raw(body, newer, str(visit("a")).encode())
    await rig.say("a")
    async with rig.instance(rig.policies(effects, policies), settings=NEVER_AGAIN):
        await until(lambda: holds(rig, 2))
    assert effects.of("a") == [1]


async def test_what_fails_for_a_moment_is_tried_again_and_nobody_notices(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    effects.hinder = Failing(("a", 2), times=2)
    await rig.say("a", 3)
    async with rig.instance(rig.policies(effects, policies)):
        await until(lambda: len(effects.order) == 3)
    assert effects.of("a") == [1, 2, 3]
    assert await rig.letters.counts() == []
    assert measured("consumer_retries_total", group=policies.group) == 2


async def test_a_key_that_fails_is_parked_and_the_others_flow_on(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    effects.hinder = Failing(("a", 2))
    await rig.say("a", 4)
    await rig.say("b", 4)
    async with rig.instance(rig.policies(effects, policies), settings=NEVER_AGAIN) as consumers:
        await until(lambda: holds(rig, 3))
        await rig.say("a", 2)
        await rig.say("b", 2)
        await until(lambda: holds(rig, 5))
        await until(lambda: len(effects.of("b")) == 6)
        await until(lambda: measured("parked_keys", group=policies.group) == 1)
        assert consumers.troubles() == {}
    assert (effects.of("a"), effects.of("b")) == ([1], [1, 2, 3, 4, 5, 6])
    box = await rig.letters.get(box_id(policies.group, rig.topic.name, str(visit("a"))))
    assert box
    assert [letter.get("cause", "") for letter in box["letters"]][1:] == [""] * 4
    assert box["letters"][0]["cause"].startswith("OSError")


async def test_a_parked_key_goes_on_by_itself_in_order_when_the_cause_is_gone(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    effects.hinder = hinder = Failing(("a", 2))
    async with rig.instance(rig.policies(effects, policies)):
        await rig.say("a", 4)
        await until(lambda: holds(rig, 3))
        hinder.left.clear()
        await rig.say("a", 2)
        await until(lambda: len(effects.order) == 6)
        await until(lambda: holds(rig, 0))
        await rig.say("a", 2)
        await until(lambda: len(effects.order) == 8)
    assert effects.of("a") == list(range(1, 9))
    assert effects.repeats == 0


async def test_a_key_is_freed_while_it_is_talked_of_and_nothing_overtakes(rig: Rig):
    """Parking and freeing, over and over, under a stream of the key's events."""
    effects, policies = Effects(rig.database), noting()
    effects.hinder = Failing(*[("a", n) for n in range(5, 100, 10)], times=4)
    settings = SETTINGS.model_copy(update={"parked_retry_seconds": 0.01, "consumer_batch_max": 7})
    async with rig.instance(rig.policies(effects, policies), settings=settings):
        for _ in range(20):
            await rig.say("a", 5)
            await asyncio.sleep(0.05)
        await until(lambda: len(effects.of("a")) == 100, seconds=60)
        await until(lambda: holds(rig, 0))
    assert effects.of("a") == list(range(1, 101))


async def test_what_a_person_has_replayed_is_repaired_once(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    effects.hinder = hinder = Failing(("a", 1), error=KeyError)
    id = box_id(policies.group, rig.topic.name, str(visit("a")))
    async with rig.instance(rig.policies(effects, policies), settings=NEVER_AGAIN):
        await rig.say("a", 3)
        await until(lambda: holds(rig, 3))
        await until(lambda: tried(rig, id, 1))
        hinder.left.clear()
        await asyncio.sleep(1.5)
        assert effects.order == []  # not without the person
        assert await rig.letters.replay(id, datetime.now(UTC))
        await until(lambda: len(effects.order) == 3)
        await until(lambda: holds(rig, 0))
        assert not await rig.letters.replay(id, datetime.now(UTC))
    assert (effects.of("a"), effects.repeats) == ([1, 2, 3], 0)


async def tried(rig: Rig, id: str, attempts: int) -> bool:
    box = await rig.letters.get(id)
    return box is not None and box["attempts"] >= attempts


async def test_from_the_beginning_again_while_a_key_is_parked(rig: Rig):
    """What had been taken before the key was parked does not line up behind it."""
    effects, policies = Effects(rig.database), noting()
    effects.hinder = hinder = Failing(("a", 3))
    await rig.say("a", 5)
    async with rig.instance(rig.policies(effects, policies), settings=NEVER_AGAIN):
        await until(lambda: holds(rig, 3))
    await rig.wind_back(policies.group)
    async with rig.instance(rig.policies(effects, policies), settings=NEVER_AGAIN):
        await until(lambda: effects.repeats == 2)
        await until(lambda: rig.caught_up(policies.group))
        assert await holds(rig, 3)
        hinder.left.clear()
        await rig.letters.replay(box_id(policies.group, rig.topic.name, str(visit("a"))), datetime.now(UTC))
        await until(lambda: holds(rig, 0))
    assert effects.of("a") == [1, 2, 3, 4, 5]


async def test_a_projection_parks_what_it_cannot_fold_and_mends_it_in_order(rig: Rig):
    projection, broken = Projection("reach", Reach, key=lambda event: event.business_id), True

    @projection.on(VisitRecorded)
    def reached(row: Reach, event: VisitRecorded, about: Envelope) -> Reach:
        if broken and about.sequence == 2 and event.visit_id == visit("a"):
            raise LookupError("for the test")
        return row.but(visits=row.visits + 1)

    await rig.say("a", 4)
    await rig.say("b", 4)
    async with rig.instance(rig.projection(projection)):
        await until(lambda: holds(rig, 3))
        row = await rig.row()
        assert row
        assert row.visits == 5
        broken = False
        await until(lambda: holds(rig, 0))
    row = await rig.row()
    assert row
    assert row.visits == 8


async def test_lag_is_measured(rig: Rig):
    effects, policies = Effects(rig.database), noting()
    free = asyncio.Event()

    async def wait(command: Note) -> None:
        await free.wait()

    effects.hinder = wait
    async with rig.instance(rig.policies(effects, policies), settings=ConsumerSettings(consumer_watch_seconds=0.2)):
        await rig.say("a", 7)
        lag = {"group": policies.group, "topic": rig.topic.name}
        await until(lambda: measured("consumer_lag", **lag) == 7)
        free.set()
        await until(lambda: measured("consumer_lag", **lag) == 0)
