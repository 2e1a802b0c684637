"""What a service has in memory is what it uses: a started one is asked what it has imported."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from tyrsky import cli

from tests.bench.bench import Bench
from tests.bench.serving import serving

pytestmark = pytest.mark.stack

TELLS = """
import runpy, signal, sys
from pathlib import Path
told, *sys.argv = sys.argv[1:]

def tell(*_):
    draft = Path(told + ".draft")
    draft.write_text("\\n".join(sys.modules))
    draft.replace(told)

signal.signal(signal.SIGUSR1, tell)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a program that tells what it has imported whenever it is asked to."""

TOLD_SECONDS = 10


async def test_a_running_service_has_no_commands_administration_or_exporters(here: Bench, tmp_path: Path) -> None:
    told = tmp_path / "modules"
    async with (
        here.database() as database,
        here.topic(partitions=1) as topic,
        serving(
            here,
            "tests.load.served",
            database=database.name,
            topic=topic,
            prefix=[sys.executable, "-c", TELLS, str(told)],
            TRACES_EXPORTER="none",
        ) as served,
    ):
        os.kill(served.pid, signal.SIGUSR1)
        async with asyncio.timeout(TOLD_SECONDS):
            while not told.exists():
                await asyncio.sleep(0.05)
    has = set(told.read_text().split())
    assert {"tyrsky.serving", "tyrsky.relay", "tyrsky.watching"} <= has
    commands = {f"tyrsky.{place.partition(':')[0]}" for place in (*cli.COMMANDS.values(), *cli.GROUPS.values())}
    needless = (*(commands - {"tyrsky.serving"}), "tyrsky.zipkin", "opentelemetry.exporter", "confluent_kafka", "rich")
    assert {name for name in has if f"{name}.".startswith(tuple(f"{each}." for each in needless))} == set()
