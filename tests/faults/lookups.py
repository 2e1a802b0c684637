"""Asks the API for all that was acknowledged: after a fault for what changed since, and at the end for everything."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.faults.calling import AWAY, Caller
from tests.faults.invariants import Shown
from tests.faults.ledger import Wish

ASKED_AT_ONCE = 16
TRIES = 30
AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class Told:
    """The highest version of an aggregate that somebody was told of, and who that was."""

    version: int
    user: str


class LookUps:
    """What is known from look to look; ``count`` is how often it was asked."""

    def __init__(self, caller: Callable[[str], Caller]) -> None:
        self._caller = caller
        self._checked: dict[str, int] = {}
        self.count = 0

    async def shown(self, wishes: Sequence[Wish], *, whole: bool) -> dict[str, Shown | None]:
        """What the API shows of all that changed since the last time. ``whole``: of everything, because what was there
        after one fault may have been lost in a later one."""
        told = await asyncio.to_thread(_told, wishes)
        new = {path: each for path, each in told.items() if whole or self._checked.get(path) != each.version}
        found: dict[str, Shown | None] = {}
        left = iter(new.items())

        async def ask() -> None:
            for path, each in left:
                found[path] = await self._look_up(each.user, path)

        await asyncio.gather(*(ask() for _ in range(ASKED_AT_ONCE)))
        self._checked |= {path: each.version for path, each in new.items()}
        self.count += len(new)
        return found

    async def _look_up(self, user: str, path: str) -> Shown | None:
        """One aggregate as the API shows it. Who is told to come back does."""
        said = ""
        for _ in range(TRIES):
            try:
                answer = await self._caller(user).request("GET", path)
            except AWAY as error:
                said = type(error).__name__
            else:
                if answer.status_code == 404:
                    return None
                if answer.is_success:
                    return Shown(int(answer.headers["ETag"].strip('"')), answer.body)
                said = str(answer.body)
            await asyncio.sleep(AGAIN_SECONDS)
        return Shown(0, {"said": said})


def _told(wishes: Sequence[Wish]) -> dict[str, Told]:
    told: dict[str, Told] = {}
    for wish in wishes:
        about = wish.about
        if wish.acknowledged and about and wish.version and (about not in told or wish.version >= told[about].version):
            told[about] = Told(wish.version, wish.asked.user)
    return told
