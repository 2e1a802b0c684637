"""Boxes of dead letters, on the running store."""

from datetime import UTC, datetime, timedelta

import pytest
from tyrsky.boxes import box_id
from tyrsky.consumer_settings import ConsumerSettings
from tyrsky.dead_letters import DeadLetters, Full
from tyrsky.deliveries import Message

from .rig import Rig

pytestmark = pytest.mark.stack

LEASE = timedelta(seconds=30)


def now() -> datetime:
    return datetime.now(UTC)


def message(offset: int, key: str | None = "k", body: bytes = b"{}") -> Message:
    return Message("t", 0, offset, key, (("ce_type", b"x"), ("empty", None)), body)


async def park(rig: Rig, letters: DeadLetters, offset: int = 1) -> str:
    await letters.put("g", rig.topic, message(offset), KeyError("x"), attempts=3, due_at=now())
    return box_id("g", rig.topic.name, "k")


async def letters_of(letters: DeadLetters, id: str) -> list[int]:
    box = await letters.get(id)
    return [letter["offset"] for letter in box["letters"]] if box else []


async def test_a_failed_message_parks_its_key_and_later_ones_wait_behind_it(rig: Rig):
    letters = rig.letters
    id = await park(rig, letters)
    assert await letters.behind("g", rig.topic, message(2)) == "kept"
    assert await letters.behind("g", rig.topic, message(3)) == "kept"
    assert await letters_of(letters, id) == [1, 2, 3]
    assert await letters.parked("g", [(rig.topic.name, "k"), (rig.topic.name, "other")]) == {
        (rig.topic.name, "k"): (0, 1)
    }
    assert await letters.parked("another-group", [(rig.topic.name, "k")]) == {}


async def test_a_redelivered_message_is_kept_once(rig: Rig):
    letters = rig.letters
    id = box_id("g", rig.topic.name, "k")
    for _ in range(2):
        await park(rig, letters)
        assert await letters.behind("g", rig.topic, message(2)) == "kept"
    assert await letters_of(letters, id) == [1, 2]
    assert await letters.counts() == [("g", True, 2)]


async def test_what_comes_again_is_put_where_it_belongs(rig: Rig):
    """Offsets were set back behind the first letter, which had been replayed already."""
    letters = rig.letters
    await park(rig, letters, 1)
    for offset in (5, 3, 4):
        await letters.behind("g", rig.topic, message(offset))
    box = await letters.claim_due(["g"], now(), LEASE)
    assert box
    assert [letter["offset"] for letter in box.letters] == [1, 3, 4, 5]


async def test_what_arrives_before_the_last_letter_is_out_waits_and_what_arrives_after_is_free(rig: Rig):
    """The moment that must not exist: a message that neither waits nor is free."""
    letters = rig.letters
    id = await park(rig, letters)
    box = await letters.claim_due(["g"], now(), LEASE)
    assert box
    await letters.take_out(id, box.letters[0])
    assert await letters.behind("g", rig.topic, message(2)) == "kept"
    assert not await letters.close_if_empty(id)
    again = await letters.again(box, now(), LEASE)
    assert again
    await letters.take_out(id, again.letters[0])
    assert await letters.close_if_empty(id)
    assert await letters.behind("g", rig.topic, message(3)) == "gone"


async def test_a_leased_box_is_nobody_elses_until_the_lease_ends(rig: Rig):
    letters = rig.letters
    await park(rig, letters)
    first = await letters.claim_due(["g"], now(), LEASE)
    assert first
    assert await letters.claim_due(["g"], now(), LEASE) is None
    later = now() + LEASE + timedelta(seconds=1)
    second = await letters.claim_due(["g"], later, LEASE)
    assert second
    assert await letters.again(first, later, LEASE) is None  # the first has lost it
    await letters.failed_again(first, first.letters[0], OSError(), later)
    box = await letters.get(second.id)
    assert box
    assert (box["attempts"], box["lease_token"]) == (0, second.token)


async def test_a_failed_replay_is_written_down_and_waits(rig: Rig):
    letters = rig.letters
    id = await park(rig, letters)
    box = await letters.claim_due(["g"], now(), LEASE)
    assert box
    await letters.failed_again(box, box.letters[0], OSError("again"), now() + timedelta(hours=1))
    assert await letters.claim_due(["g"], now(), LEASE) is None
    found = await letters.get(id)
    assert found
    assert (found["attempts"], found["letters"][0]["attempts"], found["letters"][0]["cause"]) == (1, 4, "OSError")
    assert await letters.replay(id, now())
    assert await letters.claim_due(["g"], now(), LEASE)


