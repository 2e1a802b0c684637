"""The state machine's hands: it asks, again and again until it is answered, alone or many at once; and a journal of it.

Hypothesis is no friend of asyncio: its rules are plain functions in a thread of their own, and the requests go out in
the loop that the rest of the rig lives in.
"""

import asyncio
import itertools
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import httpx2

from tests.faults.answers import MODELLED
from tests.faults.ledger import Asked, Ledger
from tests.faults.load import PATIENCE_SECONDS, SINGLE, comes_back

PAUSE_SECONDS = (0.02, 0.4)
JOURNAL_LINES = 60


class Unanswered(Exception):  # noqa: N818 - it reads as it is meant
    """Nobody answered for so long that it is no fault any more."""


@dataclass(frozen=True)
class Request:
    """What is asked. ``kind``, ``about`` and ``within`` are for the ledger, which is told of what may change something;
    see :class:`tests.faults.ledger.Asked`."""

    user: str
    method: str
    path: str
    body: Any = None
    key: str = ""
    match: str = ""
    kind: str = ""
    about: str = ""
    within: str = ""

    @property
    def college(self) -> str:
        """Whose it is."""
        return self.user.partition("-")[0]

    def but(self, **otherwise: Any) -> "Request":
        """The same with something else."""
        return replace(self, **otherwise)


@dataclass(frozen=True)
class Answer:
    """What was answered at last; ``tries`` more than 1 when answers before it were lost."""

    status: int
    body: Any
    version: int = 0
    replayed: bool = False
    tries: int = 1

    @property
    def code(self) -> str:
        """The problem's code; empty when it is none."""
        return self.body.get("code", "") if self.status >= 400 else ""

    @property
    def same(self) -> tuple[int, Any, int]:
        """What a repeat must be answered too."""
        return self.status, self.body, self.version


@dataclass
class Api:
    """The platform, as people see it. ``rough``: faults happen meanwhile, and other people work. ``reacts``: what
    follows from events happens too, which it does not where the consumers do not run.

    ``numbers`` are of made-up companies that the register knows and nobody has registered; ``address`` takes mails.
    """

    client: Callable[[str], httpx2.AsyncClient]
    loop: asyncio.AbstractEventLoop
    numbers: "itertools.count[int]"
    address: str = "koe@machine.example"
    rough: bool = False
    reacts: bool = True
    ledger: Ledger | None = None
    journal: deque[str] = field(default_factory=lambda: deque[str](maxlen=JOURNAL_LINES))
    asked: int = 0
    again: Counter[str] = field(default_factory=Counter[str])

    def ask(self, request: Request) -> Answer:
        """Ask until there is an answer. Raises Unanswered."""
        return self.at_once(request)[0]

    def at_once(self, *requests: Request) -> Sequence[Answer]:
        """The same for several, none of which waits for another."""

        async def together() -> list[Answer]:
            return list(await asyncio.gather(*(self._ask(request) for request in requests)))

        return asyncio.run_coroutine_threadsafe(together(), self.loop).result(PATIENCE_SECONDS + 60)

    async def _ask(self, request: Request) -> Answer:
        wish, pause = self._begin(request), PAUSE_SECONDS[0]
        until = time.monotonic() + PATIENCE_SECONDS
        for tries in itertools.count(1):
            since = self.ledger.now() if self.ledger else 0.0
            outcome = await self._try(request, tries)
            if isinstance(outcome, Answer):
                self._write(request, outcome, wish, since)
                return outcome
            self.again[outcome] += 1
            if wish and self.ledger:
                self.ledger.tried(wish, outcome)
            if time.monotonic() > until:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_SECONDS[1])
        if wish and self.ledger:
            self.ledger.gave_up(wish)
        raise Unanswered(f"{request.method} {request.path} for {PATIENCE_SECONDS} s")

    async def _try(self, request: Request, tries: int) -> Answer | str:
        headers = {"Idempotency-Key": request.key} if request.key else {}
        headers |= {"If-Match": request.match} if request.match else {}
        self.asked += 1
        try:
            found = await self.client(request.user).request(
                request.method, request.path, json=request.body, headers=headers
            )
            body = found.json()
        except (httpx2.HTTPError, ValueError) as error:
            return type(error).__name__
        code = body.get("code", "") if found.status_code >= 400 else ""
        if comes_back(found.status_code, code, self.ledger.fault if self.ledger else ""):
            return f"{found.status_code} {code}"
        version = int(found.headers.get("ETag", '"0"').strip('"'))
        return Answer(found.status_code, body, version, "Idempotent-Replayed" in found.headers, tries)

    def _begin(self, request: Request) -> str:
        if self.ledger is None or not request.kind:
            return ""
        wish = f"machine-{uuid4()}"
        self.ledger.asked(
            Asked(
                wish, MODELLED, request.user, request.kind, request.method, request.path, request.about,
                request.body, request.match, request.within,
            )
        )  # fmt: skip
        return wish

    def _write(self, request: Request, answer: Answer, wish: str, since: float) -> None:
        if wish and self.ledger:
            self.ledger.answered(wish, answer.status, answer.body, version=answer.version, replayed=answer.replayed)
        elif self.ledger and request.method == "GET" and answer.status == 200 and SINGLE.fullmatch(request.path):
            self.ledger.looked(request.path, MODELLED, answer.version, since)  # a 404 may be what the machine wants
        said = json.dumps(request.body, ensure_ascii=False) if request.body is not None else ""
        told = json.dumps(answer.body, ensure_ascii=False)
        self.journal.append(
            f"{request.user} {request.method} {request.path} {said} key={request.key[:8]} match={request.match}"
            f" -> {answer.status} v{answer.version}{' replayed' * answer.replayed} in {answer.tries}: {told[:300]}"
        )
