"""People at work: clients that ask for one thing after another, and repeat themselves until they are answered."""

import asyncio
import itertools
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.faults.calling import AWAY, Answer, Caller
from tests.faults.ledger import Asked, Ledger, Wish
from tests.faults.people import People

PATIENCE_SECONDS = 120
PAUSE_SECONDS = 0.4
DOUBLINGS_MAX = 3
IDLE_SECONDS = 150

#: Answers that tell to come back with the same key: the gateway has nobody, the service is full, or it is under way.
AGAIN = frozenset({429, 502, 503, 504})
FULL_CODES = frozenset({"busy", "caller-busy", "store-unavailable"})
AGAIN_CODES = frozenset({"key-in-flight", "busy"})
AGAIN_DURING = {"F9": frozenset({"token-expired", "token-invalid"})}  # a token of another time: a clock jumped


#: One aggregate, whose version is its ETag; what is read under it is a read model.
SINGLE = re.compile(r"/(companies|contacts|visits|rooms)/[0-9a-f-]{36}")


def comes_back(status: int, code: str, fault: str) -> bool:
    """Whether an answer tells to come back, while that fault is on."""
    return status in AGAIN or code in AGAIN_CODES or code in AGAIN_DURING.get(fault, ())


@dataclass(frozen=True)
class Again:
    """Why a try was not the last, what was said, and how long somebody said to wait."""

    why: str
    said: dict[str, Any] | None = None
    seconds: float = 0.0


class Client:
    """Somebody with an app that repeats itself, with the same key, until it is answered."""

    def __init__(self, name: str, user: str, http: Caller, ledger: Ledger, random: Random) -> None:
        self.name = name
        self.user = user
        self.http = http
        self.random = random
        self.ledger = ledger
        self._numbers = itertools.count(1)
        self._pauses = Random(f"{name} pauses")  # how often it has to ask again must not change what it asks next

    async def ask(
        self, kind: str, method: str, path: str, body: Any = None, *, about: str = "", match: str = "", within: str = ""
    ) -> Wish:
        """Ask for something; the ledger has it before, and the answer after."""
        wish = f"{self.name}-{next(self._numbers)}"
        asked = Asked(wish, self.name, self.user, kind, method, path, about, body, match, within)
        headers = {"Idempotency-Key": f"{wish}-{uuid.UUID(int=self.random.getrandbits(128))}"}
        headers |= {"If-Match": match} if match else {}
        self.ledger.asked(asked)
        until = time.monotonic() + PATIENCE_SECONDS
        for number in itertools.count():
            outcome = await self._try(asked, headers)
            if isinstance(outcome, Wish):
                return outcome
            self.ledger.tried(wish, outcome.why, outcome.said)
            pause = outcome.seconds or PAUSE_SECONDS * 2 ** min(number, DOUBLINGS_MAX)
            await asyncio.sleep(pause * self._pauses.uniform(0.7, 1.3))
            if time.monotonic() > until:
                break
        self.ledger.gave_up(wish)
        return Wish(asked, gave_up=True)

    async def _try(self, asked: Asked, headers: dict[str, str]) -> "Wish | Again":
        try:
            answer = await self.http.request(asked.method, asked.path, asked.body, headers)
        except AWAY as error:
            return Again(type(error).__name__)
        told = answer.body
        if comes_back(answer.status_code, told.get("code", ""), self.ledger.fault):
            return Again(f"{answer.status_code} {told.get('code', '')}", told, _pause(answer, told))
        version = int(answer.headers.get("ETag", '"0"').strip('"'))
        replayed = "Idempotent-Replayed" in answer.headers
        self.ledger.answered(asked.wish, answer.status_code, told, version=version, replayed=replayed)
        return Wish(asked, status=answer.status_code, code=told.get("code", ""), version=version, body=told)

    async def get(self, path: str) -> Answer | None:
        """Look at something, once; None when nobody answered. A client looks at what its own college has: whoever does
        not find it was shown nothing."""
        since = self.ledger.now()
        try:
            answer = await self.http.request("GET", path)
        except AWAY:
            return None
        if SINGLE.fullmatch(path) and (answer.is_success or answer.status_code == 404):
            version = int(answer.headers["ETag"].strip('"')) if answer.is_success else 0
            self.ledger.looked(path, self.name, version, since)
        return None if answer.status_code in AGAIN else answer


def _pause(answer: Answer, told: dict[str, Any]) -> float:
    """As long as a service that is full asks for. A gateway that has nobody is asked again soon, as people do."""
    if told.get("code") in FULL_CODES:
        return float(answer.headers.get("Retry-After", 0))
    return PAUSE_SECONDS


class Load:
    """All clients, at a rate that can be changed, and that can be paused."""

    def __init__(self, people: People, ledger: Ledger, seed: str) -> None:
        self.rate = 15.0
        self._people = people
        self._ledger = ledger
        self._seed = seed
        self._going = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._busy = 0
        self._turn = 0.0
        self.broken: list[str] = []

    def client(self, name: str, user: str, http: Caller | None = None) -> Client:
        """A client whose dice are its own: what it does does not depend on how fast the others are."""
        return Client(name, user, http or self._people.caller(user), self._ledger, Random(f"{self._seed} {name}"))

    def add(self, name: str, user: str, script: Callable[[Client], Awaitable[None]]) -> None:
        """One more client: ``script`` does one thing each time it is called."""
        self._tasks.append(asyncio.create_task(self._work(self.client(name, user), script)))

    def resume(self) -> None:
        """Go on."""
        self._turn = time.monotonic()
        self._going.set()

    async def pause(self, seconds: float = IDLE_SECONDS) -> bool:
        """Have nobody begin anything more, and wait until all have their answers. False when some never got one."""
        self._going.clear()
        until = time.monotonic() + seconds
        while self._busy and time.monotonic() < until:
            await asyncio.sleep(0.1)
        return not self._busy

    async def stop(self) -> None:
        """Send everybody home."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self, client: Client, script: Callable[[Client], Awaitable[None]]) -> None:
        while True:
            await self._going.wait()
            await self._pace()
            if not self._going.is_set():
                continue
            self._busy += 1
            try:
                await script(client)
            except Exception as error:  # a flaw of the rig: it is told of at the end, and the others work on
                self.broken.append(f"{client.name}: {type(error).__name__}: {error}")
                await asyncio.sleep(1)
            finally:
                self._busy -= 1

    async def _pace(self) -> None:
        """Wait for a turn: there are ``rate`` of them a second, for all clients together."""
        now = time.monotonic()
        self._turn = max(self._turn, now - 1) + 1 / self.rate
        if self._turn > now:
            await asyncio.sleep(self._turn - now)