async def test_an_unreadable_message_parks_nothing_and_waits_for_a_person(rig: Rig):
    letters = rig.letters
    for offset in (1, 2):
        await letters.put("g", rig.topic, message(offset), ValueError("x"), attempts=1, due_at=None)
    assert await letters.parked("g", [(rig.topic.name, "k")]) == {}
    assert await letters.claim_due(["g"], now(), LEASE) is None
    assert await letters.counts() == [("g", False, 1), ("g", False, 1)]


async def test_there_is_a_limit_to_the_letters_of_a_key_in_number_and_in_bytes(rig: Rig):
    few = DeadLetters(rig.database, ConsumerSettings(letters_a_key_max=2))
    await park(rig, few)
    assert await few.behind("g", rig.topic, message(2)) == "kept"
    with pytest.raises(Full, match="one key"):
        await few.behind("g", rig.topic, message(3))
    assert await few.behind("g", rig.topic, message(2)) == "kept"  # is there already
    light = DeadLetters(rig.database, ConsumerSettings(letters_a_key_bytes_max=1000))
    await light.put("g2", rig.topic, message(1, body=b"x" * 1000), KeyError(), attempts=1, due_at=now())
    with pytest.raises(Full):
        await light.behind("g2", rig.topic, message(2))


async def test_there_is_a_limit_to_all_letters(rig: Rig):
    few = DeadLetters(rig.database, ConsumerSettings(letters_max=1))
    await park(rig, few)
    fresh = DeadLetters(rig.database, ConsumerSettings(letters_max=1))
    with pytest.raises(Full, match="in all"):
        await fresh.put("g", rig.topic, message(2, "other"), KeyError(), attempts=1, due_at=now())


async def test_letters_of_a_private_topic_go_when_their_time_is_over(rig: Rig):
    letters = rig.letters
    private = rig.topic.model_copy(update={"public": False, "retention": timedelta(days=2)})
    await letters.put("g", private, message(1), KeyError(), attempts=1, due_at=now())
    await letters.behind("g", private, message(2))
    await letters.put("g", rig.topic, message(3, "public"), KeyError(), attempts=1, due_at=now())
    assert await letters.expire(now() + timedelta(days=1)) == 0
    assert await letters.expire(now() + timedelta(days=3)) == 2
    assert await letters.counts() == [("g", True, 1)]


async def test_what_a_list_shows_holds_no_content(rig: Rig):
    letters = rig.letters
    await letters.put("g", rig.topic, message(1, body=b"secret"), KeyError("secret"), attempts=1, due_at=now())
    found = [box async for box in letters.find(group="g")]
    assert len(found) == 1
    assert "secret" not in str(found)
    assert [box async for box in letters.find(group="other")] == []
    assert [box["_id"] async for box in letters.find(cause="KeyErr")] == [box_id("g", rig.topic.name, "k")]
    assert [box async for box in letters.find(cause="OSError")] == []


async def test_letters_that_tell_of_somebody_are_taken_out_and_the_key_goes_on(rig: Rig):
    letters = rig.letters
    id = await park(rig, letters)
    await letters.behind("g", rig.topic, message(2, body=b'{"to": "Aino"}'))
    await letters.put("g", rig.topic, message(7, "aino", b"Aino, and no JSON"), KeyError("x"), attempts=1, due_at=None)
    await letters.put("other", rig.topic, message(9, body=b"Aino"), KeyError("x"), attempts=1, due_at=now())
    for expected in (2, 0):
        assert await letters.forget("g", rig.topic.name, lambda body: b"Aino" in body) == expected
    assert await letters_of(letters, id) == [1]
    assert [count for *_, count in await letters.counts()] == [1, 1]


async def test_a_key_with_no_other_letter_is_free_again(rig: Rig):
    await park(rig, rig.letters)
    assert await rig.letters.forget("g", rig.topic.name, lambda body: True) == 1
    assert await rig.letters.parked("g", [(rig.topic.name, "k")]) == {}
