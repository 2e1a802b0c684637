"""F15: the identity provider is gone; keys that are known still serve, and who was started meanwhile waits for it."""

import asyncio
import base64
import json
import time
from contextlib import AsyncExitStack
from random import Random

from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.kills import for_sure
from tests.faults.rig import Rig

UNIT_SECONDS = 15
ASK_SECONDS = 0.5
USER = "vaao-coordinator"
PATHS = {
    "companies": "/visits?limit=1",
    "notifications": "/notifications?limit=1",
    "seats": "/rooms/00000000-0000-4000-8000-000000000000",
}
"""What each service can be asked with a token; of the last one the answer is 404, after the token was read."""


async def gone(rig: Rig, random: Random, amount: int) -> Outcome:
    """Gone for ``amount`` times 15 s: first it hangs, then it refuses; towards the end a service is killed."""
    proxies = [rig.proxies[f"{service}-keycloak"] for service in rig.services]
    swallowed = sum(proxy.counts["swallowed"] for proxy in proxies)
    counts = {"gone, s": amount * UNIT_SECONDS, "asked": 0, "refused for an unknown key": 0}
    wrong, half = list[str](), amount * UNIT_SECONDS / 2
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
        service = random.choice(rig.services)
        await for_sure(rig, service)  # it starts without any key, and waits
        await asyncio.sleep(UNIT_SECONDS / 3)
    rig.fault_ended()
    back = await rig.ready(service)
    counts |= {f"ready after the return, s ({service})": round(back)}
    return Outcome(counts, tuple(wrong), times=amount)


async def _asked(rig: Rig, seconds: float, wrong: list[str]) -> int:
    """Look at things with tokens of known keys; whatever is not an answer is wrong."""
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for service in rig.services:
            path = PATHS[service]
            answer = await rig.person(USER).get(path)
            count += 1
            if not answer.is_success and answer.status_code != 404:
                wrong.append(f"{path} without the identity provider: {answer.status_code} {answer.text[:100]}")
        await asyncio.sleep(ASK_SECONDS)
    return count


async def _unknown_key(rig: Rig, wrong: list[str]) -> int:
    """A token with a key that may be a new one: it cannot be told, so come back later."""
    head = {"alg": "RS256", "typ": "JWT", "kid": "a-key-that-nobody-knows"}
    token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, {}, 0))
    answer = await rig.person(USER).get("/visits?limit=1", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != 503 or not answer.headers.get("Retry-After", "").isdecimal():
        wrong.append(f"an unknown key: {answer.status_code} {answer.text[:100]}, and not 503 with Retry-After")
    return 1
