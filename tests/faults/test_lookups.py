"""What was acknowledged is asked for: once after it changed, and all of it at the end."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from tests.faults.calling import Answer, Caller
from tests.faults.lookups import LookUps
from tests.faults.test_invariants import VISIT, wish

OTHER = "/visits/v2"


class Gateway:
    """Has what it is given, and notes what it is asked for."""

    def __init__(self, **versions: int) -> None:
        self.versions = versions
        self.asked: list[str] = []
        self.tasks = 0

    async def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """What there is; 404 of what is not."""
        self.asked.append(path)
        self.tasks = max(self.tasks, len(asyncio.all_tasks()))
        await asyncio.sleep(0)
        id = path.rsplit("/", 1)[-1]
        if id not in self.versions:
            return Answer(404, {}, {})
        return Answer(200, {"ETag": f'"{self.versions[id]}"'}, {"id": id})


def look_ups(gateway: Gateway) -> LookUps:
    def caller(user: str) -> Caller:
        return cast("Caller", gateway)

    return LookUps(caller)


async def test_after_a_fault_only_what_changed_is_asked_for_and_at_the_end_everything():
    gateway = Gateway(v1=1, v2=1)
    ups, both = look_ups(gateway), [wish("plan-visit", VISIT, id="v1"), wish("plan-visit", OTHER, id="v2")]
    assert set(await ups.shown(both, whole=False)) == {VISIT, OTHER}
    moved = [*both, wish("move-visit", VISIT, version=2, id="v1")]
    assert set(await ups.shown(moved, whole=False)) == {VISIT}
    assert set(await ups.shown(moved, whole=True)) == {VISIT, OTHER}
    assert ups.count == 5


async def test_what_was_there_after_one_fault_and_is_lost_in_a_later_one_is_seen_at_the_end():
    gateway = Gateway(v1=1)
    ups, planned = look_ups(gateway), [wish("plan-visit", VISIT, id="v1")]
    assert (await ups.shown(planned, whole=False))[VISIT] is not None
    del gateway.versions["v1"]
    assert await ups.shown(planned, whole=False) == {}
    assert await ups.shown(planned, whole=True) == {VISIT: None}


async def test_many_are_asked_for_by_a_few_and_none_is_left_out():
    gateway = Gateway(**{f"v{number}": 1 for number in range(500)})
    wishes = [wish("plan-visit", f"/visits/v{number}", id=f"v{number}") for number in range(500)]
    assert len(await look_ups(gateway).shown(wishes, whole=True)) == 500
    assert gateway.tasks < 20  # thousands at once would hold the proxies up
