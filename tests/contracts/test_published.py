"""What is committed beside the contracts is what the contracts are."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from tyrsky.contracts_cli import generated, generated_before
from tyrsky_contracts.codec import decode
from tyrsky_contracts.compatibility import breaks, release_of, releases
from tyrsky_contracts.event import Event
from tyrsky_contracts.schemas import FOLDER, as_message, events_of, example_of
from tyrsky_contracts.topics import ALL

EVENTS = events_of(ALL)
RELEASES = releases()


def test_the_schemas_and_the_asyncapi_document_are_up_to_date():
    texts = generated(FOLDER)
    assert generated_before(FOLDER) == texts.keys(), "run: tyrsky contracts generate"
    stale = [file.name for file, text in texts.items() if file.read_text() != text]
    assert not stale, "run: tyrsky contracts generate"


def test_the_asyncapi_document_is_valid_by_the_official_schema(asyncapi_schema: dict[str, Any]):
    document = json.loads((FOLDER / "asyncapi.json").read_text())
    faults = [f"{fault.json_path}: {fault.message}" for fault in Draft7Validator(asyncapi_schema).iter_errors(document)]
    assert not faults


def test_the_official_schema_refuses_what_is_wrong(asyncapi_schema: dict[str, Any]):
    document = json.loads((FOLDER / "asyncapi.json").read_text())
    document["channels"]["companies"]["adress"] = "companies"
    assert list(Draft7Validator(asyncapi_schema).iter_errors(document))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_the_example_of_every_event_decodes_and_fits_its_schema(event: type[Event]):
    example = example_of(event)
    decoded, envelope = decode(*as_message(example))
    assert decoded.type == envelope.type
    schema = json.loads((FOLDER / "schemas" / f"{event.type}.json").read_text())
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(example["data"])


def test_no_example_is_of_an_event_that_is_not_on_the_map():
    files = {file.stem for file in (FOLDER / "examples").iterdir()}
    assert files == {event.type for event in EVENTS}


def test_the_contracts_keep_what_the_last_release_promised():
    assert RELEASES, "nothing was released"
    assert [str(broken) for broken in breaks(RELEASES[-1], release_of("now", ALL))] == []


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_the_examples_of_every_release_still_decode(release: Any):
    for topic in release.topics.values():
        for type_, event in topic.events.items():
            decoded, envelope = decode(*as_message(event.example))
            assert decoded.type == envelope.type, type_


def test_contracts_import_pydantic_alone():
    import ast
    import sys

    allowed = {*sys.stdlib_module_names, "pydantic", "pydantic_core", "tyrsky_contracts"}
    for file in (Path(FOLDER) / "tyrsky_contracts").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, file.name
