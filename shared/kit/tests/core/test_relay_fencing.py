"""No event is seen twice or out of order, whatever becomes of the process that published it."""

# pyright: reportPrivateUsage=false

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from .test_relay import Rig, rig, running

__all__ = ["rig"]

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[4]


@asynccontextmanager
async def stopped_process(rig: Rig, room: UUID, moment: str) -> AsyncGenerator[int]:
    """A process that has saved a room's first event, and stands still; killed in the end."""
    arguments = [os.environ["MONGO_URI"], rig.database.name, rig.bootstrap, rig.topic, str(room), moment]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "shared.kit.tests.core.freezing", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        async with asyncio.timeout(30):
            while await process.stdout.readline() != b"stopped\n":
                pass
        yield process.pid
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("moment", ["ProduceRequest", "EndTxnRequest"])
async def test_a_relay_that_stood_still_publishes_nothing_behind_its_successor(rig: Rig, moment: str) -> None:
    room = uuid4()
    async with stopped_process(rig, room, moment) as pid, running(rig.relay()) as successor:
        await rig.quiet()  # taken over and published
        await rig.take_seats(successor.publish, room, "late", "later")
        await rig.quiet()
        os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(4)
        await rig.quiet()
        sequences = [sequence for _, sequence in await rig.read_all()]
    assert sequences == sorted(set(sequences))
    assert sequences[-1] >= 3
