"""The store: an embedded server that speaks MongoDB's wire protocol (see ``mongo_server.py``), its data in one file.

It understands the dialect that docs/operations/local.md lists. Production runs MongoDB itself, as a replica set.
"""

import os
import sys

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local import jars
from deploy.local.part import Part
from deploy.local.stack import ROOT, Stack

ANSWER_MS = 1000


def part(stack: Stack, *, heap_mb: str = "") -> Part:
    """The store; ``heap_mb`` is its memory, when ``MONGO_HEAP_MB`` is not to say."""
    heap_mb = heap_mb or os.environ.get("MONGO_HEAP_MB", "")
    command = [sys.executable, "-m", "deploy.local.mongo_server", "--port", str(stack.ports["mongo"])]
    command += ["--file", str(stack.folder / "mongo" / "data.h2"), "--class-path", jars.class_path("mongo")]
    command += ["--heap-mb", heap_mb] if heap_mb else []
    return Part(
        name="mongo",
        command=command,
        env={"PYTHONPATH": str(ROOT)},
        ready=lambda: _answers(stack.mongo_uri),
        ports=("mongo",),
        prepare=lambda say: jars.fetch("mongo", say),
    )


def _answers(uri: str) -> str:
    try:
        with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=ANSWER_MS) as client:
            client.admin.command("ping")
    except PyMongoError:
        return f"an answer from {uri}"
    return ""
