"""People who talk to one instance of a service, past the gateway: so that it is known who carries out what."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

from tests.faults.calling import Caller
from tests.faults.load import Client
from tests.faults.rig import Rig

USER = "vaao-coordinator"
COLLEGE = "vaao"


@asynccontextmanager
async def at(rig: Rig, instance: str, name: str, random: Random, user: str = USER) -> AsyncGenerator[Client]:
    """A client of one instance; what it asks is in the ledger like everybody's."""
    token = rig.person(user).headers["Authorization"].removeprefix("Bearer ")
    caller = Caller(f"http://{rig.stack.address(instance)}", token)
    dice = Random(f"{name} {random.random()}")
    try:
        yield Client(f"{name}-{dice.getrandbits(32):08x}", user, caller, rig.ledger, dice)
    finally:
        await caller.close()


@asynccontextmanager
async def running(rig: Rig, *instances: str) -> AsyncGenerator[None]:
    """These instances run, and stop afterwards if they did not run before."""
    before = {name: process.state for name, process in (await rig.processes()).items()}
    begun = [name for name in instances if before[name] == "STOPPED"]
    there = [name for name in instances if name not in begun]
    await asyncio.gather(*(rig.start(name) for name in begun), *(rig.ready(name) for name in there))
    try:
        yield
    finally:
        await asyncio.gather(*(rig.stop(name) for name in begun))
