"""A process stops in the steps of a relay, and not where a read model is written."""

from typing import Any

import pytest

from tests.faults import launched
from tests.faults.control import Control


class Told(Control):
    """Says where it came to, and stops nobody."""

    def __init__(self) -> None:
        self.places: list[str] = []

    def comes_to(self, place: str) -> None:
        """Note it."""
        self.places.append(place)


class Collection:
    """A collection, as far as its name goes."""

    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize(("name", "stops"), [("visits", True), ("reach", False), ("reach_edition_2_ab", False)])
async def test_a_write_of_several_is_a_relays_only_where_there_are_outboxes(name: str, stops: bool):
    control = Told()

    async def writes(_: Any) -> str:
        return "written"

    does = launched.stopping(control, "bulk_write", writes)
    assert await does(Collection(name)) == "written"
    assert control.places == ["bulk_write"] * stops
