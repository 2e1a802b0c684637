"""Aggregates and read models decide without a clock, without chance and without I/O (imports: see import-linter)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KIT = ROOT / "shared" / "kit" / "tyrsky"
AGGREGATES = [
    path
    for folder in (ROOT / "services", KIT, ROOT / "docs" / "examples")
    for path in folder.rglob("*.py")
    if "tests" not in path.parts and "\naggregate = Aggregate(" in path.read_text()
]
BESIDE = [ROOT / "services/companies/companies" / f"{name}.py" for name in ("terms", "charting")]
VIEWS = [path for folder in ("services", "docs/examples") for path in (ROOT / folder).glob("**/views.py")]
OF_AGGREGATES = [path for kind in ("state", "commands") for path in ROOT.glob(f"services/*/*/*_{kind}.py")]
PURE = sorted({*AGGREGATES, *BESIDE, *OF_AGGREGATES, *VIEWS, KIT / "aggregate.py", KIT / "projecting.py"})
IMPURE_MODULES = {"asyncio", "io", "os", "pathlib", "random", "secrets", "socket", "subprocess", "threading", "time"}
IMPURE_NAMES = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input"}


def impurities(source: str) -> set[str]:
    """What in a module looks at the world."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names if alias.name.partition(".")[0] in IMPURE_MODULES}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module} if module.partition(".")[0] in IMPURE_MODULES else set()
                found |= {alias.name for alias in names if alias.name in IMPURE_NAMES}
            case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)) if name in IMPURE_NAMES:
                found.add(name)
            case _:
                pass
    return found


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.name)
def test_a_decision_depends_on_nothing_but_what_it_is_given(path: Path) -> None:
    assert impurities(path.read_text()) == set()


def test_every_aggregate_is_looked_at() -> None:
    names = [path.stem for path in PURE]
    ours = {"company", "contact", "visit", "need", "potential", "feed", "notification", "room", "dispatches"}
    assert ours | {"aggregate", "projecting", "visit_state", "terms", "charting"} <= {*names}
    assert names.count("views") == 2


def test_the_looking_finds_what_it_looks_for() -> None:
    source = "import random\nfrom uuid import uuid4\nfrom datetime import datetime\nx = datetime.now()\nopen('f')"
    assert impurities(source) == {"random", "uuid4", "now", "open"}
