"""What is written again is all there, in order within a key, and in another order across keys."""

from random import Random
from typing import cast

import pytest

from tests.faults import standing
from tests.faults.again import Raw, allowed_for, shuffled_across_keys
from tests.faults.rig import Rig
from tests.faults.standing import Standing


def test_keys_are_shuffled_and_their_messages_are_not() -> None:
    messages = [Raw("visits", f"{key}".encode(), f"{number}".encode(), []) for key in range(5) for number in range(20)]
    again = shuffled_across_keys(messages, Random(1))
    assert sorted(map(repr, again)) == sorted(map(repr, messages))
    assert [each.key for each in again] != [each.key for each in messages]
    for key in range(5):
        numbers = [int(each.value or b"") for each in again if each.key == f"{key}".encode()]
        assert numbers == list(range(20))
    assert again == shuffled_across_keys(messages, Random(1))


def test_a_standing_says_what_became_another() -> None:
    before, after = Standing("a", {("s", "m"): "b"}, 1, 2, 0), Standing("a", {("s", "m"): "c"}, 2, 2, 0)
    assert not before.differs_from(before)
    assert after.differs_from(before) == (
        "read_models: {('s', 'm'): 'b'} became {('s', 'm'): 'c'}",
        "mails: 1 became 2",
    )


async def test_a_read_model_that_became_what_another_was_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {("companies", "reach"): "a1", ("seats", "occupancy"): "b2"}
    rebuilt = {**before, ("companies", "reach"): "b2"}

    async def hashed(_: object, *model: str) -> str:
        return rebuilt[model[0], model[1]]

    monkeypatch.setattr(standing, "rebuilt_hash", hashed)
    assert await standing.rebuilt_otherwise(cast("Rig", None), before) == [
        "companies reach: rebuilt it is b2, before it was a1"
    ]


def test_rest_may_take_30_s_or_as_long_as_so_many_messages_take() -> None:
    assert [allowed_for(messages) for messages in (0, 3_000, 20_000)] == [30, 30, 200]
