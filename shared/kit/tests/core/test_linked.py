"""Who comes with a link finds what it names among the colleges that are served, and acts for that college."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from tyrsky.drafting import Ask
from tyrsky.linked import Linked

from .room import OpenRoom

ID = uuid4()


class Decider:
    """A store in which one college has one thing, and commands that are carried out by nobody."""

    def __init__(self, college: str) -> None:
        self.store = self
        self.college = college
        self.asked: list[str] = []
        self.carried_out: list[Ask[Any, Any]] = []

    async def load(self, college: str, id: UUID) -> Any:
        self.asked.append(college)
        return SimpleNamespace(id=id, college=college) if (college, id) == (self.college, ID) else None

    async def carry_out(self, ask: Ask[Any, Any]) -> None:
        self.carried_out.append(ask)


def linked(decider: Any) -> Linked[Any, Any]:
    settings: Any = SimpleNamespace(colleges=frozenset({"vaao", "sasky"}))
    return Linked(decider, settings)


async def test_it_is_looked_for_among_the_colleges_that_are_served_each_by_its_name():
    found = await linked(decider := Decider("vaao")).find(ID)
    assert found is not None
    assert found.college == "vaao"
    assert decider.asked == ["sasky", "vaao"]


async def test_what_is_another_deployments_or_nobodys_is_not_there():
    assert await linked(decider := Decider("tredu")).find(ID) is None
    assert await linked(Decider("vaao")).find(uuid4()) is None
    assert set(decider.asked) == {"sasky", "vaao"}


async def test_each_command_is_a_wish_of_its_own_for_the_college_of_what_was_found():
    some = linked(decider := Decider("vaao"))
    for _ in range(2):
        await some.carry_out(OpenRoom(room_id=ID, seats=1), "vaao")
    assert {ask.college for ask in decider.carried_out} == {"vaao"}
    assert len({ask.id for ask in decider.carried_out}) == 2
    assert {ask.at for ask in decider.carried_out} == {some.now}
