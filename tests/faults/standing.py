"""How the whole stands at rest: what must not change when nothing new is asked for, however often messages come."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from tests.faults import looking
from tests.faults.rig import Rig

READ_MODELS: Mapping[str, Sequence[str]] = {"companies": ["reach"], "seats": ["occupancy"]}
COMMAND_SECONDS = 180
AGGREGATE = {"sequence": {"$exists": True}, "receipts": {"$exists": True}}
SHOWN = {"version": 1, "sequence": 1, "state": 1}


Hashes = Mapping[tuple[str, str], str]
"""Of read models, by their service and name."""


@dataclass(frozen=True)
class Standing:
    """Hashes of all aggregates and read models, how often something was done outside, and what could not be taken."""

    aggregates: str
    read_models: Hashes
    mails: int
    calls: int
    letters: int

    def differs_from(self, before: "Standing") -> tuple[str, ...]:
        """What is not as it was."""
        pairs = [(each.name, getattr(before, each.name), getattr(self, each.name)) for each in fields(self)]
        return tuple(f"{name}: {was} became {now}" for name, was, now in pairs if was != now)


async def standing(rig: Rig) -> Standing:
    """How the whole stands now."""
    hashed, letters, addresses = hashlib.sha256(), 0, set[str]()
    for service in rig.services:
        database = rig.database(service)
        for name in sorted(await database.list_collection_names()):
            async for each in database[name].find(AGGREGATE, SHOWN).sort("_id", 1):
                hashed.update(json.dumps([name, each], sort_keys=True, default=str).encode())
                addresses |= {each["state"]["to_email"]} if "to_email" in each["state"] else set()
        letters += await database["dead_letters"].count_documents({})
    mails = await asyncio.to_thread(looking.mails, rig.stack, sorted(addresses))
    calls = len(await asyncio.to_thread(rig.ledger.paper.noted, "webhook"))
    return Standing(hashed.hexdigest()[:16], await model_hashes(rig), mails.total(), calls, letters)


def read_models(rig: Rig) -> list[tuple[str, str]]:
    """Service and name of each read model that runs here."""
    return [(service, name) for service, names in READ_MODELS.items() if service in rig.services for name in names]


async def model_hashes(rig: Rig) -> Hashes:
    """How each read model is now."""
    return {(service, name): await model_hash(rig, service, name) for service, name in read_models(rig)}


async def rebuilt_otherwise(rig: Rig, before: Hashes, *options: str) -> list[str]:
    """Read models that are others when they are rebuilt from the first event."""
    rebuilt = {model: await rebuilt_hash(rig, *model, *options) for model in before}
    return [
        f"{' '.join(model)}: rebuilt it is {rebuilt[model]}, before it was {before[model]}"
        for model in before
        if rebuilt[model] != before[model]
    ]


async def model_hash(rig: Rig, service: str, name: str) -> str:
    """What ``tyrsky project hash`` says of a read model."""
    done = await command(rig, service, "project", "hash", service, name)
    return done.stdout.strip().splitlines()[-1][:16]


async def rebuilt_hash(rig: Rig, service: str, name: str, *options: str) -> str:
    """The same after ``tyrsky project rebuild``, from the first event on."""
    await command(rig, service, "project", "rebuild", *options, service, name)
    return await model_hash(rig, service, name)


async def command(rig: Rig, service: str, *words: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
    """``tyrsky``, as an operator of a service runs it, past the proxies. Raises RuntimeError when it fails."""
    env = {**os.environ, **rig.environment(service)}
    env |= {"MONGO_URI": rig.layout.mongo_uri, "KAFKA_BOOTSTRAP": rig.layout.bootstrap, "COLUMNS": "300"}
    tyrsky = Path(sys.executable).with_name("tyrsky")

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tyrsky, *words], env=env, check=False, timeout=COMMAND_SECONDS, capture_output=True, text=True
        )

    done = await asyncio.to_thread(run)
    if done.returncode and not fails:
        raise RuntimeError(f"tyrsky {' '.join(words)} failed: {(done.stdout + done.stderr)[-500:]}")
    return done
