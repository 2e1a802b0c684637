"""The tutorial "your own service in an hour" is true: it shows what the files hold, and its commands work."""

import ast
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient
from seats.settings import Settings
from tyrsky import settings

from deploy.local import caddy
from deploy.local.stack import Stack

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "seats"
README = (EXAMPLE / "README.md").read_text()

LINES_MAX = 156
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


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The gateway as the page's `make up` has it, on a port of its own; the stack of the tests has another."""
    [(name, value)] = re.findall(r"^(GATEWAY_OWN)=(\S+) make up$", "".join(blocks("make")))
    monkeypatch.setenv(name, value.replace("$TYRSKY", str(ROOT)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stack = Stack.of("test")
    part = caddy.part(replace(stack, folder=tmp_path, ports={**stack.ports, "gateway": port}))
    process = subprocess.Popen(part.command, env=part.env, stderr=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()


def steps() -> Iterator[tuple[str, str]]:
    """The commands of each block, and what the page says that they say; nothing when it does not."""
    fenced = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    for (language, commands), (what, follows) in pairwise([*fenced, ("", "")]):
        if language == "sh":
            yield commands, follows if what == "text" else ""


def as_shown(shown: str, said: str) -> bool:
    """Whether something was said as the page has it, where ``…`` stands for anything within a line."""
    return re.fullmatch(re.escape(shown).replace("…", "[^\n]*"), said) is not None


def test_what_is_shown_is_compared():
    assert as_shown('{"id":"…"}\n1\n', '{"id":"x"}\n1\n')
    assert not as_shown('{"id":"…"}\n1\n', '{"id":"x"}\n2\n')
    assert not as_shown('{"id":"…"}\n', '{"id":"x"}\n{"id":"y"}\n')
    assert len([shown for _, shown in steps() if shown]) == len(blocks("text")) > 0


def test_the_rules_are_tried_without_a_server_and_nothing_is_warned_of(tmp_path: Path):
    blocks = [commands for commands, _ in steps()]
    first = next(number for number, commands in enumerate(blocks, 1) if "pytest" in commands)
    *_, said = carry_out(tmp_path, blocks[:first])
    assert " passed in " in said
    assert (tmp_path / "aside.txt").read_text() == ""


@pytest.mark.stack
def test_the_commands_do_what_the_tutorial_says(tmp_path: Path, afresh: None, gateway: str):
    said = carry_out(tmp_path, [commands for commands, _ in steps()], GATEWAY=gateway)
    compared = [(shown, told) for (_, shown), told in zip(steps(), said, strict=True) if shown]
    assert [pair for pair in compared if not as_shown(*pair)] == []
    everything = "".join(
        (tmp_path / file).read_text() for file in ("output.txt", "aside.txt", "webhooks.txt", "seats.log")
    )
    assert not any(name in everything for name in ("Aino", "Eino", "Martta"))


def carry_out(folder: Path, blocks: Sequence[str], **environment: str) -> list[str]:
    """What each block of commands says, carried out by one shell; it fails when one of them does."""
    end = "-- the end of a block --"
    output, aside = folder / "output.txt", folder / "aside.txt"
    with output.open("w") as said, aside.open("w") as warned:
        shell = subprocess.Popen(
            ["bash", "-c", "\n".join(["set -euo pipefail", *(f"{block}echo '{end}'" for block in blocks)])],
            cwd=folder,
            env={**os.environ, **environment, "TYRSKY": str(ROOT)},
            stdout=said,
            stderr=warned,
            start_new_session=True,
        )
        try:
            code = shell.wait(TUTORIAL_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # what it began and did not end
    assert code == 0, output.read_text() + aside.read_text()
    return output.read_text().split(f"{end}\n")[:-1]


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
