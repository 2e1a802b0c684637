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
FUNCTION_LINES_MAX = 70

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


@pytest.mark.parametrize("path", PUBLISHED, ids=named)
def test_everything_that_others_use_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text())
    if path.name != "__init__.py":
        assert ast.get_docstring(tree), "the module says nothing of itself"
    silent = [name for name, node in public(tree.body) if not ast.get_docstring(node)]
    assert silent == []
