"""JSON Schema of the events, and the example that every version of every event has.

Schemas are generated and committed, so that a change of a contract is read in review as what it is to the network.
Examples are written by hand, once, as CloudEvents in JSON (attributes and ``data``), and never changed: each stands for
the messages that lie in a topic since its version was new.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from tyrsky_contracts.event import Event
from tyrsky_contracts.topics import Topic

Json = dict[str, Any]

FOLDER = Path(__file__).resolve().parent.parent
"""Where ``schemas/``, ``examples/``, ``releases/`` and ``asyncapi.json`` are, in a work tree."""


class MissingExample(Exception):  # noqa: N818 - reads as the sentence that it prints
    """An event has no example."""


class _WithoutFieldTitles(GenerateJsonSchema):
    """A title that repeats the field's name tells a reader nothing."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(model: type[BaseModel]) -> Json:
    """The JSON Schema of a model, whole: nested models stand where they are used."""
    schema = model.model_json_schema(schema_generator=_WithoutFieldTitles)
    return _inlined(schema, schema.pop("$defs", {}), ())


def events_of(topics: Sequence[Topic]) -> list[type[Event]]:
    """Every event of every version that may lie in a topic."""
    return [event for topic in topics for event in topic.events]


def example_of(event: type[Event], folder: Path = FOLDER) -> Json:
    """The event's example, attributes and ``data`` in one object.

    :raises MissingExample: when nobody wrote one.
    """
    file = folder / "examples" / f"{event.type}.json"
    if not file.exists():
        raise MissingExample(f"{event.__name__} has no example: write {file}")
    return json.loads(file.read_text())


def as_message(example: Json) -> tuple[list[tuple[str, bytes]], bytes]:
    """An example as it lies in Kafka: headers and body."""
    attributes = [(f"ce_{name}", str(value).encode()) for name, value in example.items() if name != "data"]
    return [("content-type", b"application/json"), *attributes], json.dumps(example["data"]).encode()


def _inlined(part: Any, definitions: Json, inside: tuple[str, ...]) -> Any:
    if isinstance(part, list):
        return [_inlined(each, definitions, inside) for each in part]
    if not isinstance(part, dict):
        return part
    name = str(part.get("$ref", "")).removeprefix("#/$defs/")
    if not name:
        return {key: _inlined(value, definitions, inside) for key, value in part.items()}
    if name in inside:
        raise TypeError(f"{name} contains itself: an event is facts, not a tree")
    whole = {key: value for key, value in {**definitions[name], **part}.items() if key != "$ref"}
    return _inlined(whole, definitions, (*inside, name))
