"""A process stops in the steps of a relay, with what the relay has in hand there, and not where others write."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from tyrsky.clearing import Clearer
from tyrsky.guarded import Guarded, GuardedWrites
from tyrsky.store import Claim

from tests.faults import launched
from tests.faults.control import PLACES, Control

CLAIM = Claim("visits", "v1", 2, "a relay", "token", ())
IN_HAND = {"v1": "a relay"}


class Told(Control):
    """Says where it came to and what was in hand there, and stops nobody."""

    def __init__(self) -> None:
        self.places: list[tuple[str, Mapping[str, str]]] = []

    def comes_to(self, place: str, in_hand: Mapping[str, str]) -> None:
        """Note it."""
        self.places.append((place, in_hand))


class Collection:
    """A collection that takes every write."""

    async def bulk_write(self, writes: list[Any], *, ordered: bool) -> Any:
        """As many as there are."""
        return type("Result", (), {"matched_count": len(writes)})()

    def get_collection(self, name: str, **_: Any) -> "Collection":
        """It is the database too."""
        return self


async def nothing(*_: Any) -> None:
    """What Kafka would do."""


async def test_at_each_step_of_a_transaction_what_it_carries_is_in_hand_and_nothing_outside_of_one():
    control = Told()
    steps = {name: launched.stepping(control, name, nothing) for name in launched.OF_PRODUCER}

    async def publish(relay: Any, sender: Any, claims: Any) -> None:
        for step in steps.values():
            await step(sender)

    await launched.publishing(publish)(None, None, [CLAIM])
    await steps["commit_transaction"](None)  # of a transaction with nothing in it, that ends what hangs
    assert control.places == [*((name, IN_HAND) for name in launched.OF_PRODUCER), ("commit_transaction", {})]


async def test_a_clearing_is_a_step_and_a_save_of_several_is_not(monkeypatch: pytest.MonkeyPatch):
    control, store = Told(), cast("Any", Collection())
    monkeypatch.setattr(Clearer, "clear", launched.clearing(control, Clearer.clear))
    writes = GuardedWrites(store)
    asked = [Guarded({"_id": id, "college": "vaao"}, {"$set": {}}, f"token {id}") for id in ("v1", "v2")]
    assert await writes._write_all(asked) == [True, True]  # pyright: ignore[reportPrivateUsage]
    assert control.places == []
    await Clearer(store, cast("Any", None), cast("Any", None)).clear("visits", [CLAIM])
    assert control.places == [("clear", IN_HAND)]
    assert {*launched.OF_PRODUCER, "clear"} == set(PLACES)
