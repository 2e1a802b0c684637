"""One member of a group, which a test can freeze: a process of its own on Kafka, a simulated one in memory.

It says what it has (``has 0,1``), and when Kafka did not let it commit (``refused``).
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from tests.simulation.either import Kafka
from tests.simulation.loop import Loop, Process

PAUSE_SECONDS = 0.1


async def belong(kafka: Kafka, say: Callable[[str], None]) -> None:
    """Take part, and commit the same place over and over."""
    async with kafka.consumer(group_id=kafka.group, isolation_level="read_committed") as consumer:
        consumer.subscribe([kafka.topic])
        had = set[TopicPartition]()
        while True:
            await consumer.getmany(timeout_ms=100)
            try:
                if had:
                    await consumer.commit(dict.fromkeys(had, (0, "")))
            except (CommitFailedError, IllegalStateError):
                say("refused")
                had = set()
            if consumer.assignment() != had:
                had = consumer.assignment()
                say("has " + ",".join(str(at.partition) for at in sorted(had)))
            await asyncio.sleep(PAUSE_SECONDS)


class Member:
    """What a test sees of it."""

    def __init__(self, freeze: Callable[[], None], thaw: Callable[[], None]) -> None:
        self.freeze = freeze
        self.thaw = thaw
        self.said: list[str] = []


@asynccontextmanager
async def another(kafka: Kafka) -> AsyncGenerator[Member]:
    """One more member of the group."""
    if kafka.bootstrap is None:
        process, loop = Process("another"), asyncio.get_running_loop()
        assert isinstance(loop, Loop)
        member = Member(lambda: setattr(process, "frozen", True), lambda: loop.thaw(process))
        task = loop.spawn(process, belong(kafka, member.said.append))
        yield member
        task.cancel()
        return
    command = [sys.executable, "-m", "tests.simulation.member", kafka.bootstrap, kafka.topic, kafka.group]
    child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    member = Member(lambda: child.send_signal(signal.SIGSTOP), lambda: child.send_signal(signal.SIGCONT))
    told = asyncio.create_task(_hear(child, member))
    try:
        yield member
    finally:
        child.kill()
        await asyncio.gather(child.wait(), told)


async def _hear(child: asyncio.subprocess.Process, member: Member) -> None:
    assert child.stdout
    while line := await child.stdout.readline():
        member.said.append(line.decode().strip())


def main() -> None:
    """The member's own process."""
    bootstrap, topic, group = sys.argv[1:]
    kafka: Any = Kafka(bootstrap)
    kafka.topic, kafka.group = topic, group
    asyncio.run(belong(kafka, lambda what: print(what, flush=True)))


if __name__ == "__main__":
    main()
