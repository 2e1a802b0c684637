"""How the rig starts a service: as ``tyrsky serve``, but told by a file it turns the clock, fails or stops itself.

    python -m tests.faults.launched companies .local-faults/control/companies.json

The product knows nothing of it.
"""

import os
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from tyrsky.clearing import Clearer
from tyrsky.cli import app
from tyrsky.policies import Policies
from tyrsky.relay import Relay
from tyrsky.store import Claim
from tyrsky_contracts.event import Envelope, Event

from tests.faults.batches import Batches
from tests.faults.control import Control

PUBLISH = "_publish"
CLEAR = "clear"
OF_PRODUCER = ("begin_transaction", "send", "commit_transaction")

Does = Callable[..., Awaitable[Any]]

_in_hand: ContextVar[Mapping[str, str]] = ContextVar("in_hand")
"""Aggregates that are being published, and the holder of each claim."""


def put_in(control: Control) -> None:
    """Put the places where things go wrong around what the kit stands on."""
    commands = Policies.commands

    async def failing(self: Policies, event: Event, about: Envelope) -> Any:
        control.fails({about.subject, *(str(value) for _, value in event)})
        return await commands(self, event, about)

    Policies.commands = failing
    setattr(Relay, PUBLISH, publishing(getattr(Relay, PUBLISH)))
    for name in OF_PRODUCER:
        setattr(AIOKafkaProducer, name, stepping(control, name, getattr(AIOKafkaProducer, name)))
    setattr(Clearer, CLEAR, clearing(control, getattr(Clearer, CLEAR)))
    Batches(control).put_in()


def publishing(does: Does) -> Does:
    """What a relay publishes in one transaction is in hand at each of its steps."""

    async def publish(self: Any, sender: Any, claims: Sequence[Claim]) -> Any:
        before = _in_hand.set(_held(claims))
        try:
            return await does(self, sender, claims)
        finally:
            _in_hand.reset(before)

    return publish


def stepping(control: Control, name: str, does: Does) -> Does:
    """A step of Kafka's producer, which comes to its place first."""

    async def step(self: Any, *arguments: Any, **named: Any) -> Any:
        control.comes_to(name, _in_hand.get({}))
        return await does(self, *arguments, **named)

    return step


def clearing(control: Control, does: Does) -> Does:
    """The emptying of outboxes, which comes to its place first. The store's writes of several are others' too: of saves
    that come together, of the finder, of read models."""

    async def clear(self: Any, name: str, claims: Sequence[Claim]) -> None:
        control.comes_to(CLEAR, _held(claims))
        await does(self, name, claims)

    return clear


def _held(claims: Sequence[Claim]) -> Mapping[str, str]:
    return {claim.id: claim.by for claim in claims}


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
