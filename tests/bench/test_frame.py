"""The frame: what it takes for wrong, what the page says, and whose store it measures."""

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import typer
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.stack import ROOT
from tests.bench import __main__ as command
from tests.bench import b2_hot, b7_growth, report
from tests.bench.b5_telemetry import Span, whole
from tests.bench.bench import Bench, Compared, Row, Wrong
from tests.bench.load import Answer, Driven, milliseconds
from tests.bench.profiling import shares, table
from tests.bench.topics import each_once
from tests.commit import current_commit


def test_a_duplicate_does_not_make_up_for_a_loss():
    with pytest.raises(Wrong, match="of a came"):
        each_once([("a", 1), ("a", 1)], {"a": [1], "b": [1]})


@pytest.mark.parametrize("came", [[("a", 1), ("a", 2), ("a", 2)], [("a", 2), ("a", 1)], [("a", 1), ("a", 2), ("b", 1)]])
def test_what_comes_twice_or_out_of_order_or_unasked_is_wrong(came: Sequence[tuple[str, int]]):
    with pytest.raises(Wrong):
        each_once(came, {"a": [1, 2]})


def test_each_once_and_in_order_is_right():
    each_once([("a", 1), ("b", 1), ("a", 2)], {"a": range(1, 3), "b": [1]})


REQUEST: Span = {"id": "2", "parentId": "1", "kind": "SERVER", "tags": {"error": "ZeroDivisionError"}}
STORE: Span = {"id": "3", "parentId": "2", "kind": "CLIENT", "tags": {}}


def test_a_trace_of_an_error_is_whole_with_the_request_and_its_call_to_the_store():
    assert whole([REQUEST, STORE], "1")


@pytest.mark.parametrize(
    "spans", [[], [REQUEST], [STORE], [REQUEST, {**STORE, "parentId": "9"}], [{**REQUEST, "tags": {}}, STORE]]
)
def test_a_trace_with_a_part_missing_is_not(spans: Sequence[Span]):
    assert not whole(spans, "1")


def test_the_goal_of_the_hot_aggregate_is_judged_against_one_after_the_other_alone():
    soft, hard = Compared([1_000], [10]), Compared([1_000], [500])
    assert [row.met for row in b2_hot.rows(hard, soft, soft, 1.0)] == [False, None, None]
    assert [row.met for row in b2_hot.rows(soft, hard, hard, 1.0)] == [True, None, None]


def test_the_spread_of_growth_is_that_of_its_ratio_over_the_runs():
    """Each store was the same in every run but one, in which the largest was slower by half."""
    steady = dict.fromkeys(("by id", "by id, bare", "filtered", "filtered, bare", "by name", "by name, bare"), [10] * 3)
    seen = [{**steady, "commands": [400] * 3}, {**steady, "commands": [400, 400, 200]}]
    commands, *others = b7_growth.rows([1_000, 100_000], seen)
    assert (commands.ratio, commands.met, commands.spread) == ("100% of the first", True, 0.5)
    assert [row.spread for row in others] == [0, 0, 0]


def test_a_profile_tells_modules_of_ours_and_libraries_apart():
    installed, ours = "/home/x/.venv/lib/python3.11/site-packages", ROOT / "shared" / "kit" / "tyrsky"
    way_in, route = f"run ({installed}/uvicorn/main.py:1)", f"app ({installed}/fastapi/routing.py:9)"
    stacks = f"""{way_in};{route};decide ({ours}/deciding.py:4) 6
{way_in};{route};dumps (/usr/lib/python3.11/json/__init__.py:2) 3
{way_in} 1"""
    found = shares(stacks)
    assert found == {
        "uvicorn": (0.1, 1.0),
        "fastapi": (0.0, 0.9),
        "tyrsky.deciding": (0.6, 0.6),
        "Python's json": (0.3, 0.3),
    }
    told = table(stacks, "the service")
    assert "in which the service computed" in told
    assert "| tyrsky.deciding | 60.0% | 60.0% |" in told
    assert "fastapi" not in told
    assert "(`tyrsky`) have 60.0%" in told


def test_the_page_leads_to_the_profiles_that_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(report, "PROFILES", tmp_path)
    kept = {code: {"about": {"commit": "abc"}, "rows": []} for code in ("B1", "B2")}
    (tmp_path / "b1.md").write_text(report.profile("B1", {"commit": "abc"}, ""))
    assert "commit: abc" in (tmp_path / "b1.md").read_text()
    page = report.page(kept, "abc")
    assert "(profiles/b1.md)" in page
    assert "(profiles/b2.md)" not in page


def test_latencies_are_of_all_rounds_and_not_of_the_last():
    slow, fast = (Driven(1.0, [Answer(200, b"", b"", seconds)] * 10) for seconds in (1.0, 0.001))
    assert milliseconds([slow, fast], 0.99) == 1_000
    assert milliseconds([fast, fast], 0.99) == 1


def test_rows_of_another_commit_are_told():
    def kept(code: str, commit: str) -> dict[str, Any]:
        return {"about": {"commit": commit}, "rows": [asdict(Row(code, "what", "1/s"))]}

    page = report.page({"B1": kept("B1", "abc"), "B2": kept("B2", "def and changes")}, "abc")
    assert "| - | abc |" in page
    assert "| - | **def and changes** |" in page
    assert "another commit than the last run's (abc): B2." in page


def test_the_commit_is_told():
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert current_commit().split()[0] == (head.stdout.strip() or "unknown")


def test_the_environment_says_nothing_of_what_is_measured(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MONGO_URI", "mongodb://dear.example")
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "dear.example:9092")

    def no_parts(*_: object) -> None:
        raise InterruptedError  # its own parts are begun

    monkeypatch.setattr(command.launch, "start", no_parts)
    with pytest.raises(InterruptedError), command.parts():
        pass


def test_a_store_without_a_kafka_is_refused():
    with pytest.raises(typer.BadParameter), command.parts("mongodb://there", ""):
        pass


@pytest.mark.parametrize("target", ["bench", "load"])
def test_make_hands_on_only_what_was_given_to_it(target: str, make: Callable[..., str]):
    assert "dear" not in make(target)
    assert "--mongo-uri mine --kafka-bootstrap mine:9092" in make(target, "MONGO_URI=mine", "KAFKA_BOOTSTRAP=mine:9092")


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("MONGO_URI", "mongodb://dear.example")
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "dear.example:9092")

    def would_run(target: str, *given: str) -> str:
        asked = ["make", "--dry-run", "--no-print-directory", target, *given]
        told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return " ".join(line for line in told.replace("\\\n", "").splitlines() if "tests." in line).replace("\t", "")

    return would_run


@pytest.mark.stack
async def test_a_topic_is_gone_also_when_its_benchmark_failed(here: Bench):
    name = ""
    with pytest.raises(ZeroDivisionError):
        async with here.topic(partitions=3) as name:
            raise ZeroDivisionError
    admin = AIOKafkaAdminClient(bootstrap_servers=here.bootstrap)
    await admin.start()
    try:
        async with asyncio.timeout(10):  # Kafka says yes, and deletes a moment later
            while name in await admin.list_topics():
                await asyncio.sleep(0.1)
    finally:
        await admin.close()
