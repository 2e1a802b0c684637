"""F15: the identity provider is gone; keys that are known still serve, and who was started meanwhile waits for it."""

import asyncio
import base64
import json
import math
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from random import Random

import httpx2

from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.kills import for_sure
from tests.faults.ledger import Paper
from tests.faults.rig import Rig

UNIT_SECONDS = 15
ASK_SECONDS = 0.5
USER = "vaao-coordinator"
NOBODYS = "00000000-0000-4000-8000-000000000000"
PATHS = {
    "companies": f"/visits/{NOBODYS}",
    "notifications": f"/notifications/{NOBODYS}",
    "seats": f"/rooms/{NOBODYS}",
}
"""What each service can be asked with a token. Nothing that is there: a list of thousands would be seconds of the
embedded store's work, each time."""

UNKNOWN = {"companies": "visit-unknown", "notifications": "notification-unknown", "seats": "room-unknown"}
"""What it answers, with 404, after the token was read."""

AWAY = "identity-unavailable"
"""What a service says that has no key to read a token with."""

SERVICES = {"/rooms": "seats", "/notifications": "notifications"}
"""Whom a path asks; all others ask companies."""


async def gone(rig: Rig, random: Random, amount: int) -> Outcome:
    """Gone for ``amount`` times 15 s: first it hangs, then it refuses; towards the end a service is killed."""
    proxies = [rig.proxies[f"{service}-keycloak"] for service in rig.services]
    swallowed = sum(proxy.counts["swallowed"] for proxy in proxies)
    counts = {"gone, s": amount * UNIT_SECONDS, "asked": 0, "refused for an unknown key": 0}
    wrong, half, since = list[str](), amount * UNIT_SECONDS / 2, rig.ledger.paper.end
    async with AsyncExitStack() as stack:
        for proxy in proxies:
            await stack.enter_async_context(proxy.hole())
        counts["asked"] += await _asked(rig, half, wrong)
        if sum(proxy.counts["swallowed"] for proxy in proxies) == swallowed:
            raise NotDone("nobody asked for keys while the identity provider hung")
    async with AsyncExitStack() as stack:
        for proxy in proxies:
            await stack.enter_async_context(proxy.refusing())
        counts["refused for an unknown key"] += await _unknown_key(rig, wrong)
        counts["asked"] += await _asked(rig, half, wrong)
        service, killed_at = random.choice(rig.services), rig.ledger.now()
        await for_sure(rig, service)  # it starts without any key, and waits
        await asyncio.sleep(UNIT_SECONDS / 3)
    rig.fault_ended()
    back = await rig.ready(service)
    tries, turned_away = await asyncio.to_thread(tries_of, rig.ledger.paper, since, {service: killed_at})
    wrong += turned_away
    counts |= {"tries of others": tries, f"ready after the return, s ({service})": round(back)}
    return Outcome(counts, tuple(wrong), times=amount)


async def _asked(rig: Rig, seconds: float, wrong: list[str]) -> int:
    """Look at things with tokens of known keys; whatever is not an answer is wrong."""
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for service in rig.services:
            path = PATHS[service]
            answer = await rig.person(USER).get(path)
            count += 1
            if _told(answer) != (404, UNKNOWN[service]):
                wrong.append(f"{path} without the identity provider: {answer.status_code} {answer.text[:100]}")
        await asyncio.sleep(ASK_SECONDS)
    return count


def _told(answer: httpx2.Response) -> tuple[int, str]:
    try:
        return answer.status_code, answer.json().get("code", "")
    except ValueError:
        return answer.status_code, ""


def tries_of(paper: Paper, since: int, waits: Mapping[str, float]) -> tuple[int, list[str]]:
    """How often people of the load tried what they asked for since this place in the ledger, and what was wrong: they
    were told that the identity provider is away, by another service than one that waits for it since it was killed.
    They would try again, and nobody would know."""
    paths, count, wrong = dict[str, str](), 0, list[str]()
    for line in paper.since(since):
        if line["happening"] == "asked":
            paths[line["wish"]] = line["path"]
        elif line["happening"] in ("tried", "answered") and (path := paths.get(line["wish"])):
            count += 1
            service = SERVICES.get(f"/{path.split('/')[1]}", "companies")
            if AWAY in line.get("outcome", "") and line["at"] < waits.get(service, math.inf):
                wrong.append(f"{line['wish']} {path} without the identity provider: {line['outcome']}")
    return count, wrong


async def _unknown_key(rig: Rig, wrong: list[str]) -> int:
    """A token with a key that may be a new one: it cannot be told, so come back later."""
    head = {"alg": "RS256", "typ": "JWT", "kid": "a-key-that-nobody-knows"}
    token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, {}, 0))
    answer = await rig.person(USER).get(PATHS["companies"], headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != 503 or not answer.headers.get("Retry-After", "").isdecimal():
        wrong.append(f"an unknown key: {answer.status_code} {answer.text[:100]}, and not 503 with Retry-After")
    return 1
