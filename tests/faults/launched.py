"""How the rig starts a service: as ``tyrsky serve``, but told by a file it turns the clock, fails or stops itself.

    python -m tests.faults.launched companies .local-faults/control/companies.json

The product knows nothing of it.
"""

import os
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from pymongo.asynchronous.collection import AsyncCollection
from tyrsky.cli import app
from tyrsky.policies import Policies
from tyrsky_contracts.event import Envelope, Event

from tests.faults.batches import Batches
from tests.faults.control import AGGREGATES, PLACES, Control


def put_in(control: Control) -> None:
    """Put the places where things go wrong around what the kit stands on."""
    commands = Policies.commands

    async def failing(self: Policies, event: Event, about: Envelope) -> Any:
        control.fails({about.subject, *(str(value) for _, value in event)})
        return await commands(self, event, about)

    Policies.commands = failing
    for name in PLACES:
        of = AsyncCollection if name == "bulk_write" else AIOKafkaProducer
        setattr(of, name, stopping(control, name, getattr(of, name)))
    Batches(control).put_in()


def stopping(control: Control, name: str, does: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """What comes to a place first, and then does what it did; read models are none of a relay's business."""

    async def stops(self: Any, *arguments: Any, **named: Any) -> Any:
        if name != "bulk_write" or self.name in AGGREGATES:
            control.comes_to(name)
        return await does(self, *arguments, **named)

    return stops


def main(package: str, file: Path) -> None:
    """Serve a service, in the rig's hands."""
    file.parent.mkdir(parents=True, exist_ok=True)
    control = Control(file)
    control.look()  # its clock may be wrong from the beginning
    os.environ.update(control.wanted.env)
    control.tell()
    put_in(control)
    threading.Thread(target=control.watch, name="control", daemon=True).start()
    app(["serve", package])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
