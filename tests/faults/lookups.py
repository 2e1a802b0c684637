"""Asks the API for all that was acknowledged: after a fault for what changed since, and at the end for everything."""

import asyncio
from collections.abc import Callable, Sequence

from tests.faults.calling import AWAY, Caller
from tests.faults.invariants import Shown
from tests.faults.ledger import Wish

ASKED_AT_ONCE = 16
TRIES = 30
AGAIN_SECONDS = 0.5


class LookUps:
    """What is known from look to look; ``count`` is how often it was asked."""

    def __init__(self, caller: Callable[[str], Caller]) -> None:
        self._caller = caller
        self._checked: dict[str, int] = {}
        self.count = 0

    async def shown(self, wishes: Sequence[Wish], *, whole: bool) -> dict[str, Shown | None]:
        """What the API shows of all that changed since the last time. ``whole``: of everything, because what was there
        after one fault may have been lost in a later one."""
        highest: dict[str, int] = {}
        for wish in wishes:
            if wish.acknowledged and wish.about and wish.version:
                highest[wish.about] = max(wish.version, highest.get(wish.about, 0))
        paths = [path for path, version in highest.items() if whole or self._checked.get(path) != version]
        found: dict[str, Shown | None] = {}
        users = {wish.about: wish.asked.user for wish in wishes if wish.acknowledged and wish.about}
        asking = asyncio.Semaphore(ASKED_AT_ONCE)

        async def ask(path: str) -> None:
            async with asking:
                found[path] = await self._look_up(users[path], path)

        await asyncio.gather(*(ask(path) for path in paths))
        self._checked |= {path: highest[path] for path in paths}
        self.count += len(paths)
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
