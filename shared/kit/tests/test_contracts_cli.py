"""``tyrsky contracts``: generate, check, release, on a copy of the contracts' folder."""

import json
import shutil
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result
from tyrsky import contracts_cli
from tyrsky_contracts import topics
from tyrsky_contracts.schemas import FOLDER

MOVED = "tyrsky.visit.moved.v1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The examples alone: nothing generated, nothing released."""
    shutil.copytree(FOLDER / "examples", tmp_path / "examples")
    return tmp_path


def run(command: str, folder: Path) -> Result:
    return CliRunner().invoke(contracts_cli.app, [command, "--folder", str(folder)])


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*.json") if file.parent.name != "examples"}


def test_generate_writes_a_schema_for_each_event_and_the_asyncapi_document(folder: Path):
    assert run("generate", folder).exit_code == 0
    events = [event.type for topic in topics.ALL for event in topic.events]
    assert files(folder) == {"asyncapi.json", *(f"schemas/{type_}.json" for type_ in events)}
    before = {name: (folder / name).read_text() for name in files(folder)}
    assert run("generate", folder).exit_code == 0
    assert {name: (folder / name).read_text() for name in files(folder)} == before


def test_generate_deletes_the_schema_of_an_event_that_is_no_more(folder: Path):
    (folder / "schemas").mkdir()
    (folder / "schemas" / "tyrsky.visit.dreamt.v1.json").write_text("{}")
    run("generate", folder)
    assert not (folder / "schemas" / "tyrsky.visit.dreamt.v1.json").exists()


@pytest.mark.parametrize("command", ["generate", "release"])
def test_an_event_without_an_example_is_named(folder: Path, command: str):
    (folder / "examples" / f"{MOVED}.json").unlink()
    result = run(command, folder)
    assert result.exit_code == 1
    assert f"VisitMoved has no example: write {folder}/examples/{MOVED}.json" in result.output
    assert files(folder) == set()


def test_nothing_can_break_before_the_first_release(folder: Path):
    assert run("check", folder).output == "nothing was released yet\n"


def test_a_release_is_kept_and_made_once(folder: Path):
    assert run("release", folder).exit_code == 0
    (name,) = files(folder)
    assert json.loads((folder / name).read_text())["topics"]["companies"]["public"] is True
    assert run("check", folder).output.startswith("keeps what ")
    again = run("release", folder)
    assert again.exit_code == 1
    assert "released already" in again.output


def test_check_and_release_name_event_field_and_consumers_and_fail(folder: Path, monkeypatch: pytest.MonkeyPatch):
    run("release", folder)
    (folder / "releases" / f"{version('tyrsky-contracts')}.json").rename(folder / "releases" / "0.0.9.json")
    example = folder / "examples" / f"{MOVED}.json"
    example.write_text(example.read_text().replace("06:00", "06:30"))
    shorter = topics.notifications.model_copy(update={"retention": timedelta(days=1)})
    fewer = topics.companies.model_copy(update={"events": topics.companies.events[1:]})
    monkeypatch.setattr(
        contracts_cli, "ALL", (fewer, topics.contact_reservations, topics.notification_requests, shorter, topics.audit)
    )
    for command in ("check", "release"):
        result = run(command, folder)
        assert result.exit_code == 1
        assert result.output.splitlines() == [
            "the contract is broken:",
            "  CompanyRegistered (tyrsky.company.registered.v1): was removed from topic companies; "
            f"breaks {', '.join(topics.companies.consumers)}, partner colleges",
            f"  VisitMoved ({MOVED}): its example was changed; an example stands for messages that lie in the topic; "
            "breaks no consumer on the map",
            "  topic notifications: is kept for a shorter time; breaks partner colleges",
        ]
    assert files(folder) == {"releases/0.0.9.json"}
