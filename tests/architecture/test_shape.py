"""The shape of the code: small modules, small functions, and a word on everything that others use."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("shared", "services", "deploy", "tests", "docs")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
PUBLISHED = [
    path
    for path in SOURCES
    if path.parts[len(ROOT.parts)] in {"shared", "services", "docs"} and "tests" not in path.parts
]

MODULE_LINES_MAX = 300
LONG_LINES = 250
FUNCTION_LINES_MAX = 70

LONG = {
    "deploy/local/launch.py": "each way to begin, watch and end a stack, under one lock",
    "services/notifications/notifications/notification.py": "a message's whole way, and each thing that may befall it",
    "shared/kit/tests/consuming/rig.py": "a service's consumers, and all that a test may do to them",
    "shared/kit/tyrsky/consuming.py": "what a group takes, commits and winds back is one state",
    "shared/kit/tyrsky/effects.py": "what an effect has to say of itself, and the one loop that asks it",
    "shared/kit/tyrsky/finding.py": "one round: the dead fenced, read, freed; then what waits. The order is the point",
    "shared/kit/tyrsky/problems.py": "each thing that may be raised, and the one shape that it becomes",
    "shared/kit/tyrsky/relay.py": "one state: a holder's beginning, publishing, beating and end",
    "shared/kit/tyrsky/rows.py": "rows, written and read, from one edition to the next",
    "shared/kit/tyrsky/service.py": "a service's whole wiring, in the order of its life",
    "shared/kit/tyrsky/store.py": "one document, and each way in which it is read and written",
    "tests/faults/proxy.py": "one connection, and each thing that may become of what passes",
    "tests/faults/running.py": "a run from its first process to its last",
    "tests/load/slow.py": "each way to be slow or silent, with what it may cost others",
    "tests/simulation/consumer.py": "as much of aiokafka's consumer as the kit asks for",
    "tests/simulation/dialect.py": "as much of MongoDB's language as the kit speaks",
    "tests/simulation/loop.py": "as much of an event loop as asyncio asks for",
    "tests/simulation/mutants.py": "a list of faults",
    "tests/simulation/store.py": "as much of a collection as the kit asks for",
    "tests/simulation/world.py": "one run, and whoever lives in it",
}
"""Modules, other than tests, that are longer than most, and why they are not two."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """The definitions that others may use: no underscore, and not inside a function."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_module_is_read_in_one_sitting(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert len(path.read_text().splitlines()) <= MODULE_LINES_MAX
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES_MAX, f"{node.name} has {lines} lines"


def test_a_module_that_is_longer_than_most_says_why() -> None:
    found = {named(path) for path in SOURCES if len(path.read_text().splitlines()) > LONG_LINES}
    assert {name for name in found if not Path(name).name.startswith("test_")} == LONG.keys()


@pytest.mark.parametrize("path", PUBLISHED, ids=named)
def test_everything_that_others_use_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text())
    if path.name != "__init__.py":
        assert ast.get_docstring(tree), "the module says nothing of itself"
    silent = [name for name, node in public(tree.body) if not ast.get_docstring(node)]
    assert silent == []
