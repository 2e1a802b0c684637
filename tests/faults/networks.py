"""F5: what networks do between each two parts, by dice: resets, holes, delays, and answers that never come."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count, islice
from random import Random

import httpx2

from tests.faults.fault import Outcome
from tests.faults.hands import NotDone
from tests.faults.identity import PATHS, USER
from tests.faults.proxy import Proxy
from tests.faults.rig import Rig
from tests.faults.wire import COMMIT, QUIET, cuts_of

HOLE_SECONDS = 30
DELAY = 0.5
DELAY_SECONDS = 8
RESETS = 3
HAPPENS_SECONDS = 40
OF = "answers of"
COMMITS = {"mongo": COMMIT, "kafka": "EndTxn"}
"""What has to be lost of each service: the answer to a commit, in its store and in Kafka."""

KINDS = ("reset", "hole", "delay", "no answer")


async def between(rig: Rig, random: Random, amount: int) -> Outcome:
    """One thing after another goes wrong, each between other parts; all pairs and all kinds are had by turns.

    What did not come about is wrong, and the others are still tried.
    """
    counts, wrong, had = dict.fromkeys((f"{kind}s" for kind in KINDS), 0), list[str](), set[tuple[str, str]]()
    pairs = random.sample(list(rig.proxies), len(rig.proxies))
    cut, before = 0, {pair: rig.proxies[pair].counts.copy() for pair in pairs}
    taken = list(islice(turns(random.sample(KINDS, len(KINDS)), pairs), amount))
    for kind, pair in taken:
        rig.ledger.noted("network", kind=kind, pair=pair)
        try:
            async with _talk(rig, pair):
                cut += await _go_wrong(kind, rig.proxies[pair], random)
        except NotDone as error:
            wrong.append(f"{kind} {pair}: {error}")
        else:
            counts[f"{kind}s"] += 1
            had.add((kind, pair))
        rig.fault_ended()
        await asyncio.sleep(random.uniform(1, 3))
    seen = {"pairs": len({pair for _, pair in had}), "of each kind between each pair": f"{len(had)}/{4 * len(pairs)}"}
    lost = {pair: rig.proxies[pair].counts - before[pair] for pair in before}
    wrong += without_a_lost_commit(taken, lost)
    told = {what: times for what, times in sorted(sum(lost.values(), Counter[str]()).items()) if what.startswith(OF)}
    times = sum(counts.values())
    return Outcome({**counts, "connections cut": cut, **told, **seen}, tuple(wrong), times=times)


def without_a_lost_commit(taken: Collection[tuple[str, str]], lost: Mapping[str, Counter[str]]) -> list[str]:
    """Pairs of a service and its store, or Kafka, whose turn it was to lose answers, and which lost that of no commit:
    of an aggregate that was saved, of a relay's transaction."""
    turned = {pair: COMMITS[_server(pair)] for kind, pair in taken if kind == "no answer" and _server(pair) in COMMITS}
    return [
        f"{pair}: the answer of no {commit} was cut"
        for pair, commit in turned.items()
        if not lost[pair][f"{OF} {commit} cut"]
    ]


def _server(pair: str) -> str:
    return pair.rsplit("-", 1)[-1]


def turns(kinds: Sequence[str], pairs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each kind with each pair once before any comes again; few turns are of as many kinds and pairs as can be."""
    again = math.lcm(len(kinds), len(pairs))
    for number in count():
        yield kinds[number % len(kinds)], pairs[(number + number // again) % len(pairs)]


@asynccontextmanager
async def _talk(rig: Rig, pair: str) -> AsyncGenerator[None]:
    """Ask what nobody else asks: a service looks for keys for requests alone, and notifications is asked nothing."""
    first, _, second = pair.partition("-")
    service = first if second == "keycloak" else second if pair == QUIET else ""

    async def ask() -> None:
        while True:
            with suppress(httpx2.HTTPError):
                await rig.person(USER).get(PATHS[service])
            await asyncio.sleep(0.5)

    asking = asyncio.create_task(ask()) if service else None
    try:
        yield
    finally:
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


async def _go_wrong(kind: str, proxy: Proxy, random: Random) -> int:
    """Have it happen, and see that it did; how many connections were cut. Raises NotDone."""
    resets, cuts = proxy.counts["resets"], proxy.counts["answers cut"]
    match kind:
        case "reset":
            for _ in range(RESETS):
                await _reset(proxy)
                await asyncio.sleep(random.uniform(0.2, 2))
        case "hole":
            swallowed = proxy.counts["swallowed"]
            async with proxy.hole(then=random.choice(("reset", "late"))):
                await asyncio.sleep(HOLE_SECONDS)
            _happened(proxy, "swallowed", swallowed)
        case "delay":
            delayed = proxy.counts["delayed"]
            async with proxy.delayed(DELAY):
                await asyncio.sleep(DELAY_SECONDS)
                await _until(proxy, kind, lambda: proxy.counts["delayed"] > delayed)
        case _:
            proxy.cut_answers(cuts_of(proxy.name))
            await _until(proxy, kind, lambda: not proxy.cuts_left)
    return proxy.counts["resets"] - resets + proxy.counts["answers cut"] - cuts


async def _reset(proxy: Proxy) -> None:
    """Cut what is there, as soon as there is something: some pairs talk for a moment only."""
    until = time.monotonic() + HAPPENS_SECONDS
    while not proxy.reset():
        if time.monotonic() > until:
            raise NotDone(f"{proxy.name} had no connection for {HAPPENS_SECONDS} s")
        await asyncio.sleep(0.005)


async def _until(proxy: Proxy, kind: str, happened: Callable[[], bool]) -> None:
    until = time.monotonic() + HAPPENS_SECONDS
    while not happened():
        if time.monotonic() > until:
            left = " and ".join(proxy.cuts_wanted)
            proxy.cut_answers({})
            raise NotDone(f"nothing of the kind passed {proxy.name} for {HAPPENS_SECONDS} s: {left or kind}")
        await asyncio.sleep(0.05)


def _happened(proxy: Proxy, what: str, before: int) -> None:
    if proxy.counts[what] == before:
        raise NotDone(f"{proxy.name}: nothing was {what}")
