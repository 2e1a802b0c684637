"""A process of its own that saves events and stops still (SIGSTOP) as it publishes them; see test_relay_fencing.py.

``python -m ... mongo_uri database bootstrap topic room moment``: it stops before this kind of request to Kafka.
"""

import asyncio
import os
import signal
import sys
from typing import Any
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from pymongo import AsyncMongoClient
from tyrsky.store import Document

SECONDS = 120


def stop_before(moment: str) -> None:
    """The first request of this kind waits for SIGCONT, and goes out as if nothing had been."""
    real = AIOKafkaClient.send

    async def send(self: AIOKafkaClient, node_id: Any, request: Any, **more: Any) -> Any:
        if type(request).__name__ == moment and AIOKafkaClient.send is send:
            AIOKafkaClient.send = real
            print("stopped", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)
        return await real(self, node_id, request, **more)

    AIOKafkaClient.send = send


async def main(mongo_uri: str, database: str, bootstrap: str, topic: str, room: str, moment: str) -> None:
    from .test_relay import Rig, running

    stop_before(moment)
    async with AsyncMongoClient[Document](mongo_uri, tz_aware=True) as client:
        rig = Rig(client[database], bootstrap, topic)
        async with running(rig.relay()) as relay:
            await asyncio.sleep(0.5)
            await rig.open(relay.publish, UUID(room), seats=9)
            await asyncio.sleep(SECONDS)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
