"""The kit's own tests of what it does with the store, once more on the store in memory: it must not be told apart.

The same functions run on the real store where they stand, as ``stack`` tests.
"""

from importlib import import_module
from typing import Any

import pytest
from tyrsky.store import Store

from shared.kit.tests.consuming.rig import Rig
from shared.kit.tests.core.room import room
from tests.simulation.domain import ROOMS, RoomOpened, codec
from tests.simulation.store import Server

MODULES = (
    "core.test_store",
    "core.test_store_together",
    "core.test_deciding",
    "core.test_deciding_limits",
    "core.test_remembering",
    "core.test_forgetting",
    "core.test_due",
    "consuming.test_dead_letters",
    "consuming.test_projecting",
    "consuming.test_policies",
)

for module in MODULES:
    for name, test in vars(import_module(f"shared.kit.tests.{module}")).items():
        if name.startswith("test_"):
            assert name not in globals()
            globals()[name] = test


@pytest.fixture
def database() -> Any:
    """A store of the test's own, in memory."""
    return Server().client()["kit"]


@pytest.fixture
def store(database: Any) -> Store[Any, Any]:
    return Store(database, room, lambda: "a-relay")


@pytest.fixture
def rig(request: pytest.FixtureRequest, database: Any) -> Any:
    """The deciders' rig, or the consumers' as far as it needs no Kafka."""
    theirs = import_module(request.function.__module__)
    if theirs.Rig is not Rig:
        return theirs.Rig(database)
    nobody: Any = None
    return Rig(codec.topic_of(RoomOpened), codec, database, nobody, ROOMS)
