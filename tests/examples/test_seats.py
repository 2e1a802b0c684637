"""The tutorial "your own service in an hour" is true: it shows what the files hold, and its commands work."""

import ast
import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient
from seats.settings import Settings
from tyrsky import settings, webhooks

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "seats"
README = (EXAMPLE / "README.md").read_text()

LINES_MAX = 160
TUTORIAL_SECONDS = 240


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("shown", blocks("python"))
def test_the_code_that_is_shown_is_the_code(shown: str):
    assert any(shown in path.read_text() for path in (EXAMPLE / "seats").glob("*.py"))


def test_its_problems_are_explained_behind_the_gateway():
    *_, paths = re.findall(r"^import service seats (.*) {$", (EXAMPLE / "seats.caddy").read_text(), re.MULTILINE)
    own = re.findall(r'Problem\("([a-z-]+)"', (EXAMPLE / "seats" / "problems.py").read_text())
    assert own
    assert [code for code in own if not any(fnmatch(f"/problems/{code}", path) for path in paths.split())] == []


def test_the_settings_are_all_there():
    assert settings.table(Settings, beyond=settings.Settings) in README
    assert Settings.model_fields.keys() == webhooks.Settings.model_fields.keys()


@pytest.fixture
def afresh() -> Iterator[None]:
    """The tutorial's service has the database of its name, and reads the topic from its beginning: on the stack of the
    tests others have been there."""
    admin = AdminClient({"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP"]})
    with suppress(KafkaException):  # there is none yet
        admin.delete_consumer_groups(["seats-occupancy"])["seats-occupancy"].result()
    with MongoClient[dict[str, Any]](os.environ["MONGO_URI"]) as client:
        client.drop_database("seats")
        yield
        client.drop_database("seats")


@pytest.mark.stack
def test_the_commands_do_what_the_tutorial_says(tmp_path: Path, afresh: None):
    script = "\n".join(["set -euo pipefail", *blocks("sh")])
    output = tmp_path / "output.txt"
    with output.open("w") as said:
        shell = subprocess.Popen(
            ["bash", "-c", script],
            cwd=tmp_path,
            env={**os.environ, "TYRSKY": str(ROOT)},
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = shell.wait(TUTORIAL_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # what it began and did not end
    told = output.read_text()
    assert code == 0, told
    assert '"left":1}}' in told
    assert '"left":0}}' in told
    assert '"code":"room-full"' in told
    calls = (tmp_path / "webhooks.txt").read_text().splitlines()
    assert [call.split()[:2] for call in calls] == [["signature", "right"]] * 2
    events = re.findall(r'"type": "vaao\.room\.([a-z-]+)\.v1"', told)
    assert events == ["opened", "seat-reserved", "seat-reserved"]
    assert '{"seats":2,"left":0}' in told
    assert "seats has no dead letters" in told
    assert not any(name in told + "".join(calls) for name in ("Aino", "Eino", "Martta"))


def test_the_service_is_as_short_as_the_tutorial_says():
    """Lines of code, without imports, docstrings and empty lines."""
    count = 0
    for path in (EXAMPLE / "seats").glob("*.py"):
        text = path.read_text()
        skipped = {number for node in ast.walk(ast.parse(text)) for number in beside_code(node)}
        count += sum(1 for number, line in enumerate(text.splitlines(), 1) if line.strip() and number not in skipped)
    assert count <= LINES_MAX


def beside_code(node: ast.AST) -> Iterable[int]:
    """The lines of an import or a docstring."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Import | ast.ImportFrom) or (isinstance(node, ast.Expr) and is_text):
        return range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return ()
